package peer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/sdp"
	"tertulia/internal/testkit"
)

// TestKMS_18b__MangledOffersConnect: a client whose credentials have '+' connects although its application made spaces of
// them, wherever they were, and the repairs are told.
func TestKMS_18b__MangledOffersConnect(t *testing.T) {
	for i, ufrag := range []string{"ab+cd", "+bcd", "abc+", "++++"} {
		t.Run(ufrag, func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab, s *server) {
				pwd := fmt.Sprintf("+bcdefghijk+mnopqrstuvw%d+", i)
				alice := l.client(testkit.ClientConfig{Tune: func(e *webrtc.SettingEngine) { e.SetICECredentials(ufrag, pwd) }})
				offer := alice.PublishOffer(testkit.VP8)
				e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice"}))
				d := must[peer.Description](t)(e.AcceptPublish(ctx, strings.ReplaceAll(offer, "+", " "), peer.PublishOptions{}))
				alice.Accept(d.SDP)
				if event := s.await(ctx, e, 1); event.State != peer.Connected {
					t.Fatalf("event %+v", event)
				}
				f := factsOf(t, ctx, e)
				if len(f.Repairs) != 4 || f.WrongFragment != 0 { // two in each section
					t.Fatalf("repairs %v, %d checks with another fragment", f.Repairs, f.WrongFragment)
				}
				for _, r := range f.Repairs {
					if line := strings.Split(offer, "\r\n")[r.Line-1]; r.What != sdp.Plus || !strings.HasPrefix(line, "a=ice-") {
						t.Errorf("repair %+v of %q", r, line)
					}
				}
			})
		})
	}
}

// TestKMS_18b__MangledAnswerConnects: as much is done for a client that answers our offer.
func TestKMS_18b__MangledAnswerConnects(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice := l.client(testkit.ClientConfig{})
		bob := l.client(testkit.ClientConfig{Tune: func(e *webrtc.SettingEngine) { e.SetICECredentials("a+b+", "+bcdefghijk+mnopqrstuvwx") }})
		_, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice"}))
		d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks}))
		if err := e.Answer(ctx, strings.ReplaceAll(bob.Answer(d.SDP), "+", " ")); err != nil {
			t.Fatal(err)
		}
		if event := s.await(ctx, e, 1); event.State != peer.Connected || len(factsOf(t, ctx, e).Repairs) != 4 {
			t.Errorf("event %+v, repairs %v", event, factsOf(t, ctx, e).Repairs)
		}
	})
}

// TestKMS_18b__OurOwnAreNotMangled: nothing in our credentials is changed by any encoding, and answers and offers of ours
// come through form decoding as they are.
func TestKMS_18b__OurOwnAreNotMangled(t *testing.T) {
	s, ctx := onLoopback(t)
	_, tracks := s.publish(ctx, "alice", testkit.NewClient(t, testkit.ClientConfig{}), peer.PublishOptions{})
	for range 200 {
		e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice", Loopback: true}))
		d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks}))
		for _, key := range []string{"ice-ufrag", "ice-pwd"} {
			if value := attribute(t, d.SDP, key); strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" || len(value) < 8 {
				t.Fatalf("a=%s:%s is not base32", key, value)
			}
		}
		if i := strings.IndexAny(d.SDP, "+%&"); i >= 0 {
			t.Fatalf("our offer has %q, which form decoding changes:\n%s", d.SDP[i], d.SDP)
		}
		if err := e.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKMS_18b__RefusedByName: the error that reaches the application names the line.
func TestKMS_18b__RefusedByName(t *testing.T) {
	s, ctx := onLoopback(t)
	offer := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
	spoiled := strings.ReplaceAll(offer, "a=ice-ufrag:", "a=ice-ufrag:<b>")
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice"}))
	_, err := e.AcceptPublish(ctx, spoiled, peer.PublishOptions{})
	line := strings.Count(spoiled[:strings.Index(spoiled, "a=ice-ufrag:")], "\n") + 1
	if !fault.Is(err, fault.SDPInvalid) || !strings.Contains(err.Error(), fmt.Sprintf("line %d: a=ice-ufrag", line)) {
		t.Errorf("refused with %v, want sdp_invalid that names line %d", err, line)
	}
}
