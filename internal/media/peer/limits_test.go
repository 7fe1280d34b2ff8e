package peer_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/testkit"
)

// dial gives the shard one end of a connection in memory and returns the other; its end is told on the channel.
func dial(ctx context.Context, s *server, ends *sync.WaitGroup) (net.Conn, <-chan error) {
	near, far := net.Pipe()
	ended := make(chan error, 1)
	ends.Go(func() { ended <- s.ServeTCP(ctx, near) })
	return far, ended
}

func TestTCPLimits(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		ctx, cancel := context.WithCancel(ctx)
		var ends sync.WaitGroup
		defer ends.Wait()
		defer cancel()

		silent, ended := dial(ctx, s, &ends)
		start := time.Now()
		<-ended
		if d := time.Since(start); d > 15*time.Second {
			t.Errorf("a silent connection lived %v", d)
		}
		silent.Close()

		long, ended := dial(ctx, s, &ends)
		_, _ = long.Write([]byte{0xff, 0xff, 0})
		if err := <-ended; !fault.Is(err, fault.TooLarge) {
			t.Errorf("a frame of 65,535 bytes ended the connection with %v", err)
		}

		// Whole frames do not prolong a life in which nothing is proven.
		garbage, ended := dial(ctx, s, &ends)
		start = time.Now()
		for {
			if _, err := garbage.Write(append([]byte{0, 30}, make([]byte, 30)...)); err != nil {
				break
			}
			time.Sleep(time.Second)
			if time.Since(start) > time.Minute {
				t.Fatal("a connection that only sends garbage lives on")
			}
		}
		<-ended

		// All pipes have the same address.
		for range 64 {
			dial(ctx, s, &ends)
		}
		if _, err := s.Counters(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_, ended = dial(ctx, s, &ends)
		if err := <-ended; !fault.Is(err, fault.RateLimited) {
			t.Errorf("the 65th connection of an address ended with %v", err)
		}
	})
}

// TestOneNegotiation: OpenVidu never renegotiates; a repair is a new endpoint.
func TestOneNegotiation(t *testing.T) {
	s, ctx := onLoopback(t)
	e, _ := s.receiving(ctx, "alice")
	offer := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
	if _, err := e.AcceptPublish(ctx, offer, peer.PublishOptions{}); !fault.Is(err, fault.MediaFailed) {
		t.Errorf("a second offer: %v", err)
	}
	if err := e.Answer(ctx, strings.ReplaceAll(offer, "actpass", "active")); !fault.Is(err, fault.MediaFailed) {
		t.Errorf("an answer to nothing: %v", err)
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(ctx); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// TestOfferHasWhatWasAnnounced: clients refuse an offer without a section for each kind the stream was announced with.
func TestOfferHasWhatWasAnnounced(t *testing.T) {
	s, ctx := onLoopback(t)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	_, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice"}))
	d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks[1:], Audio: true, Video: true}))
	audio, video, ok := strings.Cut(d.SDP, "m=video")
	if !ok || !strings.Contains(audio, "m=audio 9") || !strings.Contains(audio, "a=inactive") || !strings.Contains(video, "a=sendonly") {
		t.Errorf("offer\n%s", d.SDP)
	}
	bob := testkit.NewClient(t, testkit.ClientConfig{})
	if err := e.Answer(ctx, strings.ReplaceAll(bob.Answer(d.SDP), "a=setup:active", "a=setup:passive")); !fault.Is(err, fault.SDPInvalid) {
		t.Errorf("a passive answer: %v", err)
	}
}

func TestEndedShardRefuses(t *testing.T) {
	s, ctx := onLoopback(t)
	e, _ := s.receiving(ctx, "alice")
	s.stop()
	s.done <- <-s.done // for the clean-up
	if _, err := e.Stats(ctx); !fault.Is(err, fault.MediaFailed) {
		t.Errorf("an ended shard answers %v", err)
	}
	if _, err := s.Open(ctx, peer.EndpointConfig{Name: "bob"}); !fault.Is(err, fault.MediaFailed) {
		t.Errorf("an ended shard opens an endpoint: %v", err)
	}
}
