package peer_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/fault"
	"tertulia/internal/media"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/sdp"
	"tertulia/internal/testkit"
)

// TestActiveOffer: a client that insists on the active DTLS role gets what it wants: it is ours to be passive.
func TestActiveOffer(t *testing.T) {
	s, ctx := onLoopback(t)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
	offer := strings.ReplaceAll(alice.PublishOffer(testkit.VP8), "a=setup:actpass", "a=setup:active")
	d := must[peer.Description](t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{}))
	if strings.Count(d.SDP, "a=setup:passive") != 2 {
		t.Fatalf("answered\n%s", d.SDP)
	}
	alice.Accept(d.SDP)
	if event := s.await(ctx, e, 1); event.State != peer.Connected {
		t.Errorf("event %+v", event)
	}
}

// TestUnbundledOffer: what has a transport of its own is turned down, the first section flows.
func TestUnbundledOffer(t *testing.T) {
	s, ctx := onLoopback(t)
	offer := regexp.MustCompile(`a=group:BUNDLE[^\n]*\n`).ReplaceAllString(testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8), "")
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
	d := must[peer.Description](t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{}))
	if d.Audio != "opus" || d.Video != "" || len(d.Tracks) != 1 || !strings.Contains(d.SDP, "m=video 0 ") {
		t.Errorf("audio %q, video %q, %d tracks:\n%s", d.Audio, d.Video, len(d.Tracks), d.SDP)
	}
	for _, c := range d.Candidates {
		if c.MID != "0" || c.Line != 0 {
			t.Errorf("candidate %+v, want them all of the first section", c)
		}
	}
	// Strict callers want the video or nothing.
	strict := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "strict"}))
	if _, err := strict.AcceptPublish(ctx, testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8),
		peer.PublishOptions{Video: []string{"AV2"}, Strict: true}); !fault.Is(err, fault.CodecMismatch) {
		t.Errorf("video without a common codec, and strict: %v", err)
	}
}

// TestCollidingSources: one SSRC for two sections would let one of them starve.
func TestCollidingSources(t *testing.T) {
	s, ctx := onLoopback(t)
	offer := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
	ssrcs := regexp.MustCompile(`a=ssrc:(\d+) cname`).FindAllStringSubmatch(offer, -1)
	if len(ssrcs) < 2 {
		t.Fatalf("the offer declares %d sources", len(ssrcs))
	}
	first, last := ssrcs[0][1], ssrcs[len(ssrcs)-1][1]
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice"}))
	_, err := e.AcceptPublish(ctx, strings.ReplaceAll(offer, last, first), peer.PublishOptions{})
	if !fault.Is(err, fault.SDPInvalid) || !strings.Contains(err.Error(), first) {
		t.Errorf("SSRC %s in two sections: %v", first, err)
	}
	if _, err := e.AcceptPublish(ctx, offer, peer.PublishOptions{}); err != nil {
		t.Errorf("the endpoint is of no use any more: %v", err)
	}
}

// TestAnswerWithoutRTX: a client that does not repeat it must not get an unknown payload type.
func TestAnswerWithoutRTX(t *testing.T) {
	s, ctx := onLoopback(t)
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice", Loopback: true}))
	d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks, Audio: true, Video: true}))
	answer := regexp.MustCompile(`a=(rtpmap:97 rtx|fmtp:97)[^\n]*\n`).ReplaceAllString(bob.Answer(d.SDP), "")
	if err := e.Answer(ctx, answer); err != nil {
		t.Fatal(err)
	}
	if err := e.Answer(ctx, answer); !fault.Is(err, fault.MediaFailed) {
		t.Errorf("a second answer: %v", err)
	}
	s.await(ctx, e, 1)
	alice.Publish(ctx)
	bob.WaitPackets(ctx, "video", 20)
	for _, h := range bob.Headers("video") {
		if h.PayloadType != 96 {
			t.Fatalf("payload type %d in a stream of 96", h.PayloadType)
		}
	}
}

// TestSubscribeRefusals: what cannot work is said, with what was offered.
func TestSubscribeRefusals(t *testing.T) {
	s, ctx := onLoopback(t)
	_, tracks := s.publish(ctx, "alice", testkit.NewClient(t, testkit.ClientConfig{}), peer.PublishOptions{})
	offer := testkit.NewClient(t, testkit.ClientConfig{}).SubscribeOffer()
	av1 := []*media.Track{{Kind: media.Video, Codec: media.Codec{Name: "AV2", ClockRate: 90000}}}
	for name, c := range map[string]struct {
		offer  string
		tracks []*media.Track
		kind   fault.Kind
	}{
		"garbage":         {"v=0\nm=", tracks, fault.SDPInvalid},
		"passive":         {strings.ReplaceAll(offer, "actpass", "passive"), tracks, fault.SDPInvalid},
		"sends only":      {strings.ReplaceAll(offer, "recvonly", "sendonly"), tracks, fault.CodecMismatch},
		"no common codec": {offer, av1, fault.CodecMismatch},
		"no track":        {offer, nil, fault.CodecMismatch},
	} {
		e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob"}))
		if _, err := e.AcceptSubscribe(ctx, c.offer, peer.SubscribeOptions{Tracks: c.tracks}); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
	}
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob"}))
	if _, err := e.OfferSubscribe(ctx, peer.SubscribeOptions{}); !fault.Is(err, fault.SDPInvalid) {
		t.Errorf("an offer of nothing: %v", err)
	}
	if err := e.Answer(ctx, "hello"); !fault.Is(err, fault.SDPInvalid) {
		t.Errorf("garbage for an answer: %v", err)
	}
}

// TestThirdSectionOfAKind: old clients ask for more than the stream has; what is too much stays, inactive.
func TestThirdSectionOfAKind(t *testing.T) {
	s, ctx := onLoopback(t)
	_, tracks := s.publish(ctx, "alice", testkit.NewClient(t, testkit.ClientConfig{}), peer.PublishOptions{})
	offer := testkit.NewClient(t, testkit.ClientConfig{}).SubscribeOffer()
	parsed := must[sdp.Description](t)(sdp.Parse(offer))
	video := offer[strings.Index(offer, "m=video"):]
	offer = strings.Replace(offer, "a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1 2", 1) + strings.Replace(video, "a=mid:1", "a=mid:2", 1)
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice"}))
	d := must[peer.Description](t)(e.AcceptSubscribe(ctx, offer, peer.SubscribeOptions{Tracks: tracks}))
	got := fmt.Sprint(regexp.MustCompile(`a=(sendonly|inactive)`).FindAllString(d.SDP, -1))
	if len(parsed.Sections) != 2 || got != "[a=sendonly a=sendonly a=inactive]" {
		t.Errorf("answered %s", got)
	}
}

// TestOneKindOnly: a stream without picture, and one without sound, leave the other section inactive.
func TestOneKindOnly(t *testing.T) {
	s, ctx := onLoopback(t)
	_, tracks := s.publish(ctx, "alice", testkit.NewClient(t, testkit.ClientConfig{}), peer.PublishOptions{})
	for i, want := range []string{"[a=sendonly a=inactive]", "[a=inactive a=sendonly]"} {
		e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "bob_alice"}))
		d := must[peer.Description](t)(e.AcceptSubscribe(ctx, testkit.NewClient(t, testkit.ClientConfig{}).SubscribeOffer(),
			peer.SubscribeOptions{Tracks: tracks[i : i+1]}))
		if got := fmt.Sprint(regexp.MustCompile(`a=(sendonly|inactive)`).FindAllString(d.SDP, -1)); got != want {
			t.Errorf("%s alone is answered %s", tracks[i].Kind, got)
		}
		if (d.Audio == "") == (d.Video == "") {
			t.Errorf("described as audio %q, video %q", d.Audio, d.Video)
		}
	}
}

// TestMIDOfTheViewer: packets carry the MID the viewer gave the section, not the publisher's.
func TestMIDOfTheViewer(t *testing.T) {
	s, ctx := onLoopback(t)
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.ExtMID}, kind); err != nil {
			t.Fatal(err)
		}
	}
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{Engine: engine})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	alice.Publish(ctx)
	viewer := s.subscribe(ctx, "bob_alice", bob, tracks)
	bob.WaitPackets(ctx, "video", 5)
	bob.WaitPackets(ctx, "audio", 5)
	st := must[peer.Stats](t)(viewer.Stats(ctx))
	d := must[sdp.Description](t)(sdp.Parse(st.LocalSDP))
	for i, kind := range []string{"audio", "video"} {
		id := d.Sections[i].Extension(sdp.ExtMID)
		h := bob.Headers(kind)[0]
		if id == 0 || string(h.GetExtension(id)) != d.Sections[i].MID {
			t.Errorf("%s: MID %q by extension %d, want %q", kind, h.GetExtension(id), id, d.Sections[i].MID)
		}
		if h.SSRC != d.Sections[i].Streams[0].SSRC {
			t.Errorf("%s: SSRC %d, the answer says %d", kind, h.SSRC, d.Sections[i].Streams[0].SSRC)
		}
	}
}

// TestSignalledIsBounded: candidates of the client are kept for statistics, some of them, and none too long.
func TestSignalledIsBounded(t *testing.T) {
	s, ctx := onLoopback(t)
	e, _ := s.receiving(ctx, "alice")
	if err := e.Signalled(ctx, strings.Repeat("x", 2000)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("2,000 bytes for a candidate: %v", err)
	}
	for range 200 {
		if err := e.Signalled(ctx, "candidate:1 1 udp 1 192.0.2.1 9 typ host"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(must[peer.Stats](t)(e.Stats(ctx)).Signalled); n != 64 {
		t.Errorf("%d candidates are remembered, want 64", n)
	}
}

// TestEndedContext: a caller that has gone gets its error, and nothing of a result that may still be written.
func TestEndedContext(t *testing.T) {
	s, ctx := onLoopback(t)
	e, _ := s.receiving(ctx, "alice")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for range 50 {
		if st, err := e.Stats(gone); err != nil && st.State != "" {
			t.Fatalf("%v with a result: %+v", err, st)
		}
		if c, err := s.Counters(gone); err != nil && c != (peer.Counters{}) {
			t.Fatalf("%v with a result: %+v", err, c)
		}
	}
	if _, err := s.Open(gone, peer.EndpointConfig{Name: "late"}); err != nil && !strings.Contains(err.Error(), "late") {
		t.Errorf("the error does not name the endpoint: %v", err)
	}
}
