package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

// state is what health says, whatever its status.
func (r running) state() map[string]any {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/openvidu/api/health", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	response, err := insecure.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	health := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		r.t.Fatal(err)
	}
	return health
}

// health waits until a check of that name has a code.
func (r running) health(name, code string) map[string]any {
	r.t.Helper()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for until := time.Now().Add(20 * time.Second); ; <-pause.C {
		health := r.state()
		for _, item := range health["checks"].([]any) {
			check := item.(map[string]any)
			if got, _ := check["code"].(string); check["name"] == name && got == code {
				return check
			}
		}
		if time.Now().After(until) {
			r.t.Fatalf("no check %s with %q: %v", name, code, health)
		}
	}
}

// told waits until applications can read that a session's stream was published.
func (r running) told(session string) {
	r.t.Helper()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for until := time.Now().Add(30 * time.Second); ; <-pause.C {
		for _, item := range r.rest("GET", "/openvidu/api/events?after=0", "", http.StatusOK)["content"].([]any) {
			e := item.(map[string]any)["event"].(map[string]any)
			if e["event"] == "webrtcConnectionCreated" && e["sessionId"] == session {
				return
			}
		}
		if time.Now().After(until) {
			r.t.Fatalf("nobody is told of the stream in %s", session)
		}
	}
}

func TestFAQ_18__FullDisk(t *testing.T) {
	t.Parallel()
	if !testkit.OwnMounts(t) {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	dir := testkit.SmallDisk(t, "16m")
	r := start(t, dir, "0")
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	r.health("disk", "")
	filler := testkit.FillDisk(t, dir)
	if check := r.health("disk", "DISK_LOW"); check["ok"] != false || check["fix"] == "" {
		t.Errorf("the check is %v", check)
	}
	for i := range 3 {
		began := time.Now()
		id := fmt.Sprintf("full%d", i)
		r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"`+id+`"}`, http.StatusOK)
		_, _, screen := r.call(ctx, id)
		screen.WaitPackets(ctx, "video", 20)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a call took %v", took)
		}
	}
	r.health("store", "STORE_IN_MEMORY")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	r.health("disk", "")
	r.health("store", "")
	r.told("full2")
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("LOG_FORMAT=text\n"), 0o600); err != nil { // its version cannot be kept
		t.Fatal(err)
	}
	testkit.FillDisk(t, dir)
	if err := r.stop(nil); err != nil && !strings.Contains(err.Error(), "the latest changes of") {
		t.Errorf("the end: %v", err) // what a full disk does not take is lost with the process, and said
	}
	began := time.Now()
	again := start(t, dir, "0")
	t.Logf("booted on a full disk in %v", time.Since(began))
	for i := range 3 {
		again.rest("GET", fmt.Sprintf("/openvidu/api/sessions/full%d", i), "", http.StatusOK)
	}
	again.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"booted"}`, http.StatusOK)
	again.join(ctx, "booted")
	again.health("disk", "DISK_LOW")
}
