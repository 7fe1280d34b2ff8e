package rest

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

func TestBodyLimit(t *testing.T) {
	h, registry := server(t, nil)
	body := func(size int) string { return `{"data":"` + strings.Repeat("a", size-len(`{"data":""}`)) + `"}` }
	if w := do(h, "POST /openvidu/api/sessions/Call/connection", body(maxBody)); w.Code != 200 {
		t.Errorf("a body of the largest size: %d", w.Code)
	}
	registry.commands = nil
	if w := do(h, "POST /openvidu/api/sessions/Call/connection", body(maxBody+1)); w.Code != 413 || len(registry.commands) > 0 {
		t.Errorf("one byte more: %d, commands %v", w.Code, registry.commands)
	}
}

// brokenBody is a connection that breaks while the body is read.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }

func TestBrokenBody(t *testing.T) {
	h, _ := server(t, nil)
	r := httptest.NewRequest("POST", "/openvidu/api/sessions", brokenBody{})
	r.SetBasicAuth("OPENVIDUAPP", secret)
	if w := send(h, r); w.Code != 400 {
		t.Errorf("got %d", w.Code)
	}
}

func TestContentTypes(t *testing.T) {
	h, _ := server(t, nil)
	for _, test := range []struct {
		target, kind, body string
		want               int
	}{
		{"POST /openvidu/api/sessions", "", "{}", 200},
		{"POST /openvidu/api/sessions", "application/json; charset=utf-8", "{}", 200},
		{"POST /openvidu/api/sessions", "application/x-www-form-urlencoded", "", 200},
		{"POST /openvidu/api/sessions", "application/x-www-form-urlencoded", "{}", 400},
		{"POST /openvidu/api/sessions", "text/plain;charset=UTF-8", "{}", 400},
		{"POST /openvidu/api/recordings/stop/r", "application/x-www-form-urlencoded", "", 501},
		{"GET /openvidu/api/sessions", "application/x-www-form-urlencoded", "", 200},
		{"DELETE /openvidu/api/sessions/Call", "application/x-www-form-urlencoded", "x=y", 204},
	} {
		r := newRequest(test.target, test.body)
		r.Header.Set("Content-Type", test.kind)
		r.SetBasicAuth("OPENVIDUAPP", secret)
		if w := send(h, r); w.Code != test.want {
			t.Errorf("%s as %q with %q: %d, want %d", test.target, test.kind, test.body, w.Code, test.want)
		}
	}
}

func TestCORS(t *testing.T) {
	h, _ := server(t, nil)
	r := newRequest("OPTIONS /openvidu/api/sessions/Call", "")
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Access-Control-Request-Method", "DELETE")
	r.Header.Set("Access-Control-Request-Headers", "authorization,x-mine")
	w := send(h, r)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "DELETE", "Access-Control-Allow-Headers": "authorization,x-mine",
		"Access-Control-Allow-Credentials": "",
	} {
		if got := w.Header().Get(name); w.Code != 200 || got != want {
			t.Errorf("preflight %d: %s is %q, want %q", w.Code, name, got, want)
		}
	}
	r = newRequest("GET /openvidu/api/sessions", "")
	r.Header.Set("Origin", "https://app.example")
	if w := send(h, r); w.Code != 401 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a page must be able to read the 401: %d %v", w.Code, w.Header())
	}
	if w := send(h, newRequest("GET /livez", "")); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS headers without Origin")
	}
}

func TestOwnFailuresAreLoggedNotTold(t *testing.T) {
	var log bytes.Buffer
	h, registry := server(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	registry.fail = fault.New(fault.Internal, "disk on fire")
	w := do(h, "DELETE /openvidu/api/sessions/Call", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "fire") || !strings.Contains(log.String(), "fire") {
		t.Errorf("%d %s, log %s", w.Code, w.Body, &log)
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestDeprecatedPathsAreLogged(t *testing.T) {
	var log bytes.Buffer
	h, _ := server(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	send(h, newRequest("GET /api/sessions", ""))
	if log.Len() > 0 {
		t.Errorf("logged for a stranger: %s", &log)
	}
	do(h, "GET /api/sessions", "")
	if !strings.Contains(log.String(), "present=/openvidu/api/sessions") {
		t.Errorf("log: %s", &log)
	}
}

// TestNoRoom: what brings participants is refused by name when there is no room for them; the rest goes on.
func TestNoRoom(t *testing.T) {
	h, registry := server(t, func(c *Config) {
		c.Room = func() error { return fault.New(fault.NoCapacity, "FD_LIMIT: 180 of the 256 files") }
	})
	for target, want := range map[string]int{
		"POST /openvidu/api/sessions": 503, "POST /openvidu/api/sessions/Call/connection": 503, "POST /openvidu/api/tokens": 503,
		"GET /openvidu/api/sessions": 200, "PATCH /openvidu/api/sessions/Call/connection/con_Pub": 200, "DELETE /openvidu/api/sessions/Call": 204,
	} {
		w := do(h, target, "{}")
		if w.Code != want || want == 503 && (!strings.Contains(w.Body.String(), `"message":"FD_LIMIT: 180`) || w.Header().Get("Retry-After") == "") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if len(registry.created) > 0 {
		t.Error("a session was made")
	}
}

// TestExactAnswers: scripts compare these with a text.
func TestExactAnswers(t *testing.T) {
	h, _ := server(t, nil)
	for target, want := range map[string]string{
		"GET /openvidu/api/config/openvidu-recording": "false",
		"GET /openvidu/api/config/openvidu-cdr":       "false",
		"GET /openvidu/api/config/openvidu-version":   "2.32.1",
		"GET /api/getUpdateSpeakerInterval":           "1800",
		"GET /openvidu/cdr":                           "[]",
	} {
		if w := do(h, target, ""); w.Body.String() != want {
			t.Errorf("%s answers %q, want %q", target, w.Body, want)
		}
	}
}
