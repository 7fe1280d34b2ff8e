package peer_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/sdp"
)

// The video formats of Safari's offers, in its order. They are written here by what WebKit is known for, and not what a
// Safari has sent: H264 first, High before constrained baseline and no plain baseline at all, VP8 under a number that
// is not Chromium's, tracks without a stream ("a=msid:- …"). Real devices are the release gate's business.
var (
	safari12 = []string{"96 H264 640c1f", "97 rtx 96", "98 H264 42e01f", "99 rtx 98", "100 VP8", "101 rtx 100", "127 red", "125 rtx 127", "104 ulpfec"}
	safari26 = []string{"96 H264 640c1f", "97 rtx 96", "98 H264 42e01f", "99 rtx 98", "100 H265", "101 rtx 100", "102 VP8", "103 rtx 102",
		"104 VP9", "105 rtx 104", "106 AV1", "107 rtx 106", "127 red", "125 rtx 127", "108 ulpfec"}
)

var safariExtensions = []string{
	"1 urn:ietf:params:rtp-hdrext:toffset", "2 " + sdp.ExtAbsSendTime, "3 urn:3gpp:video-orientation", "4 " + sdp.ExtTransportCC,
	"5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", "9 " + sdp.ExtMID,
	"10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
}

// safariOffer lays an offer out with its sections in the given order.
func safariOffer(formats []string, direction string, kinds ...string) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	say("v=0\r\no=- 4611730234 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE %s\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS",
		strings.Join([]string{"0", "1"}[:len(kinds)], " "))
	for mid, kind := range kinds {
		lines := []string{"111 opus", "63 red/48000/2", "9 G722", "0 PCMU", "8 PCMA", "13 CN", "110 telephone-event", "126 telephone-event"}
		if kind == "video" {
			lines = formats
		}
		var types []string
		for _, f := range lines {
			types = append(types, strings.Fields(f)[0])
		}
		say("m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0", kind, strings.Join(types, " "))
		say("a=ice-ufrag:Safa\r\na=ice-pwd:SafariSafariSafariSafari\r\na=ice-options:trickle")
		say("a=fingerprint:sha-256 %s", strings.TrimSuffix(strings.Repeat("4C:", 32), ":"))
		say("a=setup:actpass\r\na=mid:%d", mid)
		for _, e := range safariExtensions {
			say("a=extmap:%s", e)
		}
		say("a=%s", direction)
		if direction != "recvonly" {
			say("a=msid:- 2f1544ed-%d", mid)
		}
		say("a=rtcp-mux\r\na=rtcp-rsize")
		for _, f := range lines {
			safariFormat(say, kind, strings.Fields(f))
		}
		if direction != "recvonly" {
			say("a=ssrc-group:FID %d %d\r\na=ssrc:%[1]d cname:c\r\na=ssrc:%[1]d msid:- 2f1544ed-%[3]d\r\na=ssrc:%[2]d cname:c", 1000+mid, 2000+mid, mid)
		}
	}
	return b.String()
}

func safariFormat(say func(string, ...any), kind string, f []string) {
	switch {
	case kind == "video":
		say("a=rtpmap:%s %s/90000", f[0], f[1])
	case f[1] == "opus":
		say("a=rtpmap:%s opus/48000/2\r\na=rtcp-fb:%[1]s transport-cc\r\na=fmtp:%[1]s minptime=10;useinbandfec=1", f[0])
	case strings.Contains(f[1], "/"):
		say("a=rtpmap:%s %s", f[0], f[1])
	default:
		say("a=rtpmap:%s %s/8000", f[0], f[1])
	}
	switch f[1] {
	case "H264", "H265", "VP8", "VP9", "AV1":
		for _, feedback := range []string{"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"} {
			say("a=rtcp-fb:%s %s", f[0], feedback)
		}
	case "rtx":
		say("a=fmtp:%s apt=%s", f[0], f[2])
	}
	if f[1] == "H264" {
		say("a=fmtp:%s level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=%s", f[0], f[2])
	}
}

// plain are the attributes that every WebKit reads; others may be ignored, or refused.
var plain = []string{
	"group", "msid-semantic", "ice-lite", "rtcp", "mid", "ice-ufrag", "ice-pwd", "fingerprint", "setup", "extmap", "sendonly", "recvonly",
	"sendrecv", "inactive", "msid", "rtcp-mux", "rtcp-rsize", "rtpmap", "rtcp-fb", "fmtp", "ssrc", "ssrc-group", "candidate", "end-of-candidates",
}

func isPlain(t *testing.T, text string) {
	t.Helper()
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") {
		t.Error("lines do not end in CRLF")
	}
	for _, m := range regexp.MustCompile(`(?m)^a=([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(plain, m[1]) {
			t.Errorf("attribute %s", m[1])
		}
	}
}

// mirrors checks an answer against the offer: sections, payload types and extension ids are the offer's own.
func mirrors(t *testing.T, offer, answer string) {
	t.Helper()
	isPlain(t, answer)
	asked, err := sdp.Parse(offer)
	if err != nil {
		t.Fatal(err)
	}
	given, err := sdp.Parse(answer)
	if err != nil || len(given.Sections) != len(asked.Sections) {
		t.Fatalf("%v, %d sections of %d", err, len(given.Sections), len(asked.Sections))
	}
	for i, s := range given.Sections {
		from := asked.Sections[i]
		if s.Kind != from.Kind || s.MID != from.MID || s.Rejected {
			t.Errorf("section %d is %s %s, rejected %v; asked for %s %s", i, s.Kind, s.MID, s.Rejected, from.Kind, from.MID)
		}
		for _, format := range s.Formats {
			if !slices.Contains(from.Formats, format) {
				t.Errorf("section %d answers format %s, which was not offered", i, format)
			}
		}
		for _, e := range s.Extensions {
			if !slices.Contains(from.Extensions, e) {
				t.Errorf("section %d answers extension %+v, which was not offered", i, e)
			}
		}
	}
}

// TestKMS_28__SafariShapes: what we answer and offer to a Safari is what it takes, and what others can decode.
func TestKMS_28__SafariShapes(t *testing.T) {
	s, ctx := onLoopback(t)
	named := 0
	open := func() *peer.Endpoint {
		named++
		return must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: fmt.Sprint("e", named), Loopback: true}))
	}
	const baseline = "profile-level-id=42e01f"
	for _, c := range []struct {
		name    string
		formats []string
		kinds   []string
		allowed []string
		want    string // rtpmap of the answer
		fmtp    string
	}{
		{"VP8 has Safari's number", safari12, []string{"audio", "video"}, []string{"VP8"}, "a=rtpmap:100 VP8/90000", ""},
		{"VP8 in a newer one", safari26, []string{"audio", "video"}, []string{"VP8"}, "a=rtpmap:102 VP8/90000", ""},
		{"H264 is constrained baseline", safari12, []string{"audio", "video"}, []string{"H264"}, "a=rtpmap:98 H264/90000", baseline},
		{"without a rule too", safari26, []string{"audio", "video"}, nil, "a=rtpmap:98 H264/90000", baseline},
		{"video may come first", safari12, []string{"video", "audio"}, []string{"VP8"}, "a=rtpmap:100 VP8/90000", ""},
		{"video alone", safari26, []string{"video"}, []string{"H264"}, "a=rtpmap:98 H264/90000", baseline},
	} {
		t.Run(c.name, func(t *testing.T) {
			offer := safariOffer(c.formats, "sendonly", c.kinds...)
			d := must[peer.Description](t)(open().AcceptPublish(ctx, offer, peer.PublishOptions{Video: c.allowed}))
			mirrors(t, offer, d.SDP)
			if !strings.Contains(d.SDP, c.want+"\r\n") || !strings.Contains(d.SDP, c.fmtp) || strings.Contains(d.SDP, "640c1f") {
				t.Errorf("answered\n%s", d.SDP)
			}
			if len(d.Tracks) != len(c.kinds) {
				t.Errorf("%d tracks of %d", len(d.Tracks), len(c.kinds))
			}
		})
	}

	// A Chromium that names plain baseline first, in an H264 session: Safari takes what it publishes either way round.
	chromium, err := os.ReadFile("../sdp/testdata/chromium-publish.sdp")
	if err != nil {
		t.Fatal(err)
	}
	published := must[peer.Description](t)(open().AcceptPublish(ctx, string(chromium), peer.PublishOptions{Video: []string{"H264"}}))
	t.Run("our offer to a Safari", func(t *testing.T) {
		d := must[peer.Description](t)(open().OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: published.Tracks, Audio: true, Video: true}))
		isPlain(t, d.SDP)
		if !strings.Contains(d.SDP, baseline) || strings.Contains(d.SDP, "42001f") || strings.Index(d.SDP, "m=audio") > strings.Index(d.SDP, "m=video") {
			t.Errorf("offered\n%s", d.SDP)
		}
	})
	t.Run("a Safari's offer to us", func(t *testing.T) {
		offer := safariOffer(safari12, "recvonly", "audio", "video")
		d := must[peer.Description](t)(open().AcceptSubscribe(ctx, offer, peer.SubscribeOptions{Tracks: published.Tracks, Audio: true, Video: true}))
		mirrors(t, offer, d.SDP)
		if !strings.Contains(d.SDP, "a=rtpmap:98 H264/90000\r\n") || strings.Count(d.SDP, "a=sendonly\r\n") != 2 {
			t.Errorf("answered\n%s", d.SDP)
		}
	})
}
