package peer_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// within is what a late joiner may wait for a picture.
const within = 500 * time.Millisecond

// TestLateJoinAtAnyMoment: whoever comes in, even just after another viewer's key frame, when the publisher is not
// asked again yet, has a picture within half a second of its transport; each way takes 10 ms.
func TestLateJoinAtAnyMoment(t *testing.T) {
	for phase := time.Duration(0); phase <= 320*time.Millisecond; phase += 20 * time.Millisecond {
		t.Run(fmt.Sprint(phase), func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab, s *server) {
				alice, bob, carol := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
				publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
				s.await(ctx, publisher, 1)
				alice.Publish(ctx)
				time.Sleep(10 * time.Second)
				s.subscribe(ctx, "bob_alice", bob, tracks)
				time.Sleep(phase) // and so long after bob's transport is carol's there
				began := time.Now()
				viewer := s.subscribe(ctx, "carol_alice", carol, tracks)
				s.await(ctx, viewer, 1)
				connected := time.Now()
				carol.Wait(ctx, "a key frame", carol.HasKeyframe)
				t.Logf("from the answer %v, from the transport %v", time.Since(began), time.Since(connected))
				if d := time.Since(connected); d > within {
					t.Errorf("a picture came %v after the transport, want %v at most", d, within)
				}
				bob.Wait(ctx, "a key frame", bob.HasKeyframe)
			})
		})
	}
}

// TestManyJoinAtOnce asks the publisher for few key frames, whoever many come.
func TestManyJoinAtOnce(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob, carol := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		alice.Publish(ctx)
		time.Sleep(5 * time.Second)
		before := must[peer.Stats](t)(publisher.Stats(ctx)).Received["video"].KeyframeRequests
		bobs, carols := s.subscribe(ctx, "bob_alice", bob, tracks), s.subscribe(ctx, "carol_alice", carol, tracks)
		s.await(ctx, bobs, 1)
		s.await(ctx, carols, 1)
		start := time.Now()
		bob.Wait(ctx, "a key frame", bob.HasKeyframe)
		carol.Wait(ctx, "a key frame", carol.HasKeyframe)
		if d := time.Since(start); d > within {
			t.Errorf("pictures came after %v", d)
		}
		if n := must[peer.Stats](t)(publisher.Stats(ctx)).Received["video"].KeyframeRequests - before; n > 2 {
			t.Errorf("%d key frames asked for by 2 viewers who came together", n)
		}
	})
}

// TestEarlyJoin: a subscriber is there before the publisher's transport, or before its first packet.
func TestEarlyJoin(t *testing.T) {
	for name, early := range map[string]bool{"before the transport": true, "before the first packet": false} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab, s *server) {
				alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
				l.cut.Store(early)
				publisher := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice"}))
				d := must[peer.Description](t)(publisher.AcceptPublish(ctx, alice.PublishOffer(testkit.VP8), peer.PublishOptions{}))
				if early {
					l.cut.Store(false)
					viewer := s.subscribe(ctx, "bob_alice", bob, d.Tracks)
					s.await(ctx, viewer, 1)
				}
				alice.Accept(d.SDP)
				s.await(ctx, publisher, 1)
				if !early {
					viewer := s.subscribe(ctx, "bob_alice", bob, d.Tracks)
					s.await(ctx, viewer, 1)
				}
				time.Sleep(3 * time.Second)
				start := time.Now()
				alice.Publish(ctx)
				bob.Wait(ctx, "a key frame", bob.HasKeyframe)
				if d := time.Since(start); d > within {
					t.Errorf("a picture came %v after the first packet", d)
				}
				bob.WaitPackets(ctx, "audio", 10)
				bob.WaitPackets(ctx, "video", 30)
			})
		})
	}
}

// changeCipherSpec is the first byte of the DTLS datagram that ends our side of a handshake (RFC 6347 §4.1).
const changeCipherSpec = 20

// TestLastFlightIsLost: the client repeats its own last flight until it has ours; we must still be there to answer.
func TestLastFlightIsLost(t *testing.T) {
	for _, lost := range []int{1, 3} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab, s *server) {
				alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
				dropped := 0
				drop := func(d dropArgs) bool {
					last := d.FromServer && socket.Classify(d.Bytes) == socket.DTLS && d.Bytes[0] == changeCipherSpec
					if last && dropped < lost {
						dropped++
						return true
					}
					return false
				}
				l.drop.Store(&drop)
				publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
				s.await(ctx, publisher, 1)
				alice.WaitConnected(ctx)
				if dropped != lost {
					t.Fatalf("our last flight was dropped %d times, want %d", dropped, lost)
				}
				alice.Publish(ctx)
				s.subscribe(ctx, "bob_alice", bob, tracks)
				bob.WaitPackets(ctx, "video", 30)
			})
		})
	}
}

// TestHandshakeOnALossyNetwork: a third of all DTLS datagrams is lost, both ways.
func TestHandshakeOnALossyNetwork(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		count := 0
		drop := func(d dropArgs) bool {
			if socket.Classify(d.Bytes) != socket.DTLS {
				return false
			}
			count++
			return count%3 == 0
		}
		l.drop.Store(&drop)
		alice := l.client(testkit.ClientConfig{})
		publisher, _ := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		if e := s.await(ctx, publisher, 1); e.State != peer.Connected {
			t.Errorf("event %+v, want connected", e)
		}
		alice.WaitConnected(ctx)
		synctest.Wait()
	})
}

// TestSilentSubscriberKeepsWaiting: a publisher without a source for long is no reason to end its viewers.
func TestSilentSubscriberKeepsWaiting(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		alice, bob := l.client(testkit.ClientConfig{}), l.client(testkit.ClientConfig{})
		publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		s.await(ctx, publisher, 1)
		viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
		s.await(ctx, viewer, 1)
		time.Sleep(2 * time.Minute)
		st := must[peer.Stats](t)(viewer.Stats(ctx))
		if st.State != peer.Connected || st.Sent["video"].Packets != 0 {
			t.Fatalf("after two minutes of nothing the viewer is %s with %d packets", st.State, st.Sent["video"].Packets)
		}
		sending, stop := context.WithCancel(ctx)
		alice.Publish(sending)
		bob.WaitPackets(ctx, "video", 10)
		stop()
		synctest.Wait()
		time.Sleep(time.Minute) // a muted camera
		if st := must[peer.Stats](t)(viewer.Stats(ctx)); st.State != peer.Connected {
			t.Errorf("after a minute of silence the viewer is %s", st.State)
		}
	})
}
