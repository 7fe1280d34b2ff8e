package load

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	pion "github.com/pion/sdp/v3"

	"tertulia/internal/media/sdp"
)

// parsed reads a description as another implementation does.
func parsed(t *testing.T, text string) pion.SessionDescription {
	t.Helper()
	var d pion.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

func attribute(m *pion.MediaDescription, key string) string {
	value, _ := m.Attribute(key)
	return value
}

func has(m *pion.MediaDescription, key string) bool {
	_, found := m.Attribute(key)
	return found
}

// TestOffers: what another implementation reads in our offers.
func TestOffers(t *testing.T) {
	for _, publishes := range []bool{true, false} {
		s := newStage(t, Config{}, publishes)
		text, err := s.client.Offer()
		ok(t, err)
		d := parsed(t, text)
		if _, lite := d.Attribute("ice-lite"); lite {
			t.Error("a full agent says that it is lite")
		}
		if group, _ := d.Attribute("group"); group != "BUNDLE 0 1" {
			t.Errorf("group %q", group)
		}
		for i, kind := range []string{"audio", "video"} {
			m := d.MediaDescriptions[i]
			if m.MediaName.Media != kind || attribute(m, "ice-ufrag") != s.client.ufrag || attribute(m, "ice-pwd") != s.client.pwd {
				t.Errorf("section %d is %v", i, m.MediaName)
			}
			if len(s.client.ufrag) < 4 || len(s.client.pwd) < 22 {
				t.Errorf("credentials of %d and %d characters", len(s.client.ufrag), len(s.client.pwd))
			}
			sum := fingerprint(s.client.loop.certificate.Certificate[0])
			if got := attribute(m, "fingerprint"); got != "sha-256 "+sum.Value || attribute(m, "setup") != "actpass" {
				t.Errorf("fingerprint %q, setup %q", got, attribute(m, "setup"))
			}
			if has(m, "sendonly") != publishes || has(m, "recvonly") == publishes || !has(m, "rtcp-mux") {
				t.Errorf("publishes: %v, %v", publishes, m.Attributes)
			}
			if publishes && !strings.HasPrefix(attribute(m, "ssrc"), fmt.Sprint(s.client.tracks[i].ssrc, " ")) && kind == "audio" {
				t.Errorf("ssrc %q", attribute(m, "ssrc"))
			}
		}
		if group := attribute(d.MediaDescriptions[1], "ssrc-group"); publishes != (group != "") {
			t.Errorf("ssrc-group %q", group)
		}
		at, is := candidate(strings.TrimPrefix(attribute(d.MediaDescriptions[0], "candidate"), "candidate:"))
		if !is || at != s.client.local {
			t.Errorf("candidate %s, the socket is %s", at, s.client.local)
		}
		if _, err := s.client.Offer(); err == nil {
			t.Error("a client has offered twice")
		}
	}
}

const (
	sum     = "AA:BB"
	common  = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 " + sum + "\r\na=setup:%s\r\n"
	address = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"
	head    = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	opus    = "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
	vp8     = "a=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\na=rtpmap:121 rtx/90000\r\na=fmtp:121 apt=120\r\n"
)

// server is an offer of another server: a section per word, "audio", "video", "h264", "data" or "gone" (a data channel that
// was rejected); mids are a, b, …
func server(setup string, sections ...string) string {
	var w strings.Builder
	w.WriteString(head + "a=group:BUNDLE")
	for i, what := range sections {
		if what != "gone" {
			fmt.Fprintf(&w, " %c", 'a'+i)
		}
	}
	w.WriteString("\r\n")
	for i, what := range sections {
		transport := fmt.Sprintf("c=IN IP4 0.0.0.0\r\na=mid:%c\r\n"+common, 'a'+i, setup)
		switch what {
		case "audio":
			w.WriteString("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + transport + "a=sendonly\r\n" + opus + "a=ssrc:5 cname:x\r\n")
		case "video":
			w.WriteString("m=video 9 UDP/TLS/RTP/SAVPF 120 121\r\n" + transport + "a=sendonly\r\n" + vp8 + "a=ssrc-group:FID 6 7\r\na=ssrc:6 cname:x\r\na=ssrc:7 cname:x\r\n")
		case "h264":
			w.WriteString("m=video 9 UDP/TLS/RTP/SAVPF 97\r\n" + transport + "a=sendonly\r\na=rtcp-mux\r\na=rtpmap:97 H264/90000\r\n")
		case "data":
			w.WriteString("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + transport + "a=sctp-port:5000\r\n")
		case "gone":
			w.WriteString(fmt.Sprintf("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:%c\r\n", 'a'+i))
		}
	}
	w.WriteString(address)
	return w.String()
}

// answered lets a client answer without a loop: what would connect finds that the client is closed.
func answered(t *testing.T, publishes bool, offer string) (*Client, string, error) {
	t.Helper()
	c := idle(t, publishes)
	text, err := c.Answer(offer)
	return c, text, err
}

// idle is a client whose loop takes messages, and nothing more.
func idle(t *testing.T, publishes bool) *Client {
	t.Helper()
	c, err := newClient(Config{Loop: running(t)}, publishes)
	ok(t, err)
	return c
}

// TestAnswers: other servers' offers, and what they read in the answer.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		setup    string
		sections []string
		role     string
		ports    []int
		bundle   string
	}{
		{"actpass", []string{"audio", "video"}, "active", []int{9, 9}, "BUNDLE a b"},
		{"active", []string{"audio", "video"}, "passive", []int{9, 9}, "BUNDLE a b"},
		{"passive", []string{"data", "audio", "video"}, "active", []int{9, 9, 9}, "BUNDLE a b c"},
		{"actpass", []string{"audio", "video", "data"}, "active", []int{9, 9, 9}, "BUNDLE a b c"},
		{"actpass", []string{"data"}, "active", []int{9}, "BUNDLE a"},
		{"actpass", []string{"gone", "audio", "data"}, "active", []int{0, 9, 9}, "BUNDLE b c"},
		{"actpass", []string{"video", "h264", "video", "audio"}, "active", []int{9, 0, 9, 9}, "BUNDLE a c d"},
	} {
		name := strings.Join(append([]string{c.setup}, c.sections...), " ")
		client, text, err := answered(t, false, server(c.setup, c.sections...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d := parsed(t, text)
		if group, _ := d.Attribute("group"); group != c.bundle {
			t.Errorf("%s: group %q, want %q", name, group, c.bundle)
		}
		var ports []int
		for i, m := range d.MediaDescriptions {
			ports = append(ports, m.MediaName.Port.Value)
			if attribute(m, "mid") != string(rune('a'+i)) {
				t.Errorf("%s: section %d is %q", name, i, attribute(m, "mid"))
			}
			if ports[i] == 0 {
				continue
			}
			if attribute(m, "setup") != c.role || attribute(m, "ice-ufrag") != client.ufrag || !has(m, "fingerprint") {
				t.Errorf("%s: section %d has setup %q, user %q", name, i, attribute(m, "setup"), attribute(m, "ice-ufrag"))
			}
			if data := m.MediaName.Media == "application"; data != has(m, "sctp-port") || data == has(m, "recvonly") {
				t.Errorf("%s: section %d: %v", name, i, m.Attributes)
			}
		}
		if !slices.Equal(ports, c.ports) {
			t.Errorf("%s: ports %v, want %v\n%s", name, ports, c.ports, text)
		}
		r := client.remote
		if r.setup != c.setup || r.ufrag != "abcd" || r.lite || !r.controlling || len(r.fingerprints) == 0 || r.fingerprints[0] != (sdp.Fingerprint{Algorithm: "sha-256", Value: sum}) ||
			!slices.Equal(r.candidates, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:5000")}) {
			t.Errorf("%s: the server is %+v", name, r)
		}
		if pictures := slices.Contains(c.sections, "video"); pictures != (r.video == 6) {
			t.Errorf("%s: its picture is %d", name, r.video)
		}
	}
}

// TestLaterOffer: the transport stays, sections may come.
func TestLaterOffer(t *testing.T) {
	c, _, err := answered(t, false, server("actpass", "data"))
	ok(t, err)
	later := strings.ReplaceAll(server("actpass", "data", "audio", "video"), "abcd", "other")
	text, err := c.Answer(later)
	ok(t, err)
	if n := len(parsed(t, text).MediaDescriptions); n != 3 || c.remote.ufrag != "abcd" || c.remote.video != 6 {
		t.Errorf("%d sections, user %s, picture %d", n, c.remote.ufrag, c.remote.video)
	}
}

// TestAgreed: the answer's payload types and extensions are those that are sent.
func TestAgreed(t *testing.T) {
	c := idle(t, true)
	if c.Accept(server("active", "audio")) == nil {
		t.Error("an answer without an offer is taken")
	}
	_, err := c.Offer()
	ok(t, err)
	answer := strings.ReplaceAll(server("active", "audio", "video"), "sendonly", "recvonly")
	answer = strings.ReplaceAll(answer, "a=mid:b\r\n", "a=mid:b\r\na=extmap:9 "+sdp.ExtAbsSendTime+"\r\n")
	ok(t, c.Accept(strings.Replace(answer, "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1)))
	video := c.track("video")
	if video.payloadType != 120 || video.header[16] != 9<<4|2 || video.absAt != 17 || video.transportAt != 0 {
		t.Errorf("payload type %d, header %x", video.payloadType, video.header)
	}
	if audio := c.track("audio"); audio.payloadType != 111 || len(audio.header) != 12 {
		t.Errorf("payload type %d, header %x", audio.payloadType, audio.header)
	}
	if r := c.remote; !r.lite || r.controlling {
		t.Errorf("a lite server that answers: %+v", r)
	}
}

// TestBadDescriptions are refused, before anything is sent.
func TestBadDescriptions(t *testing.T) {
	good := server("actpass", "audio", "video")
	for name, offer := range map[string]string{
		"empty":          "",
		"no section":     head,
		"no user":        strings.ReplaceAll(good, "a=ice-ufrag:abcd\r\n", ""),
		"no password":    strings.ReplaceAll(good, "a=ice-pwd:", "a=x:"),
		"no fingerprint": strings.ReplaceAll(good, "a=fingerprint:", "a=x:"),
		"lite, nowhere":  strings.Replace(strings.Replace(good, address, "", 1), "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1),
	} {
		if c, _, err := answered(t, false, offer); err == nil || c.begun {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := idle(t, true)
	_, err := c.Offer()
	ok(t, err)
	for name, answer := range map[string]string{
		"all rejected":   strings.ReplaceAll(strings.ReplaceAll(good, "m=audio 9", "m=audio 0"), "m=video 9", "m=video 0"),
		"all inactive":   strings.ReplaceAll(good, "sendonly", "inactive"),
		"nowhere":        strings.Replace(good, address, "", 1),
		"another answer": "v=1",
	} {
		if err := c.Accept(answer); err == nil || c.begun {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCandidates(t *testing.T) {
	for value, want := range map[string]string{
		"1 1 udp 1 192.0.2.1 5000 typ host":          "192.0.2.1:5000",
		"1 1 UDP 1 192.0.2.1 5000 typ srflx raddr x": "192.0.2.1:5000",
		"1 2 udp 1 192.0.2.1 5000 typ host":          "",
		"1 1 tcp 1 192.0.2.1 5000 typ host":          "",
		"1 1 udp 1 2001:db8::1 5000 typ host":        "",
		"1 1 udp 1 0a1b.local 5000 typ host":         "",
		"1 1 udp 1 192.0.2.1 70000 typ host":         "",
		"1 1 udp 1 192.0.2.1 0 typ host":             "",
		"1 1 udp 1 192.0.2.1":                        "",
		"":                                           "",
	} {
		if at, is := candidate(value); is != (want != "") || is && at.String() != want {
			t.Errorf("%q is %s, %v", value, at, is)
		}
	}
	many := server("actpass", "audio")
	for i := range 3 * maxCandidates {
		many += fmt.Sprintf("a=candidate:1 1 udp 1 192.0.2.%d 5000 typ host\r\n", i/2)
	}
	c, _, err := answered(t, false, many)
	if err != nil || len(c.remote.candidates) != maxCandidates {
		t.Errorf("%d candidates, %v", len(c.remote.candidates), err)
	}
}

func TestFingerprints(t *testing.T) {
	certificate := []byte("abc")
	for algorithm, value := range map[string]string{
		"sha-1":   "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
		"sha-256": "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD",
	} {
		if !announced(certificate, []sdp.Fingerprint{{Algorithm: "md5", Value: "00"}, {Algorithm: algorithm, Value: value}}) {
			t.Errorf("%s is not recognised", algorithm)
		}
		if announced([]byte("abd"), []sdp.Fingerprint{{Algorithm: algorithm, Value: value}}) {
			t.Errorf("%s of another certificate is recognised", algorithm)
		}
	}
	if announced(certificate, nil) || announced(certificate, []sdp.Fingerprint{{Algorithm: "md5", Value: ""}}) {
		t.Error("a certificate is taken without a fingerprint we know")
	}
}
