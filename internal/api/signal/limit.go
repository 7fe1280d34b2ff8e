package signal

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Failed joins of one address: this many at once, then one each while.
const (
	maxFailed   = 30
	failedEvery = 2 * time.Second
	// maxFailing bounds the addresses remembered; beyond it those that have calmed down are forgotten.
	maxFailing = 10_000
)

// failures slows down those who guess tokens or the secret. Successful joins cost nothing.
type failures struct {
	mu sync.Mutex
	by map[netip.Prefix]*rate.Limiter
}

func newFailures() *failures { return &failures{by: map[netip.Prefix]*rate.Limiter{}} }

// exhausted reports whether an address has failed too often lately.
func (f *failures) exhausted(group netip.Prefix) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.by[group]
	return l != nil && l.Tokens() < 1
}

// count adds a failed join.
func (f *failures) count(group netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.by[group]
	if l == nil {
		f.forget()
		l = rate.NewLimiter(rate.Every(failedEvery), maxFailed)
		f.by[group] = l
	}
	l.Allow()
}

// forget makes room: of those who are back at their full allowance, else of anybody, so that memory has a bound.
func (f *failures) forget() {
	if len(f.by) < maxFailing {
		return
	}
	for group, l := range f.by {
		if l.Tokens() >= maxFailed {
			delete(f.by, group)
		}
	}
	for group := range f.by {
		if len(f.by) < maxFailing {
			return
		}
		delete(f.by, group)
	}
}
