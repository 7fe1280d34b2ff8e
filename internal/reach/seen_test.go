package reach

import (
	"net/netip"
	"testing"
	"time"
)

// TestInventedAddressesCostLittle: it is a media shard that notes them, between two packets.
func TestInventedAddressesCostLittle(t *testing.T) {
	var seen Seen
	n, now := 0, time.Now()
	next := func() {
		n++
		seen.noteAt(UDP, netip.AddrFrom4([4]byte{byte(n>>16) + 1, byte(n >> 8), byte(n), 1}), now)
	}
	first := netip.MustParseAddr("198.51.100.7")
	seen.noteAt(TCP, first, now.Add(-time.Minute))
	for range 3 * maxNetworks {
		next()
	}
	if got := testing.AllocsPerRun(100, next); got > 5 {
		t.Errorf("%.0f allocations for an address nobody has seen", got)
	}
	if seen.networks[networkOf(first)] != nil || len(seen.networks) != maxNetworks {
		t.Errorf("%d networks are kept; the oldest is one of them: %v", len(seen.networks), seen.networks[networkOf(first)] != nil)
	}
	latest := func() netip.Prefix {
		return networkOf(netip.AddrFrom4([4]byte{byte(n>>16) + 1, byte(n >> 8), byte(n), 1}))
	}
	if seen.networks[latest()] != nil {
		t.Error("every address that is invented forgets another")
	}
	now = now.Add(forgetEvery)
	if next(); seen.networks[latest()] == nil || len(seen.networks) != maxNetworks {
		t.Errorf("a network that comes later is not noted, of %d", len(seen.networks))
	}
}
