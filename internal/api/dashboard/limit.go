package dashboard

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// An office behind one address may come to a meeting at once; after that, one a second is more than people need. A
// check makes a session and three connections, and lasts about ten seconds.
const (
	burst          = 30
	perSecond      = 1
	checkBurst     = 10
	checkPerSecond = 0.2
	maxAddresses   = 10_000 // about 1 MB
)

// limit is a token bucket per address: IPv4 whole, IPv6 by /64, which is what one subscriber has.
type limit struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	buckets map[netip.Prefix]*rate.Limiter
}

func newLimit(perSecond rate.Limit, burst int) *limit {
	return &limit{perSecond: perSecond, burst: burst, buckets: map[netip.Prefix]*rate.Limiter{}}
}

// take spends one token of the address; it returns 0, or how long to wait for the next one.
func (l *limit) take(a netip.Addr) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.bucket(networkOf(a))
	if bucket == nil {
		return time.Duration(float64(l.burst) / float64(l.perSecond) * float64(time.Second))
	}
	r := bucket.Reserve()
	wait := r.Delay()
	if wait > 0 {
		r.Cancel()
	}
	return wait
}

// bucket finds or makes an address's bucket; nil if the table is full of addresses that are all in use.
func (l *limit) bucket(network netip.Prefix) *rate.Limiter {
	if b, ok := l.buckets[network]; ok {
		return b
	}
	if len(l.buckets) >= maxAddresses {
		l.forgetIdle()
	}
	if len(l.buckets) >= maxAddresses {
		return nil
	}
	b := rate.NewLimiter(l.perSecond, l.burst)
	l.buckets[network] = b
	return b
}

// forgetIdle drops the buckets that are full again: forgetting them changes nothing.
func (l *limit) forgetIdle() {
	for network, b := range l.buckets {
		if b.Tokens() >= float64(l.burst) {
			delete(l.buckets, network)
		}
	}
}

func networkOf(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	network, _ := a.WithZone("").Prefix(bits) // bits is never out of range
	return network
}
