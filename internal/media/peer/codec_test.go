package peer_test

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/media/peer"
	"tertulia/internal/testkit"
)

// engineOf is what a client has that knows two codecs alone, under numbers of its own.
func engineOf(t *testing.T, sound webrtc.RTPCodecCapability, n webrtc.PayloadType, picture webrtc.RTPCodecCapability, m webrtc.PayloadType) *webrtc.MediaEngine {
	t.Helper()
	engine := &webrtc.MediaEngine{}
	for _, err := range []error{
		engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: sound, PayloadType: n}, webrtc.RTPCodecTypeAudio),
		engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: picture, PayloadType: m}, webrtc.RTPCodecTypeVideo),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return engine
}

// TestAV1AndG711Flow to clients that offer and to clients that are offered, under each one's payload types; who comes late is
// given a key frame.
func TestAV1AndG711Flow(t *testing.T) {
	for name, sound := range map[string]webrtc.RTPCodecCapability{"PCMU": testkit.PCMU, "PCMA": testkit.PCMA} {
		t.Run(name, func(t *testing.T) {
			s, ctx := onLoopback(t)
			static := map[string]uint8{"PCMU": 0, "PCMA": 8}[name]
			alice, carol := testkit.NewClient(t, testkit.ClientConfig{Audio: sound}), testkit.NewClient(t, testkit.ClientConfig{})
			bob := testkit.NewClient(t, testkit.ClientConfig{Engine: engineOf(t, sound, 107, testkit.AV1, 120)})
			publisher := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
			d := must[peer.Description](t)(publisher.AcceptPublish(ctx, alice.PublishOffer(testkit.AV1), peer.PublishOptions{}))
			if d.Audio != name || d.Video != "AV1" || !strings.Contains(d.SDP, "a=fmtp:45 level-idx=5;profile=0;tier=0\r\n") ||
				!strings.Contains(d.SDP, "a=rtcp-fb:45 nack pli\r\n") || !strings.Contains(d.SDP, "a=fmtp:46 apt=45\r\n") {
				t.Errorf("answered %s and %s:\n%s", d.Audio, d.Video, d.SDP)
			}
			alice.Accept(d.SDP)
			s.await(ctx, publisher, 1)
			alice.Publish(ctx)

			// Bob offers, with numbers of his own; Carol is offered ours.
			s.subscribe(ctx, "bob_alice", bob, d.Tracks)
			bob.Wait(ctx, "a key frame", bob.HasKeyframe)
			late := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "carol_alice", Loopback: true}))
			ours := must[peer.Description](t)(late.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: d.Tracks, Audio: true, Video: true}))
			if !strings.Contains(ours.SDP, "a=fmtp:45 level-idx=5;profile=0;tier=0\r\n") || strings.Contains(ours.SDP, "opus") || strings.Contains(ours.SDP, "VP8") {
				t.Errorf("offered\n%s", ours.SDP)
			}
			if err := late.Answer(ctx, carol.Answer(ours.SDP)); err != nil {
				t.Fatal(err)
			}
			carol.Wait(ctx, "a key frame", carol.HasKeyframe)
			for c, want := range map[*testkit.Client][2]uint8{bob: {107, 120}, carol: {static, 45}} {
				c.WaitPackets(ctx, "audio", 10)
				c.WaitPackets(ctx, "video", 10)
				if a, v := c.Headers("audio")[0].PayloadType, c.Headers("video")[0].PayloadType; a != want[0] || v != want[1] {
					t.Errorf("payload types %d and %d, want %v", a, v, want)
				}
			}
			sounds := carol.Headers("audio")
			if step := sounds[5].Timestamp - sounds[4].Timestamp; step != 160 {
				t.Errorf("20 ms of sound move the timestamp by %d, want 160", step)
			}
		})
	}
}
