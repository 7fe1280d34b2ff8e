package pipeline_test

import (
	"context"
	"net/netip"
	"testing"

	"tertulia/internal/pipeline"
	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// spread is a pipeline whose endpoints are spread over two shards one by one, as blocks of endpoints are in a large
// session; what they send is read by the second shard.
func spread(t *testing.T) (graph, context.Context) {
	t.Helper()
	shards, ctx := testkit.Shards(t, 2, func(netip.AddrPort) int { return 1 })
	g := graph{t: t, events: make(chan mediactl.Event, 64)}
	g.Pipeline = pipeline.New("s", shards, func(e mediactl.Event) { g.events <- e })
	return g, ctx
}

func TestMediaFlowsBetweenShards(t *testing.T) {
	g, ctx := spread(t)
	alice, bob, carol := g.client(), g.client(), g.client()
	g.publish(ctx, "alice", alice, false)
	g.subscribe(ctx, "bob_alice", "alice", bob)
	offer, err := g.Subscribe(ctx, mediactl.Subscribe{Endpoint: "carol_alice", Source: "alice", Audio: true, Video: true, Peer: here})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Answer(ctx, mediactl.Answer{Endpoint: "carol_alice", SDP: carol.Answer(offer.SDP)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*testkit.Client{bob, carol} {
		c.WaitPackets(ctx, "video", 10)
		c.WaitPackets(ctx, "audio", 5)
	}
	if err := g.ReleaseAll(ctx); err != nil {
		t.Fatal(err)
	}
	bob.Wait(ctx, "BYE", bob.HasRTCP("Goodbye"))
}

// TestReconnectBetweenShards: a publisher comes back to the shard its viewers get their tracks from, wherever there is
// more room.
func TestReconnectBetweenShards(t *testing.T) {
	g, ctx := spread(t)
	alice, bob := g.client(), g.client()
	g.publish(ctx, "alice", alice, false)
	g.subscribe(ctx, "bob_alice", "alice", bob)
	bob.WaitPackets(ctx, "video", 10)
	for range 2 {
		alice.Close()
		alice = g.client()
		g.publish(ctx, "alice", alice, true)
		bob.WaitPackets(ctx, "video", 10)
		bob.WaitPackets(ctx, "audio", 5)
	}
	ssrcs := map[uint32]bool{}
	for _, h := range bob.Headers("video") {
		ssrcs[h.SSRC] = true
	}
	if len(ssrcs) != 1 {
		t.Errorf("bob saw %d streams, want one", len(ssrcs))
	}
}
