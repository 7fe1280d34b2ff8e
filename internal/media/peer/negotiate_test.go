package peer_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/fault"
	"tertulia/internal/media/peer"
	"tertulia/internal/testkit"
)

func TestWrongFingerprint(t *testing.T) {
	s, ctx := onLoopback(t)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	offer := alice.PublishOffer(testkit.VP8)
	other := strings.Repeat("AB:", 31) + "AB"
	offer = strings.ReplaceAll(offer, attribute(t, offer, "fingerprint"), "sha-256 "+other)
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
	d := must[peer.Description](t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{}))
	alice.Accept(d.SDP)
	if event := s.await(ctx, e, 1); event.State != peer.Failed || !strings.Contains(event.Reason, "certificate") {
		t.Errorf("event %+v, want a failure that names the certificate", event)
	}
	st := must[peer.Stats](t)(e.Stats(ctx))
	if st.Cipher != "" || st.State != peer.Failed {
		t.Errorf("state %s with cipher %q, want failed without", st.State, st.Cipher)
	}
	if n := must[peer.Counters](t)(s.Counters(ctx)).FingerprintMismatch; n != 1 {
		t.Errorf("fingerprint mismatches %d, want 1", n)
	}
	if f := factsOf(t, ctx, e); !f.Fingerprint || f.Attempts != 1 || !strings.Contains(f.Reason, "certificate") || f.Cipher != "" || len(f.Paths) == 0 {
		t.Errorf("facts %+v", f)
	}
}

func TestLoopback(t *testing.T) {
	s, ctx := onLoopback(t)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	offer := strings.ReplaceAll(alice.PublishOffer(testkit.VP8), "a=sendonly", "a=sendrecv")
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
	d := must[peer.Description](t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{Loopback: true}))
	if n := strings.Count(d.SDP, "a=sendrecv"); n != 2 {
		t.Fatalf("%d sendrecv sections, want 2:\n%s", n, d.SDP)
	}
	if d.Audio != "opus" || d.Video != "VP8" || len(d.Candidates) == 0 {
		t.Errorf("described as %q %q with %d candidates", d.Audio, d.Video, len(d.Candidates))
	}
	alice.Accept(d.SDP)
	s.await(ctx, e, 1)
	alice.Publish(ctx)
	st := s.until(ctx, e, func(st peer.Stats) bool { return st.PacketsOut > 20 })
	if st.Cipher == "" {
		t.Error("no cipher")
	}
}

func TestPayloadTypesDiffer(t *testing.T) {
	s, ctx := onLoopback(t)
	engine := &webrtc.MediaEngine{}
	for kind, p := range map[webrtc.RTPCodecType]webrtc.RTPCodecParameters{
		webrtc.RTPCodecTypeAudio: {RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 101},
		webrtc.RTPCodecTypeVideo: {RTPCodecCapability: testkit.VP8, PayloadType: 120},
	} {
		if err := engine.RegisterCodec(p, kind); err != nil {
			t.Fatal(err)
		}
	}
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{Engine: engine})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	alice.Publish(ctx)
	s.subscribe(ctx, "bob_alice", bob, tracks)
	bob.WaitPackets(ctx, "video", 5)
	bob.WaitPackets(ctx, "audio", 5)
	if pt := bob.Headers("video")[0].PayloadType; pt != 120 {
		t.Errorf("video has payload type %d, want bob's 120", pt)
	}
	if pt := bob.Headers("audio")[0].PayloadType; pt != 101 {
		t.Errorf("audio has payload type %d, want bob's 101", pt)
	}
}

func TestUndeclaredSource(t *testing.T) {
	s, ctx := onLoopback(t)
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	offer := regexp.MustCompile(`a=ssrc[^\n]*\n`).ReplaceAllString(alice.PublishOffer(testkit.VP8), "")
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
	d := must[peer.Description](t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{}))
	alice.Accept(d.SDP)
	s.await(ctx, e, 1)
	alice.Publish(ctx)
	s.subscribe(ctx, "bob_alice", bob, d.Tracks)
	bob.WaitPackets(ctx, "video", 10)
	bob.WaitPackets(ctx, "audio", 10)
}

func TestRefusedDescriptions(t *testing.T) {
	s, ctx := onLoopback(t)
	good := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
	for name, c := range map[string]struct {
		offer string
		o     peer.PublishOptions
		kind  fault.Kind
	}{
		"garbage":        {"hello", peer.PublishOptions{}, fault.SDPInvalid},
		"passive":        {strings.ReplaceAll(good, "a=setup:actpass", "a=setup:passive"), peer.PublishOptions{}, fault.SDPInvalid},
		"no ICE":         {strings.ReplaceAll(good, "a=ice-ufrag", "a=x"), peer.PublishOptions{}, fault.SDPInvalid},
		"no fingerprint": {strings.ReplaceAll(good, "a=fingerprint", "a=x"), peer.PublishOptions{}, fault.SDPInvalid},
		"receives only":  {strings.ReplaceAll(good, "a=sendonly", "a=recvonly"), peer.PublishOptions{}, fault.CodecMismatch},
	} {
		e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice"}))
		if _, err := e.AcceptPublish(ctx, c.offer, c.o); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
	}
}

// TestTracklessSections: clients of 2.18 offer four sections, of which two have no track; whichever come first.
func TestTracklessSections(t *testing.T) {
	s, ctx := onLoopback(t)
	for _, browser := range []string{"chromium", "firefox"} {
		text, err := os.ReadFile("../sdp/testdata/" + browser + "-duplicates.sdp")
		if err != nil {
			t.Fatal(err)
		}
		head, sections, _ := strings.Cut(string(text), "m=")
		parts := strings.Split(sections, "\r\nm=")
		parts[3] = strings.TrimSuffix(parts[3], "\r\n")
		for name, order := range map[string][]int{"as sent": {0, 1, 2, 3}, "trackless first": {2, 3, 0, 1}} {
			offer := head
			for _, i := range order {
				offer += "m=" + parts[i] + "\r\n"
			}
			e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice"}))
			d := must[peer.Description](t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{}))
			directions := regexp.MustCompile(`a=(recvonly|inactive)`).FindAllString(d.SDP, -1)
			want := "[a=recvonly a=recvonly a=inactive a=inactive]"
			if order[0] == 2 {
				want = "[a=inactive a=inactive a=recvonly a=recvonly]"
			}
			if fmt.Sprint(directions) != want || len(d.Tracks) != 2 {
				t.Errorf("%s, %s: answered %v with %d tracks, want %s", browser, name, directions, len(d.Tracks), want)
			}
		}
	}
}

// TestKMS_16__AudioWithoutVideo: no common video codec leaves a section with formats, and audio.
func TestKMS_16__AudioWithoutVideo(t *testing.T) {
	s, ctx := onLoopback(t)
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "alice", Loopback: true}))
	d := must[peer.Description](t)(e.AcceptPublish(ctx, alice.PublishOffer(testkit.VP8), peer.PublishOptions{Video: []string{"H265"}}))
	if !regexp.MustCompile(`m=video 0 UDP/TLS/RTP/SAVPF \d+`).MatchString(d.SDP) {
		t.Errorf("the rejected section lists no format:\n%s", d.SDP)
	}
	if d.Video != "" || d.Audio != "opus" {
		t.Errorf("audio %q, video %q; want opus and none", d.Audio, d.Video)
	}
	alice.Accept(d.SDP)
	s.await(ctx, e, 1)
	alice.Publish(ctx)
	s.subscribe(ctx, "bob_alice", bob, d.Tracks)
	bob.WaitPackets(ctx, "audio", 10)
}

func TestStats(t *testing.T) {
	s, ctx := onLoopback(t)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	e, _ := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, e, 1)
	alice.Publish(ctx)
	if err := e.Signalled(ctx, "candidate:1 1 udp 1 x.local 9 typ host"); err != nil {
		t.Fatal(err)
	}
	st := s.until(ctx, e, func(st peer.Stats) bool { return st.PacketsIn > 10 && st.PacketsOut > 0 })
	if st.State != peer.Connected || !strings.HasPrefix(st.RemoteCandidate, "udp 127.0.0.1:") ||
		!strings.HasPrefix(st.LocalCandidate, "udp 127.0.0.1 ") || !strings.Contains(st.Cipher, "GCM") ||
		st.BytesIn < 1000 || len(st.Signalled) == 0 || st.RemoteSDP == "" || st.LocalSDP == "" {
		t.Errorf("stats %+v", st)
	}
}
