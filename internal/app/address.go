package app

import (
	"net/netip"
	"slices"

	"tertulia/internal/media/socket"
	"tertulia/internal/reach"
)

// candidates are the public addresses media is offered at: what DOMAIN_OR_PUBLIC_IP says stays, even where nobody could
// confirm it; what was found beside it is added.
func candidates(f reach.Finding) []netip.Addr {
	list := slices.Clone(f.Resolved)
	for _, a := range f.Public {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// literal is DOMAIN_OR_PUBLIC_IP if it is an address, which need not be asked for.
func literal(domain string) []netip.Addr {
	a, err := netip.ParseAddr(domain)
	if a = a.Unmap(); err != nil || a.IsLoopback() || a.IsUnspecified() {
		return nil
	}
	return []netip.Addr{a}
}

// mediaAddresses are the only peers TURN relays to.
func mediaAddresses(g *socket.Gatherer, port int) func() []netip.AddrPort {
	return func() []netip.AddrPort {
		found := g.Addresses()
		var list []netip.AddrPort
		for _, addresses := range [][]netip.Addr{found.Host, found.Loopback} {
			for _, a := range addresses {
				list = append(list, netip.AddrPortFrom(a, uint16(port)))
			}
		}
		return list
	}
}
