package peer_test

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

func onKernel(t *testing.T, n int) (*across, netip.AddrPort, context.Context) {
	t.Helper()
	noLeaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	conns := must[[]socket.Conn](t)(socket.ListenShards(ctx, "127.0.0.1:0", n))
	if len(conns) != n {
		t.Fatalf("%d sockets, want %d", len(conns), n)
	}
	a := &across{}
	a.shards = must[*peer.Shards](t)(peer.NewShards(configOf(t, socket.Addresses{Loopback: []netip.Addr{loopback}}), conns))
	a.server = run(t, a.shards)
	return a, conns[0].LocalAddr(), ctx
}

// TestTheKernelChoosesTheSocket: clients come until one is read by the shard that is not its endpoint's; it is answered
// as the others are, from the address it asked.
func TestTheKernelChoosesTheSocket(t *testing.T) {
	a, at, ctx := onKernel(t, 2)
	_, own := a.on(0).receiving(ctx, "alice")
	for crossed := uint64(0); crossed == 0; {
		m := a.talk(at).ask(own.request(t, nominate))
		if m.Type != stun.BindingSuccess {
			t.Fatalf("answered with %v", m)
		}
		crossed = a.handedOver(ctx)
		if ctx.Err() != nil {
			t.Fatal("the kernel gives one socket everything")
		}
	}
}

// TestMediaOnRealSockets of three shards, whichever the kernel chooses, until it has all crossed at least once.
func TestMediaOnRealSockets(t *testing.T) {
	a, _, ctx := onKernel(t, 3)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
	a.await(ctx, publisher, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)
	for shard := range 3 {
		bob := testkit.NewClient(t, testkit.ClientConfig{})
		a.on(shard).subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 20)
		bob.WaitPackets(ctx, "audio", 5)
	}
	if a.handedOver(ctx) == 0 {
		t.Error("nothing crossed")
	}
}

// TestTheEndDuringHandOver: shards stop, and endpoints close, while packets are on their way; nothing hangs or stays.
func TestTheEndDuringHandOver(t *testing.T) {
	for round := range 3 {
		t.Run(strconv.Itoa(round), endDuringHandOver)
	}
}

func endDuringHandOver(t *testing.T) {
	a, _, ctx := onKernel(t, 3)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
	a.await(ctx, publisher, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)
	closing := []*peer.Endpoint{publisher}
	for shard := range 3 {
		bob := testkit.NewClient(t, testkit.ClientConfig{})
		closing = append(closing, a.on(shard).subscribe(ctx, "bob_alice", bob, tracks))
		bob.WaitPackets(ctx, "video", 5)
	}
	var closed sync.WaitGroup
	for _, e := range closing[:3] {
		closed.Go(func() { _ = e.Close(ctx) }) // fails when the shards end first
	}
	a.stop()
	err := <-a.done
	a.done <- err // for the clean-up
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	closed.Wait()
}

// TestTCPOnShards: a connection is read by a shard of its own, too.
func TestTCPOnShards(t *testing.T) {
	noLeaks(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	listener, conn := onePort(t)
	a := &across{}
	a.serve(t, 3, conn, socket.Addresses{Loopback: []netip.Addr{loopback}})
	var served sync.WaitGroup
	defer served.Wait()
	defer listener.Close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() { _ = a.shards.ServeTCP(serving, c) })
		}
	})
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := a.on(0).publish(ctx, "alice", alice, peer.PublishOptions{})
	a.await(ctx, publisher, 1)
	alice.Publish(serving)
	for shard := range 3 {
		bob := testkit.NewClient(t, testkit.ClientConfig{TCP: true})
		viewer := a.on(shard).subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 20)
		if st := must[peer.Stats](t)(viewer.Stats(ctx)); !strings.HasPrefix(st.RemoteCandidate, "tcp ") {
			t.Errorf("bob is reached by %s, want tcp", st.RemoteCandidate)
		}
	}
}

// TestRelayOnShards: wherever an allocation is read, its client is answered, and its end leaves nothing.
func TestRelayOnShards(t *testing.T) {
	a, at, ctx := onKernel(t, 3)
	for shard := range 3 {
		e, own := a.on(shard).receiving(ctx, "alice")
		replies := make(chan []byte, 8)
		relayed := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), uint16(50000+shard))
		relay := a.shards.OpenRelay(relayed, func(from netip.AddrPort, b []byte) { replies <- append([]byte(nil), b...) })
		if !a.shards.Serves(at) {
			t.Fatalf("%v is not ours", at)
		}
		if err := relay.Packet(ctx, at, own.request(t, nominate)); err != nil {
			t.Fatal(err)
		}
		m := &stun.Message{Raw: <-replies}
		if err := m.Decode(); err != nil || m.Type != stun.BindingSuccess {
			t.Fatalf("the relay got %v, %v", m, err)
		}
		if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "relay "+relayed.String() {
			t.Errorf("selected %q, want the relay", st.RemoteCandidate)
		}
		relay.Close()
		if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "" {
			t.Errorf("a closed relay is still selected: %q", st.RemoteCandidate)
		}
		for i := range 3 {
			a.pause = func() {}
			a.crossed(ctx, i, 0, 0)
		}
	}
}
