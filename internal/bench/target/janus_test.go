package target

import (
	"context"
	"encoding/json"
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
	if err := viewer.Subscribe(ctx, speaker, &paper{}); err != errNoStream {
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
