package signal

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tertulia/internal/wire/openvidu"
)

// generations are the release lines of spec §12.1, each with a script of a call of it, and the first release of the next.
var generations = []struct{ script, before string }{
	{"gen-1x", "2.0"}, {"gen-20", "2.8"}, {"gen-28", "2.16"}, {"gen-216", "2.20"}, {"gen-220", "3.0"},
}

// everywhere is what the generations send, or are sent, differently, or could not do without.
var everywhere = strings.Fields(`ping joinRoom leaveRoom publishVideo unpublishVideo receiveVideoFrom unsubscribeFromVideo onIceCandidate sendMessage
	participantJoined participantPublished participantUnpublished participantLeft participantEvicted iceCandidate`)

// TestEveryRowHasItsGoldenFrames: each method is asked and answered, and each notification told, in the script of the
// first generation that knows it; what differs between generations, in those of all.
func TestEveryRowHasItsGoldenFrames(t *testing.T) {
	since := map[string]string{}
	for _, m := range openvidu.Methods {
		since[m.Name] = m.Since
	}
	for _, n := range openvidu.Notifications {
		if since[n.Name] == "" {
			since[n.Name] = n.Since
		}
	}
	since[openvidu.NameForcedOffer] = "2.21" // 2.19 would understand it, but cannot be told from 2.18
	missing := map[string]bool{}
	for name := range since {
		missing[name] = true
	}
	for _, g := range generations {
		asked, told := goldenFrames(t, "testdata/sequences/"+g.script+".txt")
		for name, first := range since {
			_, isMethod := openvidu.FindMethod(name)
			isNotice := slices.ContainsFunc(openvidu.Notifications, func(n openvidu.Notification) bool { return n.Name == name })
			due := missing[name] && older(first, g.before) || slices.Contains(everywhere, name)
			if due && isMethod && !asked[name] {
				t.Errorf("%s: %s is not sent and answered", g.script, name)
			}
			if due && isNotice && !told[name] {
				t.Errorf("%s: %s is not told", g.script, name)
			}
			if older(first, g.before) {
				delete(missing, name)
			}
		}
	}
	for name := range missing {
		t.Errorf("%s (since %s) is in no script", name, since[name])
	}
}

var request = regexp.MustCompile(`^(\w+)> (\w+)`)

// goldenFrames returns the methods that were answered in a script, and the notifications that were told.
func goldenFrames(t *testing.T, path string) (answered, told map[string]bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	answered, told = map[string]bool{}, map[string]bool{}
	waiting, sent := map[string]string{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		if m := request.FindStringSubmatch(line); m != nil {
			waiting[m[1]+strconv.Itoa(sent[m[1]])] = m[2]
			sent[m[1]]++
			continue
		}
		name, frame, ok := strings.Cut(strings.TrimSpace(line), "< ")
		if !ok || strings.Contains(name, " ") {
			continue
		}
		var f struct {
			ID     *int
			Method string
		}
		if err := json.Unmarshal([]byte(frame), &f); err != nil {
			t.Fatalf("%s: %s: %v", path, line, err)
		}
		if f.ID == nil {
			told[f.Method] = true
		} else if key := name + strconv.Itoa(*f.ID); waiting[key] != "" {
			answered[waiting[key]] = true
			delete(waiting, key)
		}
	}
	for key, method := range waiting {
		t.Errorf("%s: %s (%s) is never answered", path, method, key)
	}
	return answered, told
}

// older compares releases: 2.9 is older than 2.16.
func older(a, b string) bool {
	number := func(s string) (n [2]int) {
		for i, part := range strings.SplitN(s, ".", 2) {
			n[i], _ = strconv.Atoi(part)
		}
		return n
	}
	x, y := number(a), number(b)
	return slices.Compare(x[:], y[:]) < 0
}
