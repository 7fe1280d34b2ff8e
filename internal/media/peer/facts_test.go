package peer_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

func factsOf(t *testing.T, ctx context.Context, e *peer.Endpoint) peer.Facts {
	t.Helper()
	return must[peer.Facts](t)(e.Facts(ctx))
}

// track is the fact of a kind, received or sent.
func track(t *testing.T, f peer.Facts, kind string, sends bool) peer.TrackFacts {
	t.Helper()
	i := slices.IndexFunc(f.Tracks, func(tr peer.TrackFacts) bool { return tr.Kind == kind && tr.Sends == sends })
	if i < 0 {
		t.Fatalf("no %s track (sends %v) in %+v", kind, sends, f.Tracks)
	}
	return f.Tracks[i]
}

// TestFactsOfACall: every fact of a publisher and a viewer between whom all is well, and then none is.
func TestFactsOfACall(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		if f := factsOf(t, ctx, publisher); track(t, f, "video", false).Latest != peer.Never || f.Age < 0 || f.Age > time.Second {
			t.Errorf("before the first picture: %+v", f)
		}
		sending, stop := context.WithCancel(ctx)
		alice.Publish(sending)
		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 500)
		time.Sleep(time.Second) // bob's last report is about all of them
		synctest.Wait()

		f := factsOf(t, ctx, publisher)
		if f.State != peer.Connected || f.Reason != "" || f.Broken != "" || f.Fingerprint || f.Attempts != 1 || f.Hellos < 2 ||
			!strings.HasPrefix(f.Cipher, "SRTP_") || f.Forged != 0 || f.WrongPassword != 0 || f.WrongFragment != 0 {
			t.Errorf("a connected publisher: %+v", f)
		}
		if f.Heard < 0 || f.Heard > 50*time.Millisecond || f.Consent < 0 || f.Consent > 5*time.Second || f.Age < 5*time.Second || f.Age > 10*time.Second {
			t.Errorf("heard %v ago, consent %v old, descriptions %v", f.Heard, f.Consent, f.Age)
		}
		if len(f.Offered) != 2 || !strings.Contains(f.Offered[0], " udp ") || !strings.Contains(f.Offered[1], "tcptype passive") {
			t.Errorf("offered %q", f.Offered)
		}
		if len(f.Paths) != 1 || f.Moved != 0 || len(f.Moves) != 0 {
			t.Fatalf("paths %+v, moves %+v: want one, none", f.Paths, f.Moves)
		}
		p := f.Paths[0]
		if p.Protocol != "udp" || !p.Selected || !p.Nominated || p.Checks < 2 || p.Heard != f.Heard || p.Remote.Addr() != netip.MustParseAddr("10.0.0.2") {
			t.Errorf("path %+v", p)
		}
		in, sound := track(t, f, "video", false), track(t, f, "audio", false)
		if in.Codec != "VP8" || in.Received.Packets < 500 || in.Received.Octets < 500_000 || in.Received.Largest < 1000+12 || in.Received.Largest > 1100 ||
			in.Latest < 0 || in.Latest > 50*time.Millisecond || in.Received.Lost != 0 || in.Received.Keyframes == 0 || in.Received.KeyframeRequests == 0 {
			t.Errorf("received %+v", in)
		}
		if sound.Codec != "opus" || sound.Received.Packets < 200 || sound.Latest < 0 {
			t.Errorf("received %+v", sound)
		}

		f = factsOf(t, ctx, viewer)
		out := track(t, f, "video", true)
		if out.Sent.Packets < 500 || out.Sent.Largest < 1012 || out.Latest < 0 || out.Latest > 50*time.Millisecond || out.Sent.Reports < 3 ||
			out.Reported < 0 || out.Reported > 2*time.Second || out.Sent.Lost != 0 || out.Sent.FractionLost != 0 ||
			out.Sent.RTT < 20*time.Millisecond || out.Sent.RTT > 30*time.Millisecond {
			t.Errorf("sent %+v", out)
		}
		if behind := int64(out.Sent.Packets) - out.Sent.Report.Heard; behind < 0 || behind > 200 {
			t.Errorf("bob has heard of %d packets of %d", out.Sent.Report.Heard, out.Sent.Packets)
		}
		if f.Heard < 0 || f.Heard > 2*time.Second {
			t.Errorf("bob was heard %v ago; he reports every second", f.Heard)
		}

		stop() // alice's camera stops, and then the network
		l.cut.Store(true)
		time.Sleep(10 * time.Second)
		f = factsOf(t, ctx, publisher)
		if got := track(t, f, "video", false).Latest; f.Heard < 9*time.Second || f.Consent < 9*time.Second || got < 9*time.Second {
			t.Errorf("10 s after the cut: heard %v ago, consent %v old, picture %v", f.Heard, f.Consent, got)
		}
		s.await(ctx, publisher, 2)
		if f = factsOf(t, ctx, publisher); f.State != peer.Failed || !strings.Contains(f.Reason, "30 s") {
			t.Errorf("after 30 s: %s (%s)", f.State, f.Reason)
		}
	})
}

// TestFactsOfLoss: what is lost on the way to and from us is told by both sides.
func TestFactsOfLoss(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		alice.Publish(ctx)
		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 30)
		count := 0
		drop := func(d dropArgs) bool {
			if socket.Classify(d.Bytes) != socket.RTP || len(d.Bytes) < 900 {
				return false
			}
			count++
			return count%20 == 0
		}
		l.drop.Store(&drop)
		bob.WaitPackets(ctx, "video", 600)
		in := track(t, factsOf(t, ctx, publisher), "video", false).Received
		out := track(t, factsOf(t, ctx, viewer), "video", true).Sent
		if in.Lost < 10 || in.NACKed < 10 || !in.Measured || in.RTT < 20*time.Millisecond || in.RTT > 200*time.Millisecond {
			t.Errorf("received with loss: %+v", in)
		}
		if out.Lost < 1 || out.NACKed < 10 || out.FractionLost == 0 || out.FractionLost > 0.3 {
			t.Errorf("sent with loss: %+v", out)
		}
	})
}

// TestFactsBeforeTheClient: of an endpoint that waits for its client.
func TestFactsBeforeTheClient(t *testing.T) {
	s, ctx := onLoopback(t)
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice", Loopback: true}))
	f := factsOf(t, ctx, e)
	if f.State != peer.Opened || f.Age != peer.Never || f.Consent != peer.Never || f.Heard != peer.Never || len(f.Offered) != 0 {
		t.Errorf("just opened: %+v", f)
	}
	_, tracks := s.publish(ctx, "alice", testkit.NewClient(t, testkit.ClientConfig{}), peer.PublishOptions{})
	d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks}))
	f = factsOf(t, ctx, e)
	if f.Age != peer.Never || len(f.Offered) == 0 || f.Offered[0] != d.Candidates[0].Candidate {
		t.Errorf("offered: %+v", f)
	}
	if out := track(t, f, "video", true); out.Latest != peer.Never || out.Reported != peer.Never || out.Former != peer.Never {
		t.Errorf("before it is connected: %+v", out)
	}
	const trickled = "candidate:1 1 udp 1 192.0.2.7 9 typ host"
	if err := e.Signalled(ctx, trickled); err != nil {
		t.Fatal(err)
	}
	bob := testkit.NewClient(t, testkit.ClientConfig{})
	if err := e.Answer(ctx, bob.Answer(d.SDP)); err != nil {
		t.Fatal(err)
	}
	s.await(ctx, e, 1)
	if f = factsOf(t, ctx, e); f.Age == peer.Never || f.Consent == peer.Never || !slices.Contains(f.Signalled, trickled) {
		t.Errorf("answered: %+v", f)
	}
}

// TestFactsOfWrongCredentials: whose fault it is that checks do not verify. Nothing else comes of them.
func TestFactsOfWrongCredentials(t *testing.T) {
	s, tp, ctx := tapped(t)
	e, own := s.receiving(ctx, "alice")
	c := s.talk(tp.LocalAddr())
	wrong := own
	wrong.pwd = strings.ReplaceAll(own.pwd, own.pwd[:1], " ")
	restarted := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(own.ufrag+":te st"),
		stun.NewShortTermIntegrity(own.pwd), stun.Fingerprint).Raw
	for _, b := range [][]byte{wrong.request(t), wrong.request(t, nominate), restarted} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	for {
		f := factsOf(t, ctx, e)
		if f.WrongPassword == 2 && f.WrongFragment == 1 {
			if len(f.Paths) != 0 || f.State != peer.Opened || f.Consent != peer.Never {
				t.Errorf("after checks that did not verify: %+v", f)
			}
			break
		}
	}
	if _, err := c.Write(own.request(t)); err != nil {
		t.Fatal(err)
	}
	s.until(ctx, e, func(st peer.Stats) bool { return st.State == peer.Checking })
	f := factsOf(t, ctx, e)
	if len(f.Paths) != 1 || f.Paths[0].Checks != 1 || f.Paths[0].Nominated || !f.Paths[0].Selected || f.Paths[0].Local != tp.LocalAddr() {
		t.Errorf("after one that did: %+v", f.Paths)
	}
	if _, err := c.Write(own.request(t, nominate)); err != nil {
		t.Fatal(err)
	}
	for f.Paths[0].Checks != 2 {
		f = factsOf(t, ctx, e)
	}
	if !f.Paths[0].Nominated || f.Heard != peer.Never {
		t.Errorf("after a nomination: %+v", f)
	}
}

// TestFactsOfWrongPasswordsCross: the endpoint's shard learns of them wherever they come, of a few each second.
func TestFactsOfWrongPasswordsCross(t *testing.T) {
	inShards(t, 2, func(ctx context.Context, l *lab, a *across) {
		e, own := a.on(1).receiving(ctx, "alice")
		own.pwd = "not the password at all"
		conn, err := l.nets[2].Dial("udp4", serverIP+":4443")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 100 {
			if _, err := conn.Write(own.request(t)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond)
		f := factsOf(t, ctx, e)
		if f.WrongPassword < 16 || f.WrongPassword > 32 {
			t.Errorf("%d of 100 wrong passwords within a second or two were reported, want 16 for each", f.WrongPassword)
		}
	})
}

// TestFactsOf several endpoints come in their order, whichever shards have them.
func TestFactsOf(t *testing.T) {
	inShards(t, 3, func(ctx context.Context, l *lab, a *across) {
		var endpoints []*peer.Endpoint
		var want []string
		for i := range 100 {
			e := must[*peer.Endpoint](t)(a.on(i%3).Open(ctx, peer.EndpointConfig{Name: "e"}))
			mark := strings.Repeat("x", i)
			if err := e.Signalled(ctx, mark); err != nil {
				t.Fatal(err)
			}
			endpoints, want = append(endpoints, e), append(want, mark)
		}
		list := must[[]peer.Facts](t)(peer.FactsOf(ctx, endpoints))
		for i := range list {
			if len(list[i].Signalled) != 1 || list[i].Signalled[0] != want[i] {
				t.Fatalf("facts %d are another's", i)
			}
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if list, err := peer.FactsOf(ended, endpoints); err == nil || list != nil {
			t.Errorf("after the end of its context: %d facts, %v", len(list), err)
		}
	})
}
