package peer_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/socket"
)

// onEverything starts a shard on all addresses of this machine, of both families.
func onEverything(t *testing.T, addresses ...string) (*server, uint16, context.Context) {
	t.Helper()
	noLeaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	conn, err := socket.Listen(ctx, ":0")
	if err != nil {
		t.Fatal(err)
	}
	var found socket.Addresses
	for _, a := range addresses {
		found.Loopback = append(found.Loopback, netip.MustParseAddr(a))
	}
	return serve(t, conn, found), conn.LocalAddr().Port(), ctx
}

// TestEveryAddressAnswersForItself: on a machine with several interfaces an answer leaves from the address its check came
// to, or no NAT and no browser would take it; a client of IPv4 is told an address of IPv4 though the socket has both
// families.
func TestEveryAddressAnswersForItself(t *testing.T) {
	ours := []string{"127.0.0.1", "127.0.0.2"}
	if conn, err := net.Listen("tcp", "[::1]:0"); err == nil { // it has IPv6
		_ = conn.Close()
		ours = append(ours, "::1")
	}
	s, port, ctx := onEverything(t, ours...)
	e, own := s.receiving(ctx, "alice")
	for i, a := range ours {
		to := netip.AddrPortFrom(netip.MustParseAddr(a), port)
		c := s.talk(to) // takes packets from there only
		m := c.ask(own.request(t, nominate))
		raw, err := m.Get(stun.AttrXORMappedAddress)
		if err != nil || m.Type != stun.BindingSuccess {
			t.Fatalf("%s: %v, %v", a, m, err)
		}
		family := byte(1)
		if to.Addr().Is6() {
			family = 2
		}
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(m); err != nil || raw[1] != family || mapped.String() != c.LocalAddr().String() {
			t.Errorf("%s: mapped address %v of family %d (%v), want %v", a, mapped, raw[1], err, c.LocalAddr())
		}
		f := factsOf(t, ctx, e)
		if p := f.Paths[len(f.Paths)-1]; len(f.Paths) != i+1 || p.Local != to || p.Remote.String() != c.LocalAddr().String() || !p.Selected {
			t.Errorf("%s: path %+v", a, p)
		}
	}
}
