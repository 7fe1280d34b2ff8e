package peer_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// TestLOSS_22__MeasuredOnTheWay: over a network that loses and reorders packets the frame rate is what the camera has.
func TestLOSS_22__MeasuredOnTheWay(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		alice.FrameRate.Store(15)
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		count := 0
		drop := func(d dropArgs) bool {
			if socket.Classify(d.Bytes) != socket.RTP || len(d.Bytes) < 900 || d.FromServer {
				return false
			}
			count++
			return count%50 == 0
		}
		l.drop.Store(&drop)
		alice.Publish(ctx)
		s.subscribe(ctx, "bob_alice", bob, tracks)
		if rates := s.measured(ctx, publisher, 1); !slices.Equal(rates, []int{15}) {
			t.Errorf("15 pictures a second are measured as %v", rates)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if rates := s.measured(ctx, publisher, 1); len(rates) != 1 {
			t.Errorf("it has not changed, but was told again: %v", rates)
		}
		alice.FrameRate.Store(30)
		if rates := s.measured(ctx, publisher, 2); !slices.Equal(rates, []int{15, 30}) {
			t.Errorf("then 30 pictures a second are measured as %v", rates)
		}
		if f := track(t, factsOf(t, ctx, publisher), "video", false); f.FrameRate != 30 {
			t.Errorf("facts say %d pictures a second", f.FrameRate)
		}
		if st := must[peer.Stats](t)(publisher.Stats(ctx)); st.FrameRate != 30 {
			t.Errorf("statistics say %d pictures a second", st.FrameRate)
		}
	})
}
