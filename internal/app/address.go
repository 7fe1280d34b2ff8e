package app

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"tertulia/internal/media/socket"
)

// resolveWithin bounds the one DNS question of a start.
const resolveWithin = 5 * time.Second

// publicAddresses are where clients reach DOMAIN_OR_PUBLIC_IP: candidates even if no interface has them (1:1 NAT, a
// container's published port). Loopback ones say nothing about the outside.
func publicAddresses(ctx context.Context, domain string, log *slog.Logger) []netip.Addr {
	if domain == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", domain)
	if err != nil {
		log.Warn("DOMAIN_OR_PUBLIC_IP has no address: media is offered on this machine's own addresses only",
			"domain", domain, "error", err)
		return nil
	}
	var list []netip.Addr
	for _, a := range found {
		if a = a.Unmap(); !a.IsLoopback() && !a.IsUnspecified() {
			list = append(list, a)
		}
	}
	return list
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
