package peer

import (
	"fmt"
	"net/netip"
	"slices"
)

// Candidate is one of ours, as the browser API has it.
type Candidate struct {
	Candidate string // "candidate:…"
	MID       string
	Line      int // index of the m-line
}

// candidates lists where a client can reach us, best first: UDP on every address, then TCP on the same ones.
// Priorities follow RFC 8445 §5.1.2; TCP has its type preference lowered (RFC 6544 §4.2).
func (c *Config) candidates(client *EndpointConfig) []string {
	addresses := c.reachable(client)
	const udp, tcp = 126, 90
	priority := func(kind, i int) uint32 { return uint32(kind)<<24 | uint32(65535-i)<<8 | 255 }
	var list []string
	for i, a := range addresses {
		list = append(list, fmt.Sprintf("candidate:%d 1 udp %d %s %d typ host", i+1, priority(udp, i), a.Addr(), a.Port()))
	}
	if c.TCP {
		for i, a := range addresses {
			list = append(list, fmt.Sprintf("candidate:%d 1 tcp %d %s %d typ host tcptype passive",
				len(addresses)+i+1, priority(tcp, i), a.Addr(), a.Port()))
		}
	}
	return list
}

// reachable lists the addresses of this machine, and then the one the client came to: with the port it came to, and with
// ours, for a proxy may stand in front of signalling alone.
func (c *Config) reachable(client *EndpointConfig) []netip.AddrPort {
	found := c.Addresses()
	var list []netip.AddrPort
	for _, a := range found.Host {
		list = append(list, netip.AddrPortFrom(a, c.Port))
	}
	if client.Loopback {
		for _, a := range found.Loopback {
			list = append(list, netip.AddrPortFrom(a, c.Port))
		}
	}
	if !client.Reached.IsValid() {
		return list
	}
	at := client.Reached.Addr().Unmap()
	for _, port := range []uint16{client.Reached.Port(), c.Port} {
		if a := netip.AddrPortFrom(at, port); !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// Serves reports whether an address is one of our media addresses: the only peers a TURN allocation may have.
func (s *Shard) Serves(a netip.AddrPort) bool {
	found := s.config.Addresses()
	return a.Port() == s.config.Port &&
		(slices.Contains(found.Host, a.Addr().Unmap()) || slices.Contains(found.Loopback, a.Addr().Unmap()))
}
