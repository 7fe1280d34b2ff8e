package peer_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// onePort listens on one port of both protocols: UDP may find taken what was free for TCP.
func onePort(t *testing.T) (net.Listener, socket.Conn) {
	t.Helper()
	for {
		listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
		conn, err := socket.Listen(t.Context(), listener.Addr().String())
		if err == nil {
			return listener, conn
		}
		_ = listener.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

func TestTCP(t *testing.T) {
	noLeaks(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	listener, conn := onePort(t)
	s := serve(t, conn, socket.Addresses{Loopback: []netip.Addr{loopback}})
	var served sync.WaitGroup
	defer served.Wait()
	defer listener.Close()
	served.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() { _ = s.ServeTCP(ctx, c) })
		}
	})

	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{TCP: true})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	alice.Publish(ctx)
	viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
	bob.WaitPackets(ctx, "video", 30)
	if st := must[peer.Stats](t)(viewer.Stats(ctx)); !strings.HasPrefix(st.RemoteCandidate, "tcp ") {
		t.Errorf("bob is reached by %s, want tcp", st.RemoteCandidate)
	}
	if p := factsOf(t, ctx, viewer).Paths; len(p) != 1 || p[0].Protocol != "tcp" || !p[0].Selected || p[0].Local.Addr() != loopback {
		t.Errorf("bob's paths: %+v", p)
	}
	cancel()
}

func TestRelay(t *testing.T) {
	s, tp, ctx := tapped(t)
	e, own := s.receiving(ctx, "alice")
	ours := tp.LocalAddr()
	replies := make(chan []byte, 8)
	relayed := netip.MustParseAddrPort("203.0.113.7:50000")
	relay := s.OpenRelay(relayed, func(from netip.AddrPort, b []byte) {
		if from == ours {
			replies <- append([]byte(nil), b...)
		}
	})
	if err := relay.Packet(ctx, netip.MustParseAddrPort("127.0.0.1:22"), own.request(t)); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a relay to another port: %v, want unsupported", err)
	}
	if err := relay.Packet(ctx, ours, own.request(t, nominate)); err != nil {
		t.Fatal(err)
	}
	m := &stun.Message{Raw: <-replies}
	if err := m.Decode(); err != nil || m.Type != stun.BindingSuccess {
		t.Fatalf("the relay got %v, %v", m, err)
	}
	if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "relay "+relayed.String() {
		t.Errorf("selected %q, want the relay", st.RemoteCandidate)
	}
	if p := factsOf(t, ctx, e).Paths; len(p) != 1 || p[0].Protocol != "relay" || p[0].Remote != relayed || p[0].Local != ours || !p[0].Nominated {
		t.Errorf("paths: %+v", p)
	}
	relay.Close()
	if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "" {
		t.Errorf("a closed relay is still selected: %q", st.RemoteCandidate)
	}
}
