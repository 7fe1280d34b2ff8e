package sdp_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/media/sdp"
)

// offered reads an offer on file, changed by old/new pairs.
func offered(t *testing.T, name string, changes ...string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".sdp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(changes...).Replace(string(text))
}

// TestOneStreamForOldClients: clients up to 2.4 play the first stream of a connection and no other.
func TestOneStreamForOldClients(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		offer := parse(t, offered(t, browser+"-subscribe"))
		answer := answerAll(&offer)
		streams := map[string]bool{}
		tracks := map[string]bool{}
		for _, m := range regexp.MustCompile(`msid:(\S+) (\S+)\r\n`).FindAllStringSubmatch(answer.Text(), -1) {
			streams[m[1]], tracks[m[2]] = true, true
		}
		if len(streams) != 1 || len(tracks) != 2 {
			t.Errorf("%s: streams %v with tracks %v; want one with two", browser, streams, tracks)
		}
		// Plan B clients read the streams from a=ssrc.
		if n := len(regexp.MustCompile(`a=ssrc:\d+ msid:con_1 `).FindAllString(answer.Text(), -1)); n != 4 {
			t.Errorf("%s: %d sources name the stream, want 4: media and RTX of both", browser, n)
		}
	}
}

// TestRTCPComponent: an offer for clients without rtcp-mux has candidates of component 2, which lead nowhere here.
func TestRTCPComponent(t *testing.T) {
	d := parse(t, offered(t, "firefox-publish", "a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp:50001 IN IP4 192.0.2.7\r\n"+
		"a=candidate:0 1 UDP 2122252543 192.0.2.7 50000 typ host\r\na=candidate:0 2 UDP 2122252542 192.0.2.7 50001 typ host\r\n"+
		"a=candidate:1 1 TCP 2105524479 192.0.2.7 9 typ host tcptype active\r\na=candidate:1 2 TCP 2105524478 192.0.2.7 9 typ host tcptype active\r\n"+
		"a=end-of-candidates\r\n"))
	for _, c := range d.Transport.Candidates {
		if strings.Fields(c)[1] != "1" {
			t.Errorf("kept %q", c)
		}
	}
	if len(d.Transport.Candidates) != 4 { // two sections
		t.Errorf("%d candidates kept, want 4", len(d.Transport.Candidates))
	}
}

// TestUnbundled: without a group only the first section has a transport of ours; the others are turned down.
func TestUnbundled(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		offer := parse(t, offered(t, browser+"-publish", "a=group:BUNDLE 0 1\r\n", ""))
		answer := answerAll(&offer)
		text := answer.Text()
		if strings.Contains(text, "BUNDLE") || !strings.Contains(text, "m=audio 9 ") || !strings.Contains(text, "m=video 0 ") {
			t.Errorf("%s is answered\n%s", browser, text)
		}
	}
	// A group that leaves the first section out.
	offer := parse(t, offered(t, "chromium-publish", "a=group:BUNDLE 0 1", "a=group:BUNDLE 1"))
	answer := answerAll(&offer)
	if text := answer.Text(); !strings.Contains(text, "a=group:BUNDLE 1\r\n") || !strings.Contains(text, "m=audio 0 ") || !strings.Contains(text, "m=video 9 ") {
		t.Errorf("a group of video alone is answered\n%s", text)
	}
}

func TestSetup(t *testing.T) {
	for _, role := range []string{"actpass", "active", "passive", "holdconn"} {
		d := parse(t, offered(t, "chromium-publish", "a=setup:actpass", "a=setup:"+strings.ToUpper(role)))
		if d.Transport.Setup != role {
			t.Errorf("setup %q, want %q", d.Transport.Setup, role)
		}
	}
}

// TestBundleOnly: a section with port 0 and a=bundle-only is offered, not rejected (RFC 9143 §6).
func TestBundleOnly(t *testing.T) {
	d := parse(t, offered(t, "chromium-publish", "m=video 9 ", "m=video 0 "))
	if !d.Sections[1].Rejected {
		t.Error("port 0 is a rejection")
	}
	d = parse(t, offered(t, "chromium-publish", "m=video 9 ", "m=video 0 ", "a=mid:1\r\n", "a=mid:1\r\na=bundle-only\r\n"))
	if d.Sections[1].Rejected {
		t.Error("a bundle-only section is not rejected")
	}
}

// TestTransportLevels: what stands above the sections completes what a section lacks.
func TestTransportLevels(t *testing.T) {
	section := "m=audio 9 UDP/TLS/RTP/SAVPF 0\n"
	own := "a=ice-ufrag:own1\na=ice-pwd:ownownownownownownownown\n"
	for name, c := range map[string]struct {
		text  string
		ufrag string
		print string
	}{
		"all above":         {head + transport + section, "abcd", "AA:BB"},
		"credentials below": {head + transport + section + own, "own1", "AA:BB"},
		"all below":         {head + transport + section + own + "a=fingerprint:sha-256 cc:dd\n", "own1", "CC:DD"},
	} {
		d, err := sdp.Parse(c.text)
		if err != nil || d.Transport.Ufrag != c.ufrag || d.Transport.Fingerprints[0].Value != c.print {
			t.Errorf("%s: %+v, %v", name, d.Transport, err)
		}
	}
}

func TestDirections(t *testing.T) {
	for direction, want := range map[sdp.Direction][2]bool{
		sdp.SendRecv: {true, true}, sdp.SendOnly: {true, false}, sdp.RecvOnly: {false, true}, sdp.Inactive: {false, false},
	} {
		if direction.Sends() != want[0] || direction.Receives() != want[1] {
			t.Errorf("%s sends %v, receives %v", direction, direction.Sends(), direction.Receives())
		}
	}
	d := parse(t, head+transport+"a=recvonly\nm=audio 9 UDP/TLS/RTP/SAVPF 0\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=sendonly\n")
	if d.Sections[0].Direction != sdp.RecvOnly || d.Sections[1].Direction != sdp.SendOnly {
		t.Errorf("directions %s, %s: the session's holds where a section has none", d.Sections[0].Direction, d.Sections[1].Direction)
	}
}

// TestClockRates: a publisher's rtpmap reaches its subscribers; one that no such codec has is not taken.
func TestClockRates(t *testing.T) {
	for rtpmap, want := range map[string]bool{
		"opus/48000/2": true, "OPUS/48000/2": true, "opus/8000/2": false, "opus/1": false, "opus/4294967295": false, "opus/0": false,
		"PCMU/8000": true, "PCMA/8000/1": true, "PCMU/16000": false, "opus": false, "opus/x": false, "G722/8000": false,
	} {
		d := parse(t, head+transport+"m=audio 9 UDP/TLS/RTP/SAVPF 100\na=rtpmap:100 "+rtpmap+"\n")
		if _, ok := d.Sections[0].Choose(nil); ok != want {
			t.Errorf("%s is chosen: %v, want %v", rtpmap, ok, want)
		}
	}
	for rtpmap, want := range map[string]bool{"VP8/90000": true, "vp9/90000": true, "AV1/90000": true, "VP8/48000": false, "H264/90000": false} {
		d := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 100\na=rtpmap:100 "+rtpmap+"\n")
		if _, ok := d.Sections[0].Choose(nil); ok != want {
			t.Errorf("%s is chosen: %v, want %v", rtpmap, ok, want)
		}
	}
}

func TestMatchByProfile(t *testing.T) {
	d := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 1 2 3 4 5\na=rtpmap:1 VP9/90000\na=fmtp:1 profile-id=2\n"+
		"a=rtpmap:2 VP9/90000\na=rtpmap:3 AV1/90000\na=fmtp:3 profile=1\na=rtpmap:4 AV1/90000\na=fmtp:4 profile=0;tier=0\na=rtpmap:5 H265/90000\n")
	for _, c := range []struct {
		name, fmtp string
		want       uint8
	}{
		{"VP9", "profile-id=0", 2}, {"VP9", "", 2}, {"VP9", "profile-id=2", 1}, {"VP9", "profile-id=1", 0},
		{"AV1", "", 4}, {"AV1", "profile=1", 3}, {"AV1", "level-idx=5;profile=0;tier=0", 4}, {"AV1", "profile=2", 0}, {"VP8", "", 0},
	} {
		if got, ok := d.Sections[0].Match(c.name, c.fmtp); got.PayloadType != c.want || ok != (c.want != 0) {
			t.Errorf("%s %q matches %d, want %d", c.name, c.fmtp, got.PayloadType, c.want)
		}
	}
	if names := d.Sections[0].Names(); !slices.Equal(names, []string{"VP9", "AV1", "H265"}) {
		t.Errorf("names %v", names)
	}
}

// TestEveryListIsBounded: what a client repeats a thousand times is kept some hundred times at most.
func TestEveryListIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + transport + "m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 VP8/90000\n")
	for i := range 900 {
		fmt.Fprintf(&b, "a=ssrc:%d cname:c\na=ssrc-group:FID %d %d\na=extmap:%d urn:%d\na=rid:%d send\na=rtcp-fb:96 f%d\n"+
			"a=candidate:%d 1 udp 1 192.0.2.1 9 typ host\na=fingerprint:sha-256 %02X\n", i+1, i+1, i+5000, i%14+1, i, i, i, i, i%256)
	}
	d := parse(t, b.String())
	s := &d.Sections[0]
	for what, n := range map[string][2]int{
		"streams": {len(s.Streams), 128}, "extensions": {len(s.Extensions), 128}, "rids": {len(s.RIDs), 16},
		"feedback": {len(s.Codecs[0].Feedback), 16}, "candidates": {len(d.Transport.Candidates), 128},
		"fingerprints": {len(d.Transport.Fingerprints), 8},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s kept, want %d", n[0], what, n[1])
		}
	}
}

// TestRepairs: which SSRC is whose RTX, whatever the order of lines.
func TestRepairs(t *testing.T) {
	lines := []string{"a=ssrc-group:FID 1 2\n", "a=ssrc:1 cname:c\n", "a=ssrc:2 cname:c\n"}
	for _, order := range [][]int{{0, 1, 2}, {1, 2, 0}, {2, 1, 0}} {
		text := head + transport + "m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 VP8/90000\n"
		for _, i := range order {
			text += lines[i]
		}
		d := parse(t, text)
		if got := d.Sections[0].Streams; len(got) != 1 || got[0] != (sdp.Stream{SSRC: 1, RTX: 2, CNAME: "c"}) {
			t.Errorf("order %v: %+v", order, got)
		}
	}
	d := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 96\na=ssrc-group:FID x 2\na=ssrc-group:SIM 3 4\na=ssrc-group:FID 5\n"+
		"a=ssrc:0 cname:zero\na=ssrc:-1 cname:c\na=ssrc:99999999999 cname:c\na=ssrc:3\n")
	if got := d.Sections[0].Streams; len(got) != 1 || got[0].SSRC != 3 {
		t.Errorf("streams %+v, want 3 alone", got)
	}
}

// TestRTXBeforeItsCodec is attached all the same; one without a codec is nobody's.
func TestRTXBeforeItsCodec(t *testing.T) {
	d := parse(t, head+transport+"m=video 9 UDP/TLS/RTP/SAVPF 97 96 99 98\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"+
		"a=rtpmap:98 VP9/90000\na=rtpmap:99 rtx/90000\na=fmtp:99 apt=55\n")
	if c := d.Sections[0].Codecs; len(c) != 2 || c[0].RTX != 97 || c[1].RTX != 0 {
		t.Errorf("codecs %+v", c)
	}
}

func FuzzParameter(f *testing.F) {
	f.Add("profile-level-id=42e01f;packetization-mode=1", "packetization-mode")
	f.Add(";;=;a", "a")
	f.Fuzz(func(t *testing.T, fmtp, name string) {
		if v := sdp.Parameter(fmtp, name); strings.Contains(v, ";") || v != strings.ToLower(v) {
			t.Errorf("%q of %q is %q", name, fmtp, v)
		}
	})
}
