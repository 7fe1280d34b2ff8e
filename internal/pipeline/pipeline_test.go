package pipeline_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/pipeline"
	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// graph is a pipeline on a shard of the loopback interface.
type graph struct {
	*pipeline.Pipeline
	t      *testing.T
	shard  *peer.Shard
	events chan mediactl.Event
}

func open(t *testing.T) (graph, context.Context) {
	t.Helper()
	shard, ctx := testkit.Shard(t)
	g := graph{t: t, shard: shard, events: make(chan mediactl.Event, 64)}
	g.Pipeline = pipeline.New("s", shard, func(e mediactl.Event) { g.events <- e })
	return g, ctx
}

var here = mediactl.Peer{Loopback: true}

func (g graph) client() *testkit.Client { return testkit.NewClient(g.t, testkit.ClientConfig{}) }

func (g graph) publish(ctx context.Context, name string, c *testkit.Client, reconnect bool) mediactl.Description {
	g.t.Helper()
	d, err := g.Publish(ctx, mediactl.Publish{Session: "s", Endpoint: name, Offer: c.PublishOffer(testkit.VP8), Peer: here, Reconnect: reconnect})
	if err != nil {
		g.t.Fatal(err)
	}
	c.Accept(d.SDP)
	c.Publish(ctx)
	g.await(ctx, name, mediactl.Connected)
	return d
}

func (g graph) subscribe(ctx context.Context, name, source string, c *testkit.Client) {
	g.t.Helper()
	d, err := g.Subscribe(ctx, mediactl.Subscribe{Session: "s", Endpoint: name, Source: source, Offer: c.SubscribeOffer(), Peer: here})
	if err != nil {
		g.t.Fatal(err)
	}
	c.Accept(d.SDP)
}

func (g graph) await(ctx context.Context, endpoint string, kind mediactl.EventType) {
	g.t.Helper()
	for {
		select {
		case e := <-g.events:
			if e.Session != "s" {
				g.t.Errorf("event of session %q", e.Session)
			}
			if e.Endpoint == endpoint && e.Type == kind {
				return
			}
		case <-ctx.Done():
			g.t.Fatalf("waiting for %s of %s: %v", kind, endpoint, ctx.Err())
		}
	}
}

func TestMediaFlowsBothWaysOfOffering(t *testing.T) {
	g, ctx := open(t)
	alice, bob, carol := g.client(), g.client(), g.client()
	d := g.publish(ctx, "alice", alice, false)
	if d.Audio != "opus" || d.Video != "VP8" || len(d.Candidates) == 0 || d.Candidates[0].SDPMid != "0" {
		t.Errorf("described as %+v", d)
	}
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
	if err := g.Trickle(ctx, mediactl.Trickle{Endpoint: "bob_alice", Candidate: mediactl.Candidate{Candidate: "candidate:x"}}); err != nil {
		t.Fatal(err)
	}
	stats, err := g.Stats(ctx)
	if err != nil || len(stats) != 3 {
		t.Fatalf("%d endpoints, %v", len(stats), err)
	}
	for i, name := range []string{"alice", "bob_alice", "carol_alice"} {
		if st := stats[i]; st.Endpoint != name || st.State != "connected" || st.Packets == 0 || st.Bytes == 0 || st.LocalSDP == "" ||
			!strings.HasPrefix(st.RemoteCandidate, "udp 127.0.0.1:") {
			t.Errorf("stats %+v", st)
		}
	}
	if got := stats[1].Signalled; len(got) == 0 || got[len(got)-1].Candidate != "candidate:x" {
		t.Errorf("signalled %v", got)
	}
}

// TestUnknownEndpoints are an error where something is expected of them, and none where they are to go.
func TestUnknownEndpoints(t *testing.T) {
	g, ctx := open(t)
	for what, err := range map[string]error{
		"answer":  g.Answer(ctx, mediactl.Answer{Endpoint: "nobody"}),
		"trickle": g.Trickle(ctx, mediactl.Trickle{Endpoint: "nobody"}),
		"source": func() error {
			_, err := g.Subscribe(ctx, mediactl.Subscribe{Endpoint: "bob_nobody", Source: "nobody"})
			return err
		}(),
	} {
		if !fault.Is(err, fault.StreamNotFound) || !strings.Contains(err.Error(), "nobody") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := g.Release(ctx, "nobody"); err != nil {
		t.Errorf("release: %v", err)
	}
	if stats, err := g.Stats(ctx); err != nil || len(stats) != 0 {
		t.Errorf("%d endpoints, %v", len(stats), err)
	}
}

// TestASubscriptionIsNoSource: only who publishes can be subscribed to.
func TestASubscriptionIsNoSource(t *testing.T) {
	g, ctx := open(t)
	g.publish(ctx, "alice", g.client(), false)
	g.subscribe(ctx, "bob_alice", "alice", g.client())
	_, err := g.Subscribe(ctx, mediactl.Subscribe{Endpoint: "carol_bob", Source: "bob_alice", Offer: g.client().SubscribeOffer()})
	if !fault.Is(err, fault.StreamNotFound) {
		t.Errorf("subscribed to a subscription: %v", err)
	}
}

// TestRefusedOfferChangesNothing: whoever publishes goes on when an offer to replace it is no good.
func TestRefusedOfferChangesNothing(t *testing.T) {
	g, ctx := open(t)
	bob := g.client()
	g.publish(ctx, "alice", g.client(), false)
	for _, reconnect := range []bool{false, true} {
		_, err := g.Publish(ctx, mediactl.Publish{Endpoint: "alice", Offer: "hello", Reconnect: reconnect})
		if !fault.Is(err, fault.SDPInvalid) {
			t.Errorf("garbage: %v", err)
		}
	}
	if _, err := g.Publish(ctx, mediactl.Publish{Endpoint: "alice", Offer: g.client().PublishOffer(testkit.VP8),
		Policy: mediactl.Policy{Video: []string{"H266"}, Strict: true}}); !fault.Is(err, fault.CodecMismatch) {
		t.Errorf("no common codec: %v", err)
	}
	g.subscribe(ctx, "bob_alice", "alice", bob)
	bob.WaitPackets(ctx, "video", 10)
	if stats, err := g.Stats(ctx); err != nil || len(stats) != 2 {
		t.Errorf("%d endpoints, %v; want 2", len(stats), err)
	}
}

// TestReconnect: viewers of a publisher that comes back notice nothing but a pause.
func TestReconnect(t *testing.T) {
	g, ctx := open(t)
	alice, again, bob := g.client(), g.client(), g.client()
	g.publish(ctx, "alice", alice, false)
	g.subscribe(ctx, "bob_alice", "alice", bob)
	bob.WaitPackets(ctx, "video", 10)
	alice.Close()
	g.publish(ctx, "alice", again, true)
	bob.WaitPackets(ctx, "video", 10)
	bob.WaitPackets(ctx, "audio", 5)
	ssrcs := map[uint32]bool{}
	for _, h := range bob.Headers("video") {
		ssrcs[h.SSRC] = true
	}
	if len(ssrcs) != 1 {
		t.Errorf("bob saw %d streams, want one", len(ssrcs))
	}
}

// TestRepublish without reconnect makes new tracks: who watched the old ones must subscribe again.
func TestRepublish(t *testing.T) {
	g, ctx := open(t)
	bob, carol := g.client(), g.client()
	g.publish(ctx, "alice", g.client(), false)
	g.subscribe(ctx, "bob_alice", "alice", bob)
	bob.WaitPackets(ctx, "video", 10)
	g.publish(ctx, "alice", g.client(), false)
	g.subscribe(ctx, "carol_alice", "alice", carol)
	carol.WaitPackets(ctx, "video", 10)
	if stats, err := g.Stats(ctx); err != nil || len(stats) != 3 {
		t.Errorf("%d endpoints, %v; want 3", len(stats), err)
	}
}

// TestResubscribeEndsTheOldTransport, and tells its client so.
func TestResubscribeEndsTheOldTransport(t *testing.T) {
	g, ctx := open(t)
	bob, again := g.client(), g.client()
	g.publish(ctx, "alice", g.client(), false)
	g.subscribe(ctx, "bob_alice", "alice", bob)
	bob.WaitPackets(ctx, "video", 10)
	g.subscribe(ctx, "bob_alice", "alice", again)
	again.WaitPackets(ctx, "video", 10)
	bob.Wait(ctx, "BYE", bob.HasRTCP("Goodbye"))
	if stats, err := g.Stats(ctx); err != nil || len(stats) != 2 {
		t.Errorf("%d endpoints, %v; want 2", len(stats), err)
	}
}

func TestRelease(t *testing.T) {
	g, ctx := open(t)
	bob, carol := g.client(), g.client()
	g.publish(ctx, "alice", g.client(), false)
	g.subscribe(ctx, "bob_alice", "alice", bob)
	g.subscribe(ctx, "carol_alice", "alice", carol)
	bob.WaitPackets(ctx, "video", 10)
	carol.WaitPackets(ctx, "video", 10)
	for range 2 {
		if err := g.Release(ctx, "bob_alice"); err != nil {
			t.Fatal(err)
		}
	}
	bob.Wait(ctx, "BYE", bob.HasRTCP("Goodbye"))
	carol.WaitPackets(ctx, "video", 10)

	if err := g.ReleaseAll(ctx); err != nil {
		t.Fatal(err)
	}
	carol.Wait(ctx, "BYE", carol.HasRTCP("Goodbye"))
	if stats, err := g.Stats(ctx); err != nil || len(stats) != 0 {
		t.Errorf("%d endpoints, %v; want none", len(stats), err)
	}
	// What was being negotiated meanwhile must not stay behind in a graph that nobody will release again.
	if _, err := g.Publish(ctx, mediactl.Publish{Endpoint: "late", Offer: g.client().PublishOffer(testkit.VP8)}); !fault.Is(err, fault.SessionClosed) {
		t.Errorf("published in a released session: %v", err)
	}
	if stats, err := g.Stats(ctx); err != nil || len(stats) != 0 {
		t.Errorf("%d endpoints, %v; want none", len(stats), err)
	}
	if err := g.ReleaseAll(ctx); err != nil {
		t.Errorf("releasing twice: %v", err)
	}
}

// TestFailureIsReported with its reason, under the endpoint's name.
func TestFailureIsReported(t *testing.T) {
	g, ctx := open(t)
	alice := g.client()
	offer := alice.PublishOffer(testkit.VP8)
	at := strings.Index(offer, "a=fingerprint:sha-256 ") + len("a=fingerprint:sha-256 ")
	genuine := offer[at : at+95]
	offer = strings.ReplaceAll(offer, genuine, strings.Repeat("AB:", 31)+"AB")
	d, err := g.Publish(ctx, mediactl.Publish{Endpoint: "alice", Offer: offer, Peer: here})
	if err != nil {
		t.Fatal(err)
	}
	alice.Accept(d.SDP)
	select {
	case e := <-g.events:
		if e.Type != mediactl.Failed || e.Endpoint != "alice" || e.Session != "s" || !strings.Contains(e.Reason, "certificate") {
			t.Errorf("event %+v", e)
		}
	case <-ctx.Done():
		t.Fatal("no event")
	}
}

// TestPolicyReachesTheTransport: the limit of what a publisher may send stands in its answer.
func TestPolicyReachesTheTransport(t *testing.T) {
	g, ctx := open(t)
	d, err := g.Publish(ctx, mediactl.Publish{Endpoint: "alice", Offer: g.client().PublishOffer(testkit.VP8),
		Policy: mediactl.Policy{MaxRecvKbps: 321}})
	if err != nil || strings.Count(d.SDP, "b=AS:321\r\n") != 1 {
		t.Errorf("%v\n%s", err, d.SDP)
	}
	d, err = g.Publish(ctx, mediactl.Publish{Endpoint: "bob", Offer: strings.ReplaceAll(g.client().PublishOffer(testkit.VP8), "sendonly", "sendrecv"), Loopback: true})
	if err != nil || strings.Count(d.SDP, "a=sendrecv\r\n") != 2 {
		t.Errorf("%v\n%s", err, d.SDP)
	}
}

// TestAForcedCodecIsTheViewersToo: a viewer without the codec is refused if it was asked for by name, else it hears; one
// that wants no video is no concern of it (spec openvidu-signaling §4.5, §6.7).
func TestAForcedCodecIsTheViewersToo(t *testing.T) {
	g, ctx := open(t)
	g.publish(ctx, "alice", g.client(), false)
	without := func(offer string) string { return strings.ReplaceAll(offer, "VP8/90000", "H266/90000") }
	noVideo := func(offer string) string {
		head, video, _ := strings.Cut(offer, "m=video")
		return head + "m=video" + strings.Replace(video, "a=recvonly", "a=inactive", 1)
	}
	for name, c := range map[string]struct {
		change func(string) string
		strict bool
		kind   fault.Kind
	}{
		"another codec":         {without, true, fault.CodecMismatch},
		"another, not by name":  {without, false, ""},
		"the codec":             {strings.Clone, true, ""},
		"no video is asked for": {noVideo, true, ""},
	} {
		d, err := g.Subscribe(ctx, mediactl.Subscribe{Session: "s", Endpoint: "bob", Source: "alice", Peer: here,
			Offer: c.change(g.client().SubscribeOffer()), Policy: mediactl.Policy{Strict: c.strict}})
		if c.kind == "" && (err != nil || !strings.Contains(d.SDP, "a=sendonly")) || c.kind != "" && !fault.Is(err, c.kind) {
			t.Errorf("%s: %v\n%s", name, err, d.SDP)
		}
	}
}

// TestLoopbackCandidates are for clients on this machine alone.
func TestLoopbackCandidates(t *testing.T) {
	g, ctx := open(t)
	for loopback, want := range map[bool]int{true: 1, false: 0} {
		d, err := g.Publish(ctx, mediactl.Publish{Endpoint: "alice", Offer: g.client().PublishOffer(testkit.VP8), Peer: mediactl.Peer{Loopback: loopback}})
		if err != nil || len(d.Candidates) != want || strings.Contains(d.SDP, "127.0.0.1 ") && !loopback && strings.Contains(d.SDP, "a=candidate") {
			t.Errorf("loopback %v: %d candidates, %v", loopback, len(d.Candidates), err)
		}
	}
}

// TestEndedShard: every call says so, none hangs.
func TestEndedShard(t *testing.T) {
	g, ctx := open(t)
	conn, err := socket.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shard, err := peer.New(peer.Config{Socket: conn, Addresses: func() socket.Addresses { return socket.Addresses{} },
		Certificate: testkit.Certificate(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := shard.Run(ended); err != nil {
		t.Fatal(err)
	}
	p := pipeline.New("s", shard, func(mediactl.Event) {})
	if _, err := p.Publish(ctx, mediactl.Publish{Endpoint: "alice", Offer: g.client().PublishOffer(testkit.VP8)}); !fault.Is(err, fault.MediaFailed) {
		t.Errorf("published on an ended shard: %v", err)
	}
	if err := p.ReleaseAll(ctx); err != nil {
		t.Errorf("nothing to release: %v", err)
	}
}
