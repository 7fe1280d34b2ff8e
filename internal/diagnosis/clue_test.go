package diagnosis

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// The lines of openvidu-browser 2.18 to 2.32, as JSNLog sends them: the arguments of the logger as a JSON object.
func sent(t *testing.T, line string) string {
	t.Helper()
	b, err := json.Marshal(map[string]string{"0": line})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLinesOfStockClientsAreRead(t *testing.T) {
	const pc = "IceConnectionState of RTCPeerConnection 0f3c1c1e-9c5b-4f7e-8a3e-1d2a0b7c9f11 ("
	for line, want := range map[string]struct{ name, word string }{
		pc + `publisher of con_ann) change to "checking"`:                                           {publisherClue, "checking"},
		pc + `str_CAM_x_con_y) change to "connected"`:                                               {"str_CAM_x_con_y", "connected"},
		pc + `str_CAM_x_con_y) change to "disconnected". Possible network disconnection`:            {"str_CAM_x_con_y", "disconnected"},
		pc + `publisher of con_ann) to "failed"`:                                                    {publisherClue, "failed"},
		`IceConnectionState of RTCPeerConnection undefined (publisher of con_a) change to "closed"`: {publisherClue, "closed"},
	} {
		for _, text := range []string{line, sent(t, line)} {
			var c Clues
			c.read(text, start)
			if got := c.ICE[want.name]; got.Word != want.word || got.At != start {
				t.Errorf("%s: %+v", text, c)
			}
		}
	}
	for _, line := range []string{"IceConnectionState is fine", "IceConnectionState of RTCPeerConnection 1 (x) change to nothing", "hello"} {
		var c Clues
		if c.read(line, start); len(c.ICE) > 0 || c.CameraBusy != 0 {
			t.Errorf("%q: %+v", line, c)
		}
	}
	var c Clues
	c.read(sent(t, "Error sending ICE candidate: {\"code\":1}"), start)
	if c.Refused != start {
		t.Errorf("%+v", c)
	}
}

// TestFAQ_01b__: which participant's device is busy is told by its log, whatever the app makes of it, until its video flows.
func TestFAQ_01b__BusyCamera(t *testing.T) {
	for _, line := range []string{
		"getMediaError: NotReadableError: Could not start video source",
		`Error while publishing: {"name":"DEVICE_ALREADY_IN_USE","message":"NotReadableError: Device in use"}`,
	} {
		j, _ := journalOf()
		j.ClientLines("s", "con_ann", []ClientLine{{At: start + 5, Level: "ERROR", Text: sent(t, line)}}, start+10)
		e := publisher() // joined with its sound alone
		e.Facts.Tracks, e.Announced.Video = e.Facts.Tracks[:1], false
		v := seen(e)
		v.Clues, v.Now = j.Clues("s", "con_ann"), start+20
		found := Detect(v)
		if len(found) != 1 || found[0].Code != CameraBusy {
			t.Fatalf("%s: %+v", line, found)
		}
		if r := found[0].record(v); r.Connection != "con_ann" || r.Side != Client {
			t.Errorf("record %+v", r)
		}
		v = seen(publisher())
		v.Clues, v.Now, v.Filmed = j.Clues("s", "con_ann"), start+5000, start+4980
		if got := codes(v); len(got) > 0 {
			t.Errorf("video flows: %v", got)
		}
	}
}

func TestCluesAreBounded(t *testing.T) {
	var c Clues
	for i := range 3 * maxClues {
		c.read(fmt.Sprintf(`IceConnectionState of RTCPeerConnection 1 (str_%d) change to "new"`, i), start)
	}
	if len(c.ICE) != maxClues {
		t.Errorf("%d states are kept", len(c.ICE))
	}
	copied := c.clone()
	copied.ICE["x"] = State{}
	if _, ok := c.ICE["x"]; ok {
		t.Error("a clone shares its map")
	}
}

func TestCandidatesAreRead(t *testing.T) {
	for line, want := range map[string]candidate{
		candidates[0]: {udp: true, address: "192.168.1.20", port: 50000, kind: "host", base: hiddenBase},
		candidates[2]: {udp: true, address: "198.51.100.7", port: 50000, kind: "srflx", base: "192.168.1.20 50000"},
		"a=candidate:1 1 UDP 1 2001:db8::1 5 typ srflx raddr :: rport 9": {udp: true, address: "2001:db8::1", port: 5, kind: "srflx", base: hiddenBase},
		"candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active":        {address: "192.0.2.1", port: 9, kind: "host", base: hiddenBase},
		"candidate:1 1 udp 1 192.0.2.1 x typ host":                       {},
		"candidate:1 1 udp 1 192.0.2.1 5 type host":                      {},
		"": {},
		"candidate:1 1 udp 1 192.0.2.1 5 typ relay raddr":                      {udp: true, address: "192.0.2.1", port: 5, kind: "relay", base: hiddenBase},
		"candidate:1 1 udp 1 192.0.2.1 5 typ relay raddr 198.51.100.7 rport 3": {udp: true, address: "192.0.2.1", port: 5, kind: "relay", base: "198.51.100.7 3"},
	} {
		if got := parseCandidate(line); got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

func FuzzClues(f *testing.F) {
	f.Add(`IceConnectionState of RTCPeerConnection 1 (publisher of x) to "failed"`, candidates[2])
	f.Fuzz(func(_ *testing.T, line, candidate string) {
		var c Clues
		c.read(line, start)
		parseCandidate(candidate)
		samePlace(line, candidate)
		prefixOf(candidate)
	})
}

func TestSamePlace(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"udp 192.0.2.1:5000", "udp 192.0.2.1:5001"}: true,
		{"udp 192.0.2.1:5000", "udp 192.0.2.1:5000"}: false,
		{"udp 192.0.2.1:5000", "udp 192.0.2.2:5001"}: false,
		{"tcp 192.0.2.1:5000", "udp 192.0.2.1:5001"}: false,
		{"udp x", "udp y"}:                           false,
	} {
		if got := samePlace(pair[0], pair[1]); got != want {
			t.Errorf("%v: %v", pair, got)
		}
	}
	if got := distinct([]string{"H264", "h264", "VP8"}); !slices.Equal(got, []string{"H264", "VP8"}) {
		t.Errorf("distinct: %v", got)
	}
}
