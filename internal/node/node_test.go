package node_test

import (
	"context"
	"strings"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/node"
	"tertulia/internal/pipeline"
	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// lone is a node on the loopback interface, and what it reported.
type lone struct {
	*node.Node
	t      *testing.T
	events chan mediactl.Event
}

func start(t *testing.T, maxSessions int) (lone, context.Context) {
	t.Helper()
	shard, ctx := testkit.Shard(t)
	return startOn(t, shard, maxSessions), ctx
}

func startOn(t *testing.T, shard *peer.Shard, maxSessions int) lone {
	l := lone{t: t, events: make(chan mediactl.Event, 64)}
	l.Node = node.New(node.Config{MaxSessions: maxSessions, Pipeline: func(id string) *pipeline.Pipeline {
		return pipeline.New(id, shard, func(e mediactl.Event) { l.events <- e })
	}})
	return l
}

func local() mediactl.Peer { return mediactl.Peer{Loopback: true} }

// publish connects a client that publishes under a name.
func (l lone) publish(ctx context.Context, name string, c *testkit.Client, reconnect bool) mediactl.Description {
	l.t.Helper()
	d, err := l.Publish(ctx, mediactl.Publish{
		Session: "s", Endpoint: name, Offer: c.PublishOffer(testkit.VP8), Peer: local(), Reconnect: reconnect,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	c.Accept(d.SDP)
	c.Publish(ctx)
	return d
}

func (l lone) connected(ctx context.Context, endpoint string) {
	l.t.Helper()
	for {
		select {
		case e := <-l.events:
			if e.Session == "s" && e.Endpoint == endpoint && e.Type == mediactl.Connected {
				return
			}
		case <-ctx.Done():
			l.t.Fatalf("%s was never reported as connected", endpoint)
		}
	}
}

func TestACallThroughANode(t *testing.T) {
	l, ctx := start(t, 0)
	alice, bob, carol := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	d := l.publish(ctx, "alice", alice, false)
	if d.Audio != "opus" || d.Video != "VP8" || len(d.Candidates) == 0 || !strings.HasPrefix(d.Candidates[0].Candidate, "candidate:") {
		t.Errorf("description %+v: want opus, VP8 and candidates", d)
	}
	l.connected(ctx, "alice")

	// Bob offers, Carol is offered.
	d, err := l.Subscribe(ctx, mediactl.Subscribe{
		Session: "s", Endpoint: "bob_alice", Source: "alice", Offer: bob.SubscribeOffer(), Peer: local(), Audio: true, Video: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	bob.Accept(d.SDP)
	d, err = l.Subscribe(ctx, mediactl.Subscribe{
		Session: "s", Endpoint: "carol_alice", Source: "alice", Peer: local(), Audio: true, Video: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Answer(ctx, mediactl.Answer{Session: "s", Endpoint: "carol_alice", SDP: carol.Answer(d.SDP)}); err != nil {
		t.Fatal(err)
	}
	trickled := mediactl.Candidate{Candidate: "candidate:1 1 udp 1 192.0.2.7 9 typ host"}
	if err := l.Trickle(ctx, mediactl.Trickle{Session: "s", Endpoint: "carol_alice", Candidate: trickled}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*testkit.Client{bob, carol} {
		c.WaitPackets(ctx, "video", 20)
		c.WaitPackets(ctx, "audio", 5)
	}

	stats, err := l.Stats(ctx, "s")
	if err != nil || len(stats) != 3 {
		t.Fatalf("stats %+v, %v: want three endpoints", stats, err)
	}
	names := []string{"alice", "bob_alice", "carol_alice"}
	for i, st := range stats {
		if st.Endpoint != names[i] || st.State != "connected" || st.Packets == 0 || st.Bytes == 0 || st.LocalCandidate == "" {
			t.Errorf("stats %+v: want %s, connected, with traffic", st, names[i])
		}
	}
	facts, err := l.Facts(ctx, "s", "")
	if err != nil || len(facts) != 3 {
		t.Fatalf("facts %+v, %v: want three endpoints'", facts, err)
	}
	for i, f := range facts {
		if f.Session != "s" || f.Endpoint != names[i] || (f.Source == "alice") != (i > 0) || f.State != "connected" ||
			len(f.Tracks) != 2 || len(f.Paths) == 0 || f.Paths[0].Protocol != "udp" || f.Paths[0].Local == "" || f.Cipher == "" {
			t.Errorf("facts %+v of %s", f, names[i])
		}
		for _, track := range f.Tracks {
			if track.Sends != (i > 0) || track.Packets == 0 || track.Octets == 0 || track.Largest == 0 || track.Latest < 0 || track.Latest > 1000 {
				t.Errorf("%s: %+v", names[i], track)
			}
		}
	}
	if one, err := l.Facts(ctx, "s", "bob_alice"); err != nil || len(one) != 1 || one[0].Endpoint != "bob_alice" {
		t.Errorf("facts of one: %+v, %v", one, err)
	}
	for _, unknown := range [][2]string{{"s", "nobody"}, {"other", ""}} {
		if none, err := l.Facts(ctx, unknown[0], unknown[1]); err != nil || len(none) != 0 {
			t.Errorf("facts of %v: %+v, %v", unknown, none, err)
		}
	}
	found := false
	for _, c := range stats[2].Signalled {
		found = found || c.Candidate == trickled.Candidate
	}
	if !found {
		t.Errorf("the trickled candidate is not among %v", stats[2].Signalled)
	}
}

func TestAPublisherReconnects(t *testing.T) {
	l, ctx := start(t, 0)
	bob := testkit.NewClient(t, testkit.ClientConfig{})
	first, again := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	l.publish(ctx, "alice", first, false)
	d, err := l.Subscribe(ctx, mediactl.Subscribe{
		Session: "s", Endpoint: "bob_alice", Source: "alice", Offer: bob.SubscribeOffer(), Peer: local(), Audio: true, Video: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	bob.Accept(d.SDP)
	bob.WaitPackets(ctx, "video", 20)
	first.Close()

	l.publish(ctx, "alice", again, true)
	seen := len(bob.Headers("video"))
	bob.WaitPackets(ctx, "video", seen+20)
	headers := bob.Headers("video")
	for i, h := range headers {
		if h.SSRC != headers[0].SSRC {
			t.Fatalf("packet %d has SSRC %d, the first %d: the subscription was not continued", i, h.SSRC, headers[0].SSRC)
		}
	}
	if stats, err := l.Stats(ctx, "s"); err != nil || len(stats) != 2 {
		t.Errorf("%d endpoints, %v: the replaced transport stays", len(stats), err)
	}
}

func TestReleasing(t *testing.T) {
	l, ctx := start(t, 1)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	l.publish(ctx, "alice", alice, false)
	_, err := l.Publish(ctx, mediactl.Publish{Session: "other", Endpoint: "x", Offer: "v=0"})
	if !fault.Is(err, fault.NoCapacity) {
		t.Errorf("a second session on a node for one: %v", err)
	}
	for range 2 { // what is unknown is released already
		if err := l.Release(ctx, mediactl.Release{Session: "s", Endpoint: "alice"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = l.Subscribe(ctx, mediactl.Subscribe{Session: "s", Endpoint: "bob_alice", Source: "alice", Audio: true})
	if !fault.Is(err, fault.StreamNotFound) {
		t.Errorf("subscribing to what was released: %v", err)
	}
	if err := l.Answer(ctx, mediactl.Answer{Session: "s", Endpoint: "nobody", SDP: "v=0"}); !fault.Is(err, fault.StreamNotFound) {
		t.Errorf("answering for an unknown endpoint: %v", err)
	}
	for range 2 {
		if err := l.Release(ctx, mediactl.Release{Session: "s"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Trickle(ctx, mediactl.Trickle{Session: "s", Endpoint: "alice"}); !fault.Is(err, fault.SessionNotFound) {
		t.Errorf("trickling into a released session: %v", err)
	}
	if stats, err := l.Stats(ctx, "s"); err != nil || stats != nil {
		t.Errorf("stats of a released session: %v, %v", stats, err)
	}
}

// TestRefusals leaves nothing behind: neither the refused endpoint nor a dent in its predecessor.
func TestRefusals(t *testing.T) {
	l, ctx := start(t, 0)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	l.publish(ctx, "alice", alice, false)
	l.connected(ctx, "alice")
	forced := mediactl.Policy{Video: []string{"H265"}, Strict: true}
	offer := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
	_, err := l.Publish(ctx, mediactl.Publish{Session: "s", Endpoint: "alice", Offer: offer, Policy: forced})
	if !fault.Is(err, fault.CodecMismatch) {
		t.Errorf("no H.265 offered where it is forced: %v", err)
	}
	_, err = l.Publish(ctx, mediactl.Publish{Session: "s", Endpoint: "bob", Offer: "garbage"})
	if !fault.Is(err, fault.SDPInvalid) {
		t.Errorf("garbage for an offer: %v", err)
	}
	stats, err := l.Stats(ctx, "s")
	if err != nil || len(stats) != 1 || stats[0].State != "connected" {
		t.Errorf("endpoints %+v, %v: want alice's alone, connected", stats, err)
	}

	// Not forced by name, the same offer costs its video only.
	forced.Strict = false
	d, err := l.Publish(ctx, mediactl.Publish{Session: "s", Endpoint: "bob", Offer: offer, Policy: forced})
	if err != nil || d.Audio != "opus" || d.Video != "" {
		t.Errorf("description %+v, %v: want audio alone", d, err)
	}
}

// TestFAQ_01__ReachedAddressIsOffered to the client that came by it; what is no address is as good as none.
func TestFAQ_01__ReachedAddressIsOffered(t *testing.T) {
	l, ctx := start(t, 0)
	for reached, want := range map[string]bool{"203.0.113.5:4443": true, "": false, "nonsense": false, "203.0.113.5": false} {
		client := mediactl.Peer{Loopback: true, Reached: reached}
		offer := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
		d, err := l.Publish(ctx, mediactl.Publish{Session: "s", Endpoint: "alice", Offer: offer, Peer: client})
		if err != nil || strings.Contains(d.SDP, " 203.0.113.5 4443 typ host") != want {
			t.Errorf("reached by %q: %v\n%s", reached, err, d.SDP)
		}
		last := d.Candidates[len(d.Candidates)-1].Candidate
		if strings.Contains(last, "203.0.113.5") != want {
			t.Errorf("reached by %q: the last candidate is %q", reached, last)
		}
		d, err = l.Subscribe(ctx, mediactl.Subscribe{Session: "s", Endpoint: "bob_alice", Source: "alice", Peer: client, Audio: true})
		if err != nil || strings.Contains(d.SDP, " 203.0.113.5 4443 typ host") != want {
			t.Errorf("subscribing, reached by %q: %v\n%s", reached, err, d.SDP)
		}
	}
}
