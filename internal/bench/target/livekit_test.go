package target

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestLivekitToken(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	token, err := livekitToken("secret", "anna", now, livekitGrant{RoomJoin: true, Room: "r", CanSubscribe: true})
	check(t, err)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if sum, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil || !hmac.Equal(sum, mac.Sum(nil)) {
		t.Error("the signature is wrong")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	check(t, err)
	var got map[string]any
	check(t, json.Unmarshal(body, &got))
	want := map[string]any{
		"iss": "bench", "sub": "anna", "nbf": 1_799_999_940.0, "exp": 1_800_086_400.0,
		"video": map[string]any{"roomJoin": true, "room": "r", "canPublish": false, "canSubscribe": true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("claims %v", got)
	}
}

// The bytes are what protoc's encoding of the same messages is (field number << 3 | wire type).
func TestLivekitRequests(t *testing.T) {
	for name, c := range map[string]struct{ got, want []byte }{
		"offer":     {livekitSDP{kind: "offer", text: "v", id: 3}.request(requestOffer), []byte("\x0a\x0c\x0a\x05offer\x12\x01v\x18\x03")},
		"audio":     {livekitTrack{cid: "c", name: "n", source: 2}.request(), []byte("\x22\x08\x0a\x01c\x12\x01n\x40\x02")},
		"video":     {livekitTrack{cid: "c", kind: 1, source: 1, width: 1280, height: 720}.request(), []byte("\x22\x0d\x0a\x01c\x18\x01\x20\x80\x0a\x28\xd0\x05\x40\x01")},
		"subscribe": {subscribeRequest([]string{"a", "b"}), []byte("\x32\x08\x0a\x01a\x0a\x01b\x10\x01")},
		"ping":      {pingRequest(300), []byte("\x82\x01\x03\x08\xac\x02")},
		"leave":     {leaveRequest(), []byte("\x42\x02\x10\x01")},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: %x, want %x", name, c.got, c.want)
		}
	}
}

func TestParseTrickle(t *testing.T) {
	const host = "candidate:1 1 udp 1 127.0.0.1 9 typ host"
	for _, c := range []struct {
		init       string
		target     uint64
		candidate  string
		subscriber bool
	}{
		{`{"candidate":"` + host + `","sdpMid":""}`, 1, host, true},
		{`{"candidate":"` + host + `"}`, 0, host, false},
		{`{"candidate":"candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype passive"}`, 1, "", true},
		{`{"candidate":""}`, 1, "", true},
		{`{"candidate":`, 0, "", false},
	} {
		candidate, subscriber := parseTrickle(message(1, c.init, 2, c.target))
		if candidate != c.candidate || subscriber != c.subscriber {
			t.Errorf("%s: %q %v", c.init, candidate, subscriber)
		}
	}
}

func FuzzLivekitTake(f *testing.F) {
	f.Add(message(responseJoin, message(11, uint64(5))))
	f.Add(message(responsePublished, message(1, "c", 2, message(1, "TR_a"))))
	f.Add(message(responseOffer, message(1, "offer", 2, "v=0", 3, uint64(1))))
	f.Add(message(responseTrickle, message(1, `{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host"}`, 2, uint64(1))))
	f.Add([]byte{0x0a, 0xff})
	f.Fuzz(func(t *testing.T, m []byte) {
		c := &livekitConn{line: &line{}, published: map[string]string{}}
		c.take(m)
		for _, candidate := range append(c.candidates[0], c.candidates[1]...) {
			if len(strings.Fields(candidate)) < 8 {
				t.Errorf("candidate %q", candidate)
			}
		}
	})
}

const livekitTrickled = `{"candidate":"candidate:2 1 udp 1 127.0.0.1 10 typ host"}`

// livekitScript plays the server: it names two tracks, answers, and offers first nothing and then the tracks.
func livekitScript(s *script) {
	say := func(fields ...any) { s.say(websocket.MessageBinary, message(fields...)) }
	say(responseJoin, message(11, uint64(60)))
	for m := s.read(); m != nil; m = s.read() {
		eachField(m, func(field int, body []byte, _ uint64) {
			switch field {
			case requestAddTrack:
				cid, _ := parsePublished(body) // its first field is the cid too
				say(responsePublished, message(1, cid, 2, message(1, "TR_"+cid)))
			case requestOffer:
				say(responseTrickle, message(1, livekitTrickled, 2, uint64(0)))
				say(responseAnswer, message(1, "answer", 2, "v=0\r\nm=audio 9 x 111\r\n"))
			case requestSubscribe:
				say(responseOffer, message(1, "offer", 2, "v=0\r\nm=application 9 x\r\n", 3, uint64(1)))
				say(responseTrickle, message(1, livekitTrickled, 2, uint64(1)))
			case requestAnswer:
				if answer := parseSDP(body); answer.id == 1 && answer.text == "answer 1" {
					say(responseOffer, message(1, "offer", 2, "v=0\r\nm=audio 9 x 111\r\na=msid:PA TR_a\r\na=msid:PA TR_v\r\n", 3, uint64(2)))
				}
			}
		})
	}
}

const twoTracks = "v=0\r\nm=audio 9 x 111\r\na=msid:s a\r\nm=video 9 x 96\r\na=msid:s v\r\n"

func TestLivekitConversation(t *testing.T) {
	f := newFake(t, livekitScript)
	server := &livekit{process: &process{}, port: f.port, secret: "s"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	speaker, err := server.Join(ctx, "r", "anna")
	check(t, err)
	microphone := &paper{offer: twoTracks}
	check(t, speaker.Publish(ctx, microphone))
	if !strings.Contains(microphone.accepted, "a=candidate:2 1 udp") {
		t.Errorf("accepted %q", microphone.accepted)
	}
	viewer, err := server.Join(ctx, "r", "ben")
	check(t, err)
	for range 2 { // the second subscription has a connection of its own
		screen := &paper{}
		check(t, viewer.Subscribe(ctx, speaker, screen))
		if len(screen.answered) != 2 || !strings.Contains(screen.answered[1], "TR_v") || !hasCandidate(screen.answered[0]) {
			t.Errorf("answered %q", screen.answered)
		}
	}
	check(t, viewer.Leave())
	check(t, speaker.Leave())
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queries) != 4 {
		t.Errorf("%d connections", len(f.queries))
	}
	for _, q := range f.queries {
		if q.Get("auto_subscribe") != "0" || q.Get("adaptive_stream") != "0" || q.Get("access_token") == "" {
			t.Errorf("query %v", q)
		}
	}
}

func TestLivekitRefusal(t *testing.T) {
	f := newFake(t, func(s *script) {
		s.say(websocket.MessageBinary, message(responseJoin, message(11, uint64(60))))
		s.read() // the first ping
		s.read() // the subscription
		s.say(websocket.MessageBinary, message(responseLeave, message(2, uint64(1))))
	})
	server := &livekit{process: &process{}, port: f.port, secret: "s"}
	viewer, err := server.Join(t.Context(), "r", "ben")
	check(t, err)
	from := &livekitParticipant{tracks: []string{"TR_a"}}
	if err := viewer.Subscribe(t.Context(), from, &paper{}); err == nil || !strings.Contains(err.Error(), errSentAway.Error()) {
		t.Errorf("Subscribe = %v", err)
	}
	check(t, viewer.Leave())
}

func TestLivekitNeedsNamedTracks(t *testing.T) {
	f := newFake(t, livekitScript)
	speaker, err := (&livekit{process: &process{}, port: f.port, secret: "s"}).Join(t.Context(), "r", "anna")
	check(t, err)
	if err := speaker.Publish(t.Context(), &paper{offer: "v=0\r\nm=audio 9 x 111\r\n"}); err == nil {
		t.Error("published tracks without names")
	}
	check(t, speaker.Leave())
}

func TestLivekitSubscribersNeedAStreamOfTheirServer(t *testing.T) {
	f := newFake(t, livekitScript)
	viewer, err := (&livekit{process: &process{}, port: f.port, secret: "s"}).Join(t.Context(), "r", "ben")
	check(t, err)
	if err := viewer.Subscribe(t.Context(), &livekitParticipant{}, &paper{}); !errors.Is(err, errNoStream) {
		t.Errorf("Subscribe to nothing = %v", err)
	}
	if err := viewer.Subscribe(t.Context(), &janusParticipant{}, &paper{}); !errors.Is(err, errOtherServer) {
		t.Errorf("Subscribe to another server's = %v", err)
	}
	check(t, viewer.Leave())
}

// A server that refuses the websocket says why.
func TestLivekitUnauthorized(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }))
	defer web.Close()
	server := &livekit{process: &process{}, port: web.Listener.Addr().(*net.TCPAddr).Port}
	if _, err := server.Join(t.Context(), "r", "anna"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("Join = %v", err)
	}
	if err := server.answers(t.Context()); err == nil || err.Error() != "status 401" {
		t.Errorf("answers = %v", err)
	}
}

// The program is told where its configuration is, and its version is what it says.
func TestLivekitStart(t *testing.T) {
	program := filepath.Join(t.TempDir(), "livekit-server")
	const script = `#!/bin/sh
case $1 in
--version) echo livekit-server version 9.8.7 ;;
--config) cat "$2"; exit 4 ;;
esac
`
	check(t, os.WriteFile(program, []byte(script), 0o700))
	server := LiveKit(program)
	if server.Version() != "9.8.7" {
		t.Errorf("version %q", server.Version())
	}
	err := server.Start(t.Context(), nil)
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"exit status 4", "node_ip: 127.0.0.1", "includes: [lo]", "level: error", `bind_addresses: ["127.0.0.1"]`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}
