package turn

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// meters let each host do something so many times per second. Hosts share the meters of a fixed table by a hash nobody
// outside knows, so that the addresses an attacker invents cost no memory.
type meters struct {
	seed        maphash.Seed
	rate, burst float64
	of          [4096]struct {
		left float64
		at   time.Time
	}
}

func newMeters(rate, burst float64) *meters {
	return &meters{seed: maphash.MakeSeed(), rate: rate, burst: burst}
}

func (m *meters) allow(host netip.Addr, now time.Time) bool {
	one := &m.of[maphash.Comparable(m.seed, host)%uint64(len(m.of))]
	if one.at.IsZero() {
		one.left = m.burst
	} else {
		one.left = min(m.burst, one.left+m.rate*now.Sub(one.at).Seconds())
	}
	one.at = now
	if one.left < 1 {
		return false
	}
	one.left--
	return true
}
