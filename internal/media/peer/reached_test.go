package peer_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"

	"tertulia/internal/media/peer"
	"tertulia/internal/testkit"
)

// behindNAT runs a test with a server at 192.168.0.1, which a 1:1 NAT shows as 203.0.113.5, and which knows nothing of it.
func behindNAT(t *testing.T, test func(context.Context, *lab, *server)) {
	synctest.Test(t, func(t *testing.T) {
		router := func(c vnet.RouterConfig) *vnet.Router {
			c.LoggerFactory, c.QueueSize = logging.NewDefaultLoggerFactory(), 4096
			return must[*vnet.Router](t)(vnet.NewRouter(&c))
		}
		outside := router(vnet.RouterConfig{CIDR: "203.0.113.0/24", MinDelay: 10 * time.Millisecond})
		inside := router(vnet.RouterConfig{
			CIDR: "192.168.0.0/24", StaticIPs: []string{"203.0.113.5/192.168.0.1"}, NATType: &vnet.NATType{Mode: vnet.NATModeNAT1To1},
		})
		host := testkit.Host(t, inside, "192.168.0.1")
		if err := outside.AddRouter(inside); err != nil {
			t.Fatal(err)
		}
		l := &lab{t: t, nets: []*vnet.Net{testkit.Host(t, outside, "203.0.113.20"), testkit.Host(t, outside, "203.0.113.21")}}
		if err := outside.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = outside.Stop() })
		conn, addresses := testkit.ListenOn(t, host, "192.168.0.1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		test(ctx, l, serve(t, conn, addresses))
	})
}

// TestFAQ_01__NATWithoutConfiguration: whoever reached us through a 1:1 NAT by an address is connected by that address
// within 3 s, although the server has no setting and knows no address but its private one; who came by a name is not.
func TestFAQ_01__NATWithoutConfiguration(t *testing.T) {
	behindNAT(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publish := func(name string, c *testkit.Client, reached netip.AddrPort) *peer.Endpoint {
			e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: name, Reached: reached}))
			d := must[peer.Description](t)(e.AcceptPublish(ctx, c.PublishOffer(testkit.VP8), peer.PublishOptions{}))
			c.Accept(d.SDP)
			return e
		}
		start := time.Now()
		e := publish("alice", alice, netip.MustParseAddrPort("203.0.113.5:4443"))
		if event := s.await(ctx, e, 1); event.State != peer.Connected || time.Since(start) > 3*time.Second {
			t.Fatalf("%s (%s) after %v", event.State, event.Reason, time.Since(start))
		}
		f := factsOf(t, ctx, e)
		if len(f.Paths) != 1 || !strings.Contains(f.Offered[0], " 192.168.0.1 4443 ") || !strings.Contains(f.Offered[1], " 203.0.113.5 4443 ") {
			t.Errorf("offered %q, paths %+v", f.Offered, f.Paths)
		}
		e = publish("bob", bob, netip.AddrPort{})
		if event := s.await(ctx, e, 1); event.State != peer.Failed {
			t.Errorf("without the address: %s", event.State)
		}
		if f := factsOf(t, ctx, e); strings.Contains(strings.Join(f.Offered, "\n"), "203.0.113.5") || !strings.Contains(f.Reason, "no connectivity check") {
			t.Errorf("another client was offered %q; %s", f.Offered, f.Reason)
		}
	})
}
