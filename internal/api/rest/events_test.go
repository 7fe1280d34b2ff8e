package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// fakeEvents answers with what it was asked.
type fakeEvents struct {
	after uint64
	limit int
	fail  error
}

func (f *fakeEvents) After(_ context.Context, after uint64, limit int) (openvidu.RESTEvents, error) {
	f.after, f.limit = after, limit
	return openvidu.RESTEvents{
		RESTList: openvidu.NewRESTList([]openvidu.RESTEvent{{Number: 8, Event: json.RawMessage(`{"sessionId":"a&b","event":"sessionCreated"}`)}}), Oldest: 3, Latest: 8,
	}, f.fail
}

func TestGetEvents(t *testing.T) {
	events := &fakeEvents{}
	h, _ := server(t, func(c *Config) { c.Events = events })
	w := do(h, "GET /openvidu/api/events?after=7&limit=20", "")
	want := `{"numberOfElements":1,"content":[{"number":8,"event":{"sessionId":"a&b","event":"sessionCreated"}}],"oldest":3,"latest":8}`
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != want || events.after != 7 || events.limit != 20 {
		t.Errorf("%d %s after %d, limit %d", w.Code, w.Body, events.after, events.limit)
	}
	do(h, "GET /openvidu/api/events", "")
	if events.after != 0 || events.limit != 1000 {
		t.Errorf("by default after %d, limit %d", events.after, events.limit)
	}
	for _, query := range []string{"after=-1", "after=x", "limit=1001", "limit=1.5"} {
		if w := do(h, "GET /openvidu/api/events?"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	events.fail = fault.New(fault.Timeout, "the store did not answer in time")
	if w := do(h, "GET /openvidu/api/events", ""); w.Code != http.StatusGatewayTimeout {
		t.Errorf("a store that is slow: %d", w.Code)
	}
	none, _ := server(t, nil)
	if w := do(none, "GET /openvidu/api/events", ""); strings.TrimSpace(w.Body.String()) != `{"numberOfElements":0,"content":[],"oldest":0,"latest":0}` {
		t.Errorf("without events: %s", w.Body)
	}
}

func TestCDRFiles(t *testing.T) {
	outside := t.TempDir()
	folder := filepath.Join(outside, "cdr")
	for name, text := range map[string]string{
		"cdr/CDR.2026-01-01_10-00-00.log": "one\ntwo\n", "cdr/old/CDR.2025-01-01_10-00-00.log": "old\n", "cdr/notes.txt": "notes", "cdr/system.log": "system", "secret.log": "secret",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(outside, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(outside, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(outside, "secret.log"), filepath.Join(folder, "CDR.link.log")); err != nil {
		t.Fatal(err)
	}
	now := folder
	h, _ := server(t, func(c *Config) { c.CDR = func() string { return now } })
	var names []string
	if w := do(h, "GET /openvidu/cdr", ""); w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &names) != nil ||
		!slices.Equal(names, []string{"CDR.2026-01-01_10-00-00.log", "CDR.2025-01-01_10-00-00.log"}) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/openvidu/cdr/CDR.2026-01-01_10-00-00.log", "/cdr/CDR.2026-01-01_10-00-00.log"} {
		if w := do(h, "GET "+path, ""); w.Code != http.StatusOK || w.Body.String() != "one\ntwo\n" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := do(h, "GET /openvidu/cdr/old/CDR.2025-01-01_10-00-00.log", ""); w.Body.String() != "old\n" {
		t.Errorf("a file below: %d %s", w.Code, w.Body)
	}
	part := newRequest("GET /openvidu/cdr/CDR.2026-01-01_10-00-00.log", "")
	part.SetBasicAuth("OPENVIDUAPP", secret)
	part.Header.Set("Range", "bytes=4-")
	if w := send(h, part); w.Code != http.StatusPartialContent || w.Body.String() != "two\n" {
		t.Errorf("a range: %d %s", w.Code, w.Body)
	}
	for target, status := range map[string]int{
		"GET /openvidu/cdr/../secret.log": 404, "GET /openvidu/cdr/%2e%2e/secret.log": 404, "GET /openvidu/cdr//secret.log": 404,
		"GET /openvidu/cdr/CDR.link.log": 404, "GET /openvidu/cdr/notes.txt": 404, "GET /openvidu/cdr/system.log": 404, "GET /openvidu/cdr/old": 404, "GET /openvidu/cdr/none.log": 404,
		"GET /openvidu/cdrom": 404, "DELETE /openvidu/cdr/CDR.2026-01-01_10-00-00.log": 403, "POST /openvidu/cdr": 403,
	} {
		if w := do(h, target, ""); w.Code != status || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s, want %d", target, w.Code, w.Body, status)
		}
	}
	for _, path := range []string{"/openvidu/cdr", "/openvidu/cdr/CDR.2026-01-01_10-00-00.log", "/cdr"} {
		if w := send(h, newRequest("GET "+path, "")); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without credentials: %d", path, w.Code)
		}
	}
	now = ""
	if w := do(h, "GET /openvidu/cdr", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("without CDR: %s", w.Body)
	}
	now = filepath.Join(outside, "gone")
	if w := do(h, "GET /openvidu/cdr", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("a folder that is gone: %s", w.Body)
	}
	present, _ := server(t, func(c *Config) { c.Deprecated = false })
	if w := do(present, "GET /cdr", ""); w.Code != http.StatusNotFound {
		t.Errorf("the path of old, which is off: %d", w.Code)
	}
}
