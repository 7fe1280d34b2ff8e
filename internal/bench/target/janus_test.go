package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// janusAsked is a request as the fake reads it.
type janusAsked struct {
	Janus       string         `json:"janus"`
	Transaction string         `json:"transaction"`
	Handle      uint64         `json:"handle_id"`
	Body        map[string]any `json:"body"`
	Description janusSDP       `json:"jsep"`
}

// janusScript plays the server. The room is there already; a feed is known once webrtcup was said.
func janusScript(s *script) {
	for m := s.read(); m != nil; m = s.read() {
		var r janusAsked
		if json.Unmarshal(m, &r) != nil {
			return
		}
		say := func(format string, args ...any) { s.say(websocket.MessageText, fmt.Appendf(nil, format, args...)) }
		plugin := func(kind, data, jsep string) {
			say(`{"janus":%q,"transaction":%q,"sender":%d,"plugindata":{"data":%s}%s}`, kind, r.Transaction, r.Handle, data, jsep)
		}
		switch r.Janus {
		case "create", "attach":
			say(`{"janus":"success","transaction":%q,"data":{"id":4503599627370497}}`, r.Transaction)
		case "destroy":
			say(`{"janus":"success","transaction":%q}`, r.Transaction)
		case "message":
			if r.Body["request"] != "create" {
				say(`{"janus":"ack","transaction":%q}`, r.Transaction)
			}
			switch r.Body["request"] {
			case "create":
				plugin("success", `{"videoroom":"event","error_code":427,"error":"Room r already exists"}`, "")
			case "joinandconfigure":
				plugin("event", `{"videoroom":"joined","id":"feed1"}`, `,"jsep":{"type":"answer","sdp":"answer to `+r.Description.SDP+`"}`)
				say(`{"janus":"webrtcup","sender":%d}`, r.Handle)
			case "join":
				plugin("event", `{"videoroom":"attached"}`, `,"jsep":{"type":"offer","sdp":"offer"}`)
			case "start":
				plugin("event", `{"videoroom":"event","started":"ok"}`, "")
			}
		}
	}
}

func TestJanusConversation(t *testing.T) {
	f := newFake(t, janusScript)
	server := &janus{process: &process{}, port: f.port, address: netip.MustParseAddr("192.0.2.1")}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	speaker, err := server.Join(ctx, "r", "anna")
	check(t, err)
	viewer, err := server.Join(ctx, "r", "ben")
	check(t, err)
	if err := viewer.Subscribe(ctx, speaker, &paper{}); !errors.Is(err, errNoStream) {
		t.Errorf("Subscribe before Publish = %v", err)
	}
	microphone, screen := &paper{offer: "sound"}, &paper{}
	check(t, speaker.Publish(ctx, microphone))
	check(t, viewer.Subscribe(ctx, speaker, screen))
	if microphone.accepted != "answer to sound" || len(screen.answered) != 1 || screen.answered[0] != "offer" {
		t.Errorf("accepted %q, answered %q", microphone.accepted, screen.answered)
	}
	check(t, viewer.Leave())
	check(t, speaker.Leave())
}

func TestJanusErrorsComeBack(t *testing.T) {
	f := newFake(t, func(s *script) {
		var r janusAsked
		if json.Unmarshal(s.read(), &r) == nil {
			s.say(websocket.MessageText, fmt.Appendf(nil, `{"janus":"error","transaction":%q,"error":{"code":403,"reason":"no"}}`, r.Transaction))
		}
	})
	_, err := (&janus{process: &process{}, port: f.port}).Join(t.Context(), "r", "anna")
	if err == nil || err.Error() != "no (error 403)" {
		t.Errorf("Join = %v", err)
	}
}

func TestJanusSendsNothingOutOfTheMachine(t *testing.T) {
	server := &janus{address: netip.MustParseAddr("192.0.2.1")}
	const line = "v=0\r\na=candidate:1 1 udp 1 %s 9 typ host\r\n"
	check(t, server.reaches(fmt.Sprintf(line, "192.0.2.1")))
	for _, elsewhere := range []string{"127.0.0.1", "192.0.2.10", "x"} {
		if server.reaches(fmt.Sprintf(line, elsewhere)) == nil {
			t.Errorf("%s is reached", elsewhere)
		}
	}
	if ClientAddress(server) != server.address || ClientAddress(LiveKit("")) != netip.MustParseAddr("127.0.0.1") {
		t.Error("ClientAddress is another")
	}
}

func TestJanusConfigNamesWhatItNeeds(t *testing.T) {
	folder := t.TempDir()
	check(t, janusConfig(folder, netip.MustParseAddr("192.0.2.1"), 8188))
	for file, want := range map[string]string{
		"janus.jcfg": `ice_enforce_list = "192.0.2.1"`, "janus.transport.websockets.jcfg": `ws_ip = "127.0.0.1"`,
		"janus.plugin.videoroom.jcfg": "string_ids = true",
	} {
		if text := read(t, folder+"/"+file); !strings.Contains(text, want) {
			t.Errorf("%s lacks %s:\n%s", file, want, text)
		}
	}
}

func TestJanusRefusals(t *testing.T) {
	refuse := ""
	f := newFake(t, func(s *script) {
		for m := s.read(); m != nil; m = s.read() {
			var r janusAsked
			if json.Unmarshal(m, &r) != nil {
				return
			}
			answer := `{"janus":"success","transaction":%q,"data":{"id":7}}`
			if r.Janus == "message" && r.Body["request"] == refuse {
				answer = `{"janus":"event","transaction":%q,"plugindata":{"data":{"videoroom":"event","error_code":499,"error":"not today"}}}`
			}
			s.say(websocket.MessageText, fmt.Appendf(nil, answer, r.Transaction))
		}
	})
	server := &janus{process: &process{}, port: f.port}
	from := &janusParticipant{line: &line{}, feed: "feed", handle: 7, up: map[uint64]bool{7: true}}
	for _, c := range []struct {
		request string
		do      func(Participant) error
	}{
		{"create", func(p Participant) error { return p.Publish(t.Context(), &paper{}) }},
		{"joinandconfigure", func(p Participant) error { return p.Publish(t.Context(), &paper{}) }},
		{"join", func(p Participant) error { return p.Subscribe(t.Context(), from, &paper{}) }},
		{"start", func(p Participant) error { return p.Subscribe(t.Context(), from, &paper{}) }},
	} {
		refuse = c.request
		p, err := server.Join(t.Context(), "r", "anna")
		check(t, err)
		if err := c.do(p); err == nil || err.Error() != c.request+": not today (error 499)" {
			t.Errorf("%s: %v", c.request, err)
		}
		check(t, p.Leave())
	}
}

// A feed is there from webrtcup to hangup.
func TestJanusWaitsForTheFeed(t *testing.T) {
	publisher := &janusParticipant{line: &line{}, feed: "feed", handle: 7, up: map[uint64]bool{}, answers: map[string]janusMessage{}}
	viewer := &janusParticipant{server: &janus{}, line: &line{ended: errLeft}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, m := range []string{`{"janus":"webrtcup","sender":8}`, `{"janus":"webrtcup","sender":7}`, `{"janus":"hangup","sender":7}`, `{`, `{"janus":"success","transaction":"9"}`} {
		publisher.take([]byte(m))
	}
	if err := viewer.Subscribe(ended, publisher, &paper{}); err == nil || !strings.Contains(err.Error(), "the publisher's transport") {
		t.Errorf("Subscribe = %v", err)
	}
	if len(publisher.answers) != 0 {
		t.Errorf("kept answers nobody asked for: %v", publisher.answers)
	}
}
