package peer_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

func TestConsent(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		patient := testkit.ClientConfig{Tune: func(e *webrtc.SettingEngine) {
			e.SetICETimeouts(time.Hour, time.Hour, 2*time.Second)
		}}
		alice, bob := l.client(patient), l.client(patient)
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		alice.Publish(ctx)
		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 10)

		l.cut.Store(true)
		start := time.Now()
		if e := s.await(ctx, viewer, 2); e.State != peer.Failed {
			t.Fatalf("event %q while the network is cut, want failed", e.State)
		}
		if d := time.Since(start); d < 25*time.Second || d > 40*time.Second {
			t.Errorf("consent expired after %v, want about 30 s", d)
		}
		s.await(ctx, publisher, 2)
		before, _ := viewer.Stats(ctx)
		time.Sleep(5 * time.Second)
		if after, _ := viewer.Stats(ctx); after.PacketsOut != before.PacketsOut {
			t.Errorf("%d packets sent without consent", after.PacketsOut-before.PacketsOut)
		}

		l.cut.Store(false)
		if e := s.await(ctx, viewer, 3); e.State != peer.Connected {
			t.Fatalf("event %q after the network is back, want connected", e.State)
		}
		bob.WaitPackets(ctx, "video", 30)
	})
}

func TestNobodyComes(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "ghost"}))
		if event := s.await(ctx, e, 1); event.State != peer.Failed {
			t.Errorf("event %q, want failed", event.State)
		}
	})
}

func TestLateJoiner(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		alice.Publish(ctx)
		time.Sleep(20 * time.Second)

		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		s.await(ctx, viewer, 1)
		joined := time.Now()
		bob.Wait(ctx, "a key frame", bob.HasKeyframe)
		if d := time.Since(joined); d > 500*time.Millisecond {
			t.Errorf("the first key frame came %v after joining, want 500 ms at most", d)
		}
	})
}

func TestPublisherReconnects(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob, again := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		first, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, first, 1)
		sending, stop := context.WithCancel(ctx)
		alice.Publish(sending)
		s.subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 50)
		stop()

		second, kept := s.publish(ctx, "alice", again, peer.PublishOptions{Tracks: tracks})
		if len(kept) != 2 || kept[0] != tracks[0] || kept[1] != tracks[1] {
			t.Fatalf("the new transport feeds other tracks: %v, want %v", kept, tracks)
		}
		if err := first.Close(ctx); err != nil {
			t.Fatal(err)
		}
		s.await(ctx, second, 1)
		again.Publish(ctx)
		bob.WaitPackets(ctx, "video", 50)

		headers := bob.Headers("video")
		for i := 1; i < len(headers); i++ {
			before, h := headers[i-1], headers[i]
			if h.SSRC != before.SSRC {
				t.Fatalf("packet %d changes the SSRC", i)
			}
			if h.SequenceNumber != before.SequenceNumber+1 {
				t.Fatalf("packet %d has sequence number %d after %d", i, h.SequenceNumber, before.SequenceNumber)
			}
			if step := int32(h.Timestamp - before.Timestamp); step < 0 || step > 60*90000 {
				t.Fatalf("packet %d moves the timestamp by %d", i, step)
			}
		}
	})
}

func TestLossIsRepaired(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		alice.Publish(ctx)
		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		s.await(ctx, viewer, 1)
		bob.WaitPackets(ctx, "video", 30)

		count := 0
		drop := func(d dropArgs) bool {
			if socket.Classify(d.Bytes) != socket.RTP || len(d.Bytes) < 900 {
				return false
			}
			count++
			return count%40 == 0 // both ways; Pion asks again and again for what RTX repaired, so not too many
		}
		l.drop.Store(&drop)
		bob.WaitPackets(ctx, "video", 600)
		l.drop.Store(nil)
		bob.WaitPackets(ctx, "video", 100)
		synctest.Wait()

		got := map[uint16]bool{}
		headers := bob.Headers("video")
		for _, h := range headers {
			got[h.SequenceNumber] = true
		}
		first, last := headers[0].SequenceNumber, headers[len(headers)-1].SequenceNumber
		missing := 0
		for n := first; n != last-60; n++ {
			if !got[n] {
				missing++
			}
		}
		in, out := must[peer.Stats](t)(publisher.Stats(ctx)), must[peer.Stats](t)(viewer.Stats(ctx))
		if in.Received["video"].Recovered == 0 || out.Sent["video"].Resent == 0 || missing > 0 {
			t.Errorf("of %d packets on a network with 2.5 %% loss %d never came\n%+v\n%+v", count, missing, in.Received["video"], out.Sent["video"])
		}
	})
}

func TestReports(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{MaxKbps: 700})
		s.await(ctx, publisher, 1)
		alice.Publish(ctx)
		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		bob.WaitPackets(ctx, "video", 300)

		alice.WantRTCP(t, "ReceiverReport", "ReceiverEstimatedMaximumBitrate", "TransportLayerCC")
		bob.WantRTCP(t, "SenderReport", "SourceDescription")
		if err := viewer.Close(ctx); err != nil {
			t.Fatal(err)
		}
		bob.Wait(ctx, "BYE", bob.HasRTCP("Goodbye"))
	})
}
