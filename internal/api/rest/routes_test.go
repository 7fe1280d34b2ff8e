package rest

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// TestStatuses has a row per route and status of rest §8.0; ∅ ends the expectation where the body must be empty.
func TestStatuses(t *testing.T) {
	const api = " /openvidu/api"
	of := func(kind fault.Kind) error { return fault.New(kind, "reason") }
	for _, test := range []struct {
		target, body string
		fail         error
		want         string
	}{
		{"POST" + api + "/sessions", "", nil, "200"},
		{"POST" + api + "/sessions", "{}", nil, "200"},
		{"POST" + api + "/sessions", "null", nil, "200"},
		{"POST" + api + "/sessions", "{", nil, "400"},
		{"POST" + api + "/sessions", "[]", nil, "400"},
		{"POST" + api + "/sessions", `{"mediaMode":"routed"}`, nil, "400"},
		{"POST" + api + "/sessions", `{"customSessionId":"a/b"}`, nil, "400"},
		{"POST" + api + "/sessions", `{"mediaNode":{}}`, nil, "400"},
		{"POST" + api + "/sessions", `{"mediaNode":"m"}`, nil, "400"},
		{"POST" + api + "/sessions", `{"defaultRecordingProperties":{"hasAudio":false,"hasVideo":false}}`, nil, "400"},
		{"POST" + api + "/sessions", `{"customSessionId":"Call"}`, nil, "409∅"},
		{"POST" + api + "/sessions", "", of(fault.NoCapacity), "503"},
		{"POST" + api + "/sessions", "", of(fault.Internal), "500"},
		{"POST" + api + "/sessions", "", of(fault.Timeout), "504"},
		{"GET" + api + "/sessions", "", nil, "200"},
		{"GET" + api + "/sessions?webRtcStats=true", "", of(fault.SessionNotFound), "200"},
		{"GET" + api + "/sessions?webRtcStats=true", "", of(fault.Internal), "500"},
		{"GET" + api + "/sessions/Call", "", nil, "200"},
		{"HEAD" + api + "/sessions/Call", "", nil, "200"},
		{"GET" + api + "/sessions/Gone", "", nil, "404∅"},
		{"GET" + api + "/sessions/Closing", "", nil, "404∅"},
		{"DELETE" + api + "/sessions/Call", "", nil, "204∅"},
		{"DELETE" + api + "/sessions/Gone", "", nil, "404∅"},
		{"DELETE" + api + "/sessions/Call", "", of(fault.SessionClosed), "404∅"},
		{"DELETE" + api + "/sessions/Call", "", of(fault.Timeout), "400"},
		{"POST" + api + "/sessions/Call/connection", "", nil, "200"},
		{"POST" + api + "/sessions/Gone/connection", "{", nil, "404∅"},
		{"POST" + api + "/sessions/Call/connection", "{", nil, "400"},
		{"POST" + api + "/sessions/Call/connection", `{"type":"OTHER"}`, nil, "400"},
		{"POST" + api + "/sessions/Call/connection", `{"role":"publisher"}`, nil, "400"},
		{"POST" + api + "/sessions/Call/connection", `{"kurentoOptions":[]}`, nil, "400"},
		{"POST" + api + "/sessions/Call/connection", `{"customIceServers":[{"url":"http://a"}]}`, nil, "400"},
		{"POST" + api + "/sessions/Call/connection", `{"type":"IPCAM","rtspUri":"rtsp://a"}`, nil, "501"},
		{"POST" + api + "/sessions/Call/connection", "", of(fault.SessionClosed), "404"},
		{"POST" + api + "/sessions/Call/connection", "", of(fault.Internal), "500"},
		{"GET" + api + "/sessions/Call/connection", "", nil, "200"},
		{"GET" + api + "/sessions/Gone/connection", "", nil, "404∅"},
		{"GET" + api + "/sessions/Call/connection/con_Pub", "", nil, "200"},
		{"GET" + api + "/sessions/Gone/connection/con_Pub", "", nil, "400∅"},
		{"GET" + api + "/sessions/Call/connection/con_Gone", "", nil, "404∅"},
		{"GET" + api + "/sessions/Call/connection/RECORDER", "", nil, "404∅"},
		{"PATCH" + api + "/sessions/Call/connection/con_Pub", `{}`, nil, "200"},
		{"PATCH" + api + "/sessions/Call/connection/con_Pub", `{"role":null}`, nil, "200"},
		{"PATCH" + api + "/sessions/Call/connection/con_Pub", `{"record":"no"}`, nil, "400"},
		{"PATCH" + api + "/sessions/Call/connection/con_Pub", `{"role":"KING"}`, nil, "400"},
		{"PATCH" + api + "/sessions/Call/connection/con_Gone", `{"role":"KING"}`, nil, "404∅"},
		{"PATCH" + api + "/sessions/Gone/connection/con_Pub", `{"role":"KING"}`, nil, "404∅"},
		{"DELETE" + api + "/sessions/Call/connection/con_Pub", "", nil, "204∅"},
		{"DELETE" + api + "/sessions/Gone/connection/con_Pub", "", nil, "400∅"},
		{"DELETE" + api + "/sessions/Call/connection/con_Gone", "", of(fault.ConnectionNotFound), "404∅"},
		{"DELETE" + api + "/sessions/Call/stream/str_A", "", nil, "204∅"},
		{"DELETE" + api + "/sessions/Gone/stream/str_A", "", nil, "400∅"},
		{"DELETE" + api + "/sessions/Call/stream/str_A", "", of(fault.StreamNotFound), "404∅"},
		{"DELETE" + api + "/sessions/Call/stream/str_A", "", of(fault.SessionInactive), "404∅"},
		{"DELETE" + api + "/sessions/Call/stream/str_A", "", of(fault.IPCamera), "405∅"},
		{"POST" + api + "/signal", `{"session":"Call"}`, nil, "200∅"},
		{"POST" + api + "/signal", "", nil, "400"},
		{"POST" + api + "/signal", `{"session":7}`, nil, "400"},
		{"POST" + api + "/signal", `{"session":"Call","to":"con_Pub"}`, nil, "400"},
		{"POST" + api + "/signal", `{"session":"Call","to":[1]}`, nil, "400"},
		{"POST" + api + "/signal", `{"session":"Gone"}`, nil, "404∅"},
		{"POST" + api + "/signal", `{"session":"Call"}`, of(fault.SessionInactive), "406∅"},
		{"POST" + api + "/signal", `{"session":"Call","to":[null]}`, of(fault.SignalTarget), "406"},
		{"POST" + api + "/tokens", `{"session":"Call"}`, nil, "200"},
		{"POST" + api + "/tokens", `{"session":"Gone"}`, nil, "404"},
		{"POST" + api + "/tokens", `{}`, nil, "400"},
		{"POST" + api + "/tokens", ``, nil, "400"},
		{"POST" + api + "/recordings/start", "{", nil, "501∅"},
		{"POST" + api + "/recordings/stop/r", "", nil, "501∅"},
		{"GET" + api + "/recordings", "", nil, "501∅"},
		{"GET" + api + "/recordings/r", "", nil, "501∅"},
		{"DELETE" + api + "/recordings/r", "", nil, "501∅"},
		{"GET" + api + "/config", "", nil, "200"},
		{"GET" + api + "/config/openvidu-version", "", nil, "200"},
		{"HEAD" + api + "/config/openvidu-publicurl", "", nil, "200"},
		{"GET" + api + "/config/openvidu-recording", "", nil, "200"},
		{"GET" + api + "/config/openvidu-recording-path", "", nil, "200∅"},
		{"GET" + api + "/config/openvidu-cdr", "", nil, "200"},
		{"GET" + api + "/health", "", nil, "200"},
		// Unmapped (rest §1.5).
		{"DELETE" + api + "/sessions", "", nil, "403∅"},
		{"DELETE" + api + "/recordings", "", nil, "403∅"},
		{"POST" + api + "/recordings/stop", "", nil, "403∅"},
		{"GET" + api + "/sessions/", "", nil, "403∅"},
		{"GET" + api + "/sessions/Call/connection/", "", nil, "403∅"},
		{"POST" + api + "/restart", "{}", nil, "403∅"}, // nobody to do it
		{"GET" + api + "/getThresholdSpeaker", "", nil, "403∅"},
		{"POST" + api + "/broadcast/start", "{}", nil, "403∅"},
		{"GET" + api, "", nil, "403∅"},
		// Paths before 2.16.
		{"GET /api/sessions/Call", "", nil, "200"},
		{"GET /config", "", nil, "200"},
		{"GET /config/openvidu-cdr", "", nil, "200"},
		{"GET /configuration", "", nil, "404∅"},
		{"GET /pro/media-nodes", "", nil, "200"},
		{"GET /pro/config", "", nil, "200"},
		{"GET /livez", "", nil, "200"},
		{"GET /readyz", "", nil, "200"},
	} {
		h, registry := server(t, nil)
		registry.states = append(registry.states, session.State{ID: "Closing", Closing: "sessionClosedByServer"})
		registry.fail = test.fail
		w := do(h, test.target, test.body)
		if want, empty := strings.CutSuffix(test.want, "∅"); strconv.Itoa(w.Code) != want || empty && w.Body.Len() > 0 {
			t.Errorf("%s %s, registry %v: got %d %q, want %s", test.target, test.body, test.fail, w.Code, w.Body, test.want)
		} else if !empty && w.Code >= 400 && !strings.Contains(w.Body.String(), `"path":"/openvidu/api`) {
			t.Errorf("%s %s: %d with body %q, want the error JSON", test.target, test.body, w.Code, w.Body)
		}
	}
}

// TestCommands says what each writing route asks of the session.
func TestCommands(t *testing.T) {
	text, role, record := "x", session.Moderator, false
	for _, test := range []struct {
		target, body string
		want         session.Command
	}{
		{"DELETE /openvidu/api/sessions/Call", "", session.Close{Reason: "sessionClosedByServer"}},
		{"POST /openvidu/api/sessions/Call/connection", `{"data":"d","role":"MODERATOR"}`, session.CreateConnection{Role: session.Moderator, Record: true, ServerData: "d", ICEServers: []session.ICEServer{}}},
		{"POST /openvidu/api/tokens", `{"session":"Call","record":false}`, session.CreateConnection{Role: session.Publisher, Record: true, ICEServers: []session.ICEServer{}}},
		{"PATCH /openvidu/api/sessions/Call/connection/con_Pub", `{"role":"MODERATOR","record":false}`, session.UpdateConnection{Connection: "con_Pub", Role: &role, Record: &record}},
		{"PATCH /openvidu/api/sessions/Call/connection/con_Pub", `{}`, nil},
		{"DELETE /openvidu/api/sessions/Call/connection/con_Pub", "", session.DeleteConnection{Connection: "con_Pub"}},
		{"DELETE /openvidu/api/sessions/Call/stream/str_A", "", session.DeleteStream{Stream: "str_A"}},
		{"POST /openvidu/api/signal", `{"session":"Call","to":["con_Pub",null],"type":"x","data":null}`, session.SendSignal{To: []string{"con_Pub", ""}, Type: &text}},
	} {
		h, registry := server(t, nil)
		do(h, test.target, test.body)
		var want []session.Command
		if test.want != nil {
			want = []session.Command{test.want}
		}
		if !reflect.DeepEqual(registry.commands, want) {
			t.Errorf("%s %s: asked %+v, want %+v", test.target, test.body, registry.commands, want)
		}
	}
}

// Without any body the configured codec does not apply; with {} it does (rest §8.1).
func TestSessionWithoutBody(t *testing.T) {
	h, registry := server(t, nil)
	do(h, "POST /openvidu/api/sessions", "")
	do(h, "POST /openvidu/api/sessions", "{}")
	none, braces := registry.created[0], registry.created[1]
	if !none.NoCodecPolicy || none.ForcedVideoCodec != "MEDIA_SERVER_PREFERRED" || none.AllowTranscoding {
		t.Errorf("no body: %+v", none)
	}
	if braces.NoCodecPolicy || braces.ForcedVideoCodec != "VP8" || !braces.AllowTranscoding {
		t.Errorf("{}: %+v", braces)
	}
}

func TestDefaultsAreThoseOfAnEmptyBody(t *testing.T) {
	h, registry := server(t, nil)
	do(h, "POST /openvidu/api/sessions", "{}")
	if got := Defaults(openvidu.RESTConfig{ForcedVideoCodec: "VP8", AllowTranscoding: true}); !reflect.DeepEqual(got, registry.created[0]) {
		t.Errorf("got %+v, want %+v", got, registry.created[0])
	}
}

func TestDeprecatedPathsCanBeOff(t *testing.T) {
	h, _ := server(t, func(c *Config) { c.Deprecated = false })
	for _, target := range []string{"GET /api/sessions", "GET /config"} {
		if w := do(h, target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestBeforeTheRecordsAreLoaded(t *testing.T) {
	h, registry := server(t, nil)
	registry.ready = make(chan struct{})
	for target, want := range map[string]int{
		"GET /openvidu/api/sessions": 503, "GET /openvidu/api/health": 503, "GET /readyz": 503, "GET /livez": 200, "GET /openvidu/api/config": 200,
	} {
		if w := do(h, target, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}

func TestPathsAreServed(t *testing.T) {
	h, _ := server(t, nil)
	mux := http.NewServeMux()
	for _, p := range Paths {
		mux.Handle(p, h)
	}
	for _, target := range []string{"GET /openvidu/api/sessions", "GET /api/sessions", "GET /config", "GET /config/openvidu-cdr", "GET /livez", "GET /readyz"} {
		if w := do(mux, target, ""); w.Code != http.StatusOK {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestNewRefusesBadSettings(t *testing.T) {
	if _, err := New(Config{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no secret: %v", err)
	}
	_, err := New(Config{Secret: "s", ICEServers: []openvidu.RESTICEServer{{URL: "stun:a"}, {URL: "turn:b"}}})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "entry 2") {
		t.Errorf("a TURN server without credentials: %v", err)
	}
}
