package sdp

import (
	"fmt"
	"strings"
	"testing"
)

// offering is one section with these codecs: "45 AV1/90000 profile=1".
func offering(t *testing.T, kind string, codecs ...string) *Section {
	t.Helper()
	var types, lines []string
	for _, c := range codecs {
		words := strings.SplitN(c, " ", 3)
		types = append(types, words[0])
		if len(words) > 1 {
			lines = append(lines, fmt.Sprintf("a=rtpmap:%s %s\r\n", words[0], words[1]))
		}
		if len(words) > 2 {
			lines = append(lines, fmt.Sprintf("a=fmtp:%s %s\r\n", words[0], words[2]))
		}
	}
	text := "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=fingerprint:sha-256 " +
		strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "\r\nm=" + kind + " 9 UDP/TLS/RTP/SAVPF " + strings.Join(types, " ") +
		"\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n" + strings.Join(lines, "")
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Sections[0]
}

// TestAV1Variants: the main profile is preferred, whatever level it has, and matched without regard to level and tier.
func TestAV1Variants(t *testing.T) {
	s := offering(t, "video", "39 AV1/90000 level-idx=5;profile=1;tier=0", "45 AV1/90000 level-idx=5;profile=0;tier=0", "96 VP8/90000")
	if c, ok := s.Choose([]string{"AV1"}); !ok || c.PayloadType != 45 {
		t.Errorf("of both profiles %d is chosen (%v), want 45", c.PayloadType, ok)
	}
	if c, ok := s.Choose([]string{"VP8"}); !ok || c.PayloadType != 96 {
		t.Errorf("where VP8 is asked for %d is chosen (%v)", c.PayloadType, ok)
	}
	if c, ok := offering(t, "video", "39 AV1/90000 profile=1").Choose(nil); !ok || c.PayloadType != 39 {
		t.Errorf("of one profile %d is chosen (%v), want 39", c.PayloadType, ok)
	}
	for fmtp, want := range map[string]uint8{"": 45, "profile=0": 45, "level-idx=8;profile=0;tier=1": 45, "profile=1": 39, "profile=2": 0} {
		if c, ok := s.Match("AV1", fmtp); c.PayloadType != want || ok != (want != 0) {
			t.Errorf("%q is matched with %d (%v), want %d", fmtp, c.PayloadType, ok, want)
		}
	}
}

// TestG711 has static payload types: no rtpmap is needed to read it, and no fmtp is written.
func TestG711(t *testing.T) {
	for name, want := range map[string]uint8{"PCMU": 0, "PCMA": 8} {
		s := offering(t, "audio", fmt.Sprint(want), "111 opus/48000/2 minptime=10;useinbandfec=1")
		c, ok := s.Choose(nil)
		if !ok || c.Name != name || c.PayloadType != want || c.ClockRate != 8000 || c.Fmtp != "" || c.RTX != 0 {
			t.Errorf("chosen %+v (%v), want %s first", c, ok, name)
		}
		if c, ok = s.Match(name, ""); !ok || c.PayloadType != want {
			t.Errorf("matched with %+v (%v)", c, ok)
		}
		offer := Offer([]string{"audio"}, []Media{{Direction: SendOnly, Codec: Offered("audio", c), Send: Stream{SSRC: 7, CNAME: "c"}}},
			Local{Transport: Transport{Ufrag: "u", Pwd: "p"}, StreamID: "s"})
		text := offer.Text()
		if !strings.Contains(text, fmt.Sprintf("m=audio 9 UDP/TLS/RTP/SAVPF %d\r\n", want)) ||
			!strings.Contains(text, fmt.Sprintf("a=rtpmap:%d %s/8000\r\n", want, name)) || strings.Contains(text, "fmtp") {
			t.Errorf("our offer of %s:\n%s", name, text)
		}
		answer := Answer(&Description{Sections: []Section{*s}, Bundle: []string{"0"}}, []Media{{Direction: RecvOnly, Codec: c}},
			Local{Transport: Transport{Ufrag: "u", Pwd: "p"}, StreamID: "s"})
		if text := answer.Text(); !strings.Contains(text, fmt.Sprintf("m=audio 9 UDP/TLS/RTP/SAVPF %d\r\n", want)) || strings.Contains(text, "fmtp") {
			t.Errorf("our answer with %s:\n%s", name, text)
		}
	}
	if c, ok := offering(t, "audio", "0 PCMU/16000").Choose(nil); ok {
		t.Errorf("G.711 of another rate is taken as %+v", c)
	}
}
