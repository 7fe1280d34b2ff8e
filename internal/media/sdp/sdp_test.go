package sdp_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/media/sdp"
)

var update = flag.Bool("update", false, "rewrite testdata/*.answer")

func local() sdp.Local {
	return sdp.Local{SessionID: 7, StreamID: "con_1", Transport: sdp.Transport{
		Ufrag: "ours", Pwd: "ourpasswordourpassword", Fingerprints: []sdp.Fingerprint{{Algorithm: "sha-256", Value: "AA:BB"}},
		Candidates: []string{"candidate:1 1 udp 2130706431 192.0.2.1 4443 typ host"},
	}}
}

func parse(t *testing.T, text string) sdp.Description {
	t.Helper()
	d, err := sdp.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answerAll receives or sends in every section that can.
func answerAll(d *sdp.Description) sdp.Description {
	media := make([]sdp.Media, len(d.Sections))
	for i := range d.Sections {
		s := &d.Sections[i]
		codec, ok := s.Choose(nil)
		if !ok {
			continue
		}
		media[i] = sdp.Media{Direction: sdp.RecvOnly, Codec: codec, Kbps: 600}
		if s.Direction == sdp.RecvOnly {
			media[i] = sdp.Media{Direction: sdp.SendOnly, Codec: codec, Send: sdp.Stream{SSRC: uint32(100 + i), RTX: uint32(200 + i), CNAME: "cname"}}
		}
	}
	return sdp.Answer(d, media, local())
}

// TestBrowserOffers answers what Chromium 156 and Firefox 153 sent, and compares with the answers on file.
func TestBrowserOffers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sdp")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d offers on file, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sdp"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			offer := parse(t, string(text))
			checkOffer(t, &offer)
			answer := answerAll(&offer)
			got := answer.Text()
			golden := strings.TrimSuffix(file, ".sdp") + ".answer"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got != string(want) {
				t.Errorf("the answer differs from %s (%v):\n%s", golden, err, got)
			}
			checkAnswer(t, &offer, got)
		})
	}
}

func checkOffer(t *testing.T, d *sdp.Description) {
	t.Helper()
	if d.Transport.Ufrag == "" || d.Transport.Setup != "actpass" || d.Transport.Fingerprints[0].Algorithm != "sha-256" {
		t.Errorf("transport %+v", d.Transport)
	}
	for _, s := range d.Sections {
		if s.Kind == "application" {
			continue
		}
		if !s.Mux || len(s.Codecs) == 0 || s.Extension(sdp.ExtMID) == 0 || s.Extension(sdp.ExtTransportCC) == 0 {
			t.Errorf("section %s: mux %v, %d codecs, extensions %v", s.MID, s.Mux, len(s.Codecs), s.Extensions)
		}
		if s.Kind == "video" && (s.Codecs[0].Name != "VP8" || s.Codecs[0].RTX == 0 || !s.Codecs[0].Has("nack pli")) {
			t.Errorf("section %s begins with %+v", s.MID, s.Codecs[0])
		}
	}
}

// checkAnswer holds for every answer: same lines in the same order, one transport, formats everywhere.
func checkAnswer(t *testing.T, offer *sdp.Description, text string) {
	t.Helper()
	answer := parse(t, text)
	if !answer.ICELite || len(answer.Sections) != len(offer.Sections) {
		t.Fatalf("ICE-lite %v, %d sections for %d", answer.ICELite, len(answer.Sections), len(offer.Sections))
	}
	for i, s := range answer.Sections {
		if s.MID != offer.Sections[i].MID || s.Kind != offer.Sections[i].Kind || len(s.Formats) == 0 {
			t.Errorf("section %d is %s %s %v", i, s.Kind, s.MID, s.Formats)
		}
		if bundled := slices.Contains(answer.Bundle, s.MID); bundled == s.Rejected {
			t.Errorf("section %s: rejected %v, bundled %v", s.MID, s.Rejected, bundled)
		}
		for _, f := range s.Formats {
			if !slices.Contains(offer.Sections[i].Formats, f) {
				t.Errorf("section %s answers format %s that was not offered", s.MID, f)
			}
		}
	}
	if answer.Transport.Setup != "passive" || len(answer.Transport.Candidates) != 1 {
		t.Errorf("transport %+v", answer.Transport)
	}
}

func TestDuplicatesAreTold(t *testing.T) {
	text, err := os.ReadFile("testdata/chromium-duplicates.sdp")
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, string(text))
	var with []string
	for _, s := range d.Sections {
		if s.StreamID != "" && s.StreamID != "-" {
			with = append(with, s.Kind)
		}
	}
	if fmt.Sprint(with) != "[audio video]" {
		t.Errorf("of %d sections %v name a stream, want one audio and one video", len(d.Sections), with)
	}
}

const head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

const transport = "a=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuvwx\na=setup:actpass\na=fingerprint:SHA-256 aa:bb\n"

// TestOldClients reads Plan B without mids or groups, LF line ends, session-level transport and RTCP candidates.
func TestOldClients(t *testing.T) {
	d := parse(t, head+transport+"m=audio 1 RTP/SAVPF 111 0\na=rtpmap:111 opus/48000/2\na=rtcp-mux\n"+
		"a=candidate:1 1 udp 1 10.0.0.1 9 typ host\na=candidate:1 2 udp 1 10.0.0.1 10 typ host\n"+
		"a=ssrc:1 cname:c\na=ssrc:1 msid:stream track\na=ssrc-group:FID 1 2\na=ssrc:2 cname:c\n")
	s := d.Sections[0]
	if s.MID != "0" || !d.Bundled(0) || !s.Secure() || s.StreamID != "stream" || s.Direction != sdp.SendRecv {
		t.Errorf("section %+v", s)
	}
	if len(s.Streams) != 1 || s.Streams[0] != (sdp.Stream{SSRC: 1, RTX: 2, CNAME: "c"}) {
		t.Errorf("streams %+v", s.Streams)
	}
	if len(d.Transport.Candidates) != 1 || d.Transport.Fingerprints[0] != (sdp.Fingerprint{Algorithm: "sha-256", Value: "AA:BB"}) {
		t.Errorf("transport %+v", d.Transport)
	}
	if len(s.Codecs) != 2 || s.Codecs[1].Name != "PCMU" {
		t.Errorf("codecs %+v", s.Codecs)
	}
}

func TestChoose(t *testing.T) {
	d := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 1 2 3 4 5\na=rtpmap:1 H264/90000\na=fmtp:1 packetization-mode=0\n"+
		"a=rtpmap:2 h264/90000\na=fmtp:2 profile-level-id=42001f;packetization-mode=1\na=rtpmap:3 VP8/90000\n"+
		"a=rtpmap:4 rtx/90000\na=fmtp:4 apt=3\na=rtpmap:5 H264/90000\na=fmtp:5 profile-level-id=42e01f;packetization-mode=1\n"+
		"a=rtcp-fb:* nack\na=rtcp-fb:3 nack pli\na=rtcp-fb:3 x-unknown\n")
	s := &d.Sections[0]
	for _, c := range []struct {
		allowed []string
		want    uint8
	}{{nil, 5}, {[]string{"VP8"}, 3}, {[]string{"vp8", "H264"}, 5}, {[]string{"AV1"}, 0}} {
		if got, ok := s.Choose(c.allowed); got.PayloadType != c.want || ok != (c.want != 0) {
			t.Errorf("of %v chosen %d, want %d", c.allowed, got.PayloadType, c.want)
		}
	}
	for fmtp, want := range map[string]uint8{
		"profile-level-id=42e01f;packetization-mode=1": 5, "profile-level-id=42c01f;packetization-mode=1": 2,
		"profile-level-id=64001f;packetization-mode=1": 0, "": 2,
	} {
		if got, _ := s.Match("H264", fmtp); got.PayloadType != want {
			t.Errorf("%q matches %d, want %d", fmtp, got.PayloadType, want)
		}
	}
	vp8, _ := s.Match("VP8", "")
	if vp8.RTX != 4 || fmt.Sprint(vp8.Feedback) != "[nack pli nack]" {
		t.Errorf("VP8 is %+v", vp8)
	}
}

func TestOffer(t *testing.T) {
	vp9 := sdp.Offered("video", sdp.Codec{Name: "VP9", ClockRate: 90000, Fmtp: "profile-id=0"})
	offer := sdp.Offer([]string{"audio", "video"}, []sdp.Media{
		{Direction: sdp.Inactive, Codec: sdp.Default("audio")},
		{Direction: sdp.SendOnly, Codec: vp9, Send: sdp.Stream{SSRC: 1, RTX: 2, CNAME: "c"}},
	}, local())
	d := parse(t, offer.Text())
	if d.Transport.Setup != "actpass" || !d.ICELite || len(d.Bundle) != 2 {
		t.Errorf("offer %+v", d)
	}
	if a, v := d.Sections[0], d.Sections[1]; a.Direction != sdp.Inactive || v.Direction != sdp.SendOnly ||
		v.Codecs[0].PayloadType != 98 || v.Codecs[0].RTX != 99 || v.StreamID != "con_1" || v.Streams[0].RTX != 2 {
		t.Errorf("sections %+v", d.Sections)
	}
}

// TestSimulcastTakesTheBest: of the layers that openvidu-browser offers, smallest first, the last is asked for; without
// being asked it would send the first.
func TestSimulcastTakesTheBest(t *testing.T) {
	const (
		rid    = "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n"
		layers = "a=rid:rdiv4 send\na=rid:rdiv2 send\na=rid:rdiv1 send\n"
		all    = "a=simulcast:send rdiv4;rdiv2;rdiv1\n"
	)
	for name, c := range map[string]struct {
		lines string
		ours  sdp.Direction
		best  bool
	}{
		"simulcast":             {rid + layers + all, sdp.RecvOnly, true},
		"both ways":             {rid + layers + "a=simulcast:recv x send rdiv4;rdiv2;rdiv1\n", sdp.SendRecv, true},
		"layers, but no choice": {rid + layers, sdp.RecvOnly, false},
		"no extension":          {layers + all, sdp.RecvOnly, false},
		"nothing to take":       {rid + layers + all, sdp.Inactive, false},
		"to be received":        {rid + layers + "a=simulcast:recv rdiv1\n", sdp.RecvOnly, false},
	} {
		offer := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 VP8/90000\na=sendrecv\n"+c.lines)
		codec, _ := offer.Sections[0].Choose(nil)
		answer := sdp.Answer(&offer, []sdp.Media{{Direction: c.ours, Codec: codec}}, sdp.Local{})
		text := answer.Text()
		for _, line := range []string{"a=rid:rdiv1 recv\r\n", "a=simulcast:recv rdiv1\r\n", "a=extmap:9 "} {
			if strings.Contains(text, line) != c.best {
				t.Errorf("%s: %q is answered: %v, want %v\n%s", name, line, !c.best, c.best, text)
			}
		}
		if strings.Contains(text, "rdiv2") {
			t.Errorf("%s: another layer is answered\n%s", name, text)
		}
	}
}

func TestRejectedSections(t *testing.T) {
	offer := parse(t, head+transport+"a=group:BUNDLE a v\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:a\n"+
		"m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=mid:v\na=rtpmap:96 H265/90000\nm=video 9 UDP/TLS/RTP/SAVPF 98\na=mid:x\na=rtpmap:98 VP8/90000\n"+
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n")
	got := answerAll(&offer)
	text := got.Text()
	for _, want := range []string{"a=group:BUNDLE a\r\n", "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\n", "a=rtpmap:96 H265/90000\r\n",
		"m=video 0 UDP/TLS/RTP/SAVPF 98\r\n", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	section := "m=audio 9 UDP/TLS/RTP/SAVPF 0\n"
	for name, text := range map[string]string{
		"empty": "", "not SDP": "hello", "no m-line": head, "short m-line": head + "m=audio 9\n",
		"too long":        head + strings.Repeat("a=x\n", sdp.MaxBytes),
		"many sections":   head + transport + strings.Repeat(section, sdp.MaxSections+1),
		"many lines":      head + transport + section + strings.Repeat("a=x\n", 10000),
		"many formats":    head + transport + "m=audio 9 UDP/TLS/RTP/SAVPF" + strings.Repeat(" 0", 200) + "\n",
		"long mid":        head + transport + section + "a=mid:" + strings.Repeat("m", 99) + "\n",
		"no ufrag":        head + strings.Replace(transport, "ufrag", "x", 1) + section,
		"no pwd":          head + strings.Replace(transport, "pwd", "x", 1) + section,
		"no fingerprint":  head + strings.Replace(transport, "fingerprint", "x", 1) + section,
		"very long ufrag": head + strings.Replace(transport, "abcd", strings.Repeat("u", 300), 1) + section,
	} {
		if _, err := sdp.Parse(text); !errors.Is(err, sdp.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// TestNothingIsSmuggled: a lone CR inside an fmtp would become a line of its own in another client's description.
func TestNothingIsSmuggled(t *testing.T) {
	d := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 VP8/90000\na=fmtp:96 x=1\ra=candidate:evil\n")
	if c, _ := d.Sections[0].Choose(nil); c.Fmtp != "" {
		t.Errorf("fmtp %q", c.Fmtp)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.sdp")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(string(text))
		}
	}
	f.Add(head + transport + "m=audio 1 RTP/SAVPF 111 0\na=rtpmap:111 opus/48000/2\na=ssrc-group:FID 1 2\na=extmap:1 x\n")
	f.Fuzz(func(t *testing.T, text string) {
		offer, err := sdp.Parse(text)
		if err != nil {
			return
		}
		answer := answerAll(&offer)
		again, err := sdp.Parse(answer.Text())
		if err != nil {
			t.Fatalf("our own answer does not parse: %v\n%s", err, answer.Text())
		}
		if len(again.Sections) != len(offer.Sections) {
			t.Fatalf("%d sections answered with %d", len(offer.Sections), len(again.Sections))
		}
	})
}
