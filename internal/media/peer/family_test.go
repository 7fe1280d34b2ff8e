package peer

import (
	"net"
	"net/netip"
	"testing"
)

// TestEitherFamily: a client that has nothing but one of IPv4 and IPv6 is connected and heard over it, keys and all.
func TestEitherFamily(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		if conn, err := net.Listen("tcp", net.JoinHostPort(address, "0")); err == nil { // else this machine has none of it
			_ = conn.Close()
			t.Run(address, func(t *testing.T) { connectOver(t, netip.MustParseAddr(address)) })
		}
	}
}

func connectOver(t *testing.T, address netip.Addr) {
	certificate := selfSigned(t)
	h := openHallAt(t, netip.AddrPortFrom(address, 0).String(), fingerprintOf(certificate.Certificate[0]).Value)
	ours := h.config.Socket.LocalAddr()
	g, err := enter(ours, h.seat(t, 1), certificate)
	if err != nil {
		t.Fatal(err)
	}
	defer g.conn.Close()
	for !h.proven(t, 1) {
		if err := g.report(); err != nil {
			t.Fatal(err)
		}
	}
	var all []Facts
	if err := h.Do(t.Context(), func() {
		for _, e := range h.endpoints {
			all = append(all, snapshot(e))
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[0].Paths) != 1 {
		t.Fatalf("facts %+v", all)
	}
	p := all[0].Paths[0]
	if p.Remote.String() != g.conn.LocalAddr().String() || p.Local != netip.AddrPortFrom(address, ours.Port()) || !p.Selected || all[0].Heard < 0 {
		t.Errorf("path %+v, heard %v ago", p, all[0].Heard)
	}
}
