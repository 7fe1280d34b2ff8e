package turn

import (
	"net/netip"
	"slices"
)

// Relayed addresses take ports below the range from which operating systems give ports to clients, so that a browser
// on this very host never has the address of a relay, and above the well-known ones.
const firstPort, lastPort = 10_000, 32_767

// reserve takes a relayed address of the family for a user at an address; ok is false when a limit is reached. When
// the server has no media address of that family, have is false.
func (s *Server) reserve(user string, client netip.Addr, want family) (relay netip.AddrPort, have, ok bool) {
	own := s.config.MediaAddresses()
	at := slices.IndexFunc(own, func(a netip.AddrPort) bool { return familyOf(a.Addr()) == want })
	if at < 0 {
		return relay, false, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	limits, client := s.config.Limits, subnet(client)
	if len(s.relays) >= limits.Allocations || s.perUser[user] >= limits.PerUser || s.perAddress[client] >= limits.PerAddress {
		s.overQuota.Add(1)
		return relay, true, false
	}
	for range lastPort - firstPort + 1 {
		if s.lastPort++; s.lastPort > lastPort {
			s.lastPort = firstPort
		}
		relay = netip.AddrPortFrom(own[at].Addr().Unmap(), s.lastPort)
		if !s.relays[relay] && !isOneOf(own, relay) {
			s.relays[relay] = true
			s.perUser[user]++
			s.perAddress[client]++
			s.allocations.Add(1)
			return relay, true, true
		}
	}
	s.overQuota.Add(1)
	return relay, true, false
}

// free gives back what reserve took.
func (s *Server) free(relay netip.AddrPort, user string, client netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.relays, relay)
	countDown(s.perUser, user)
	countDown(s.perAddress, subnet(client))
	s.allocations.Add(-1)
}

func countDown[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// subnet is what counts as one client: an IPv4 address, or an IPv6 network of 64 bits, since a host has all of that.
func subnet(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is6() {
		network, _ := a.WithZone("").Prefix(64) // 64 bits fit any IPv6 address
		return network.Addr()
	}
	return a
}

// isMedia reports whether packets may go to an address and port.
func (s *Server) isMedia(peer netip.AddrPort) bool { return isOneOf(s.config.MediaAddresses(), peer) }

// isMediaHost reports whether a permission, which has no port (RFC 8656 §9), may be given for an address.
func (s *Server) isMediaHost(peer netip.Addr) bool {
	return slices.ContainsFunc(s.config.MediaAddresses(), func(own netip.AddrPort) bool { return own.Addr().Unmap() == peer })
}

func isOneOf(own []netip.AddrPort, peer netip.AddrPort) bool {
	return slices.ContainsFunc(own, func(a netip.AddrPort) bool { return a.Port() == peer.Port() && a.Addr().Unmap() == peer.Addr() })
}
