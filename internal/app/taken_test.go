package app_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestChangesTakeEffect where people would see them, one by one, in one process.
func TestChangesTakeEffect(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	posted := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		posted <- r.Header.Get("X-App") + " " + string(body)
	}))
	t.Cleanup(receiver.Close)
	page := t.TempDir()
	if err := os.WriteFile(filepath.Join(page, "tea.txt"), []byte("a cup of tea"), 0o600); err != nil {
		t.Fatal(err)
	}
	node := serve(t, t.TempDir(), "OPENVIDU_SECRET=MY_SECRET\n")
	r := running{t: t, url: node.url}
	change := func(values map[string]any) {
		t.Helper()
		if status, text := node.restart(values); status != http.StatusOK {
			t.Fatalf("%v: %d %s", values, status, text)
		}
	}
	get := func(path string) (int, http.Header, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, node.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "calls.example" // localhost gets no Strict-Transport-Security
		response, err := insecure.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, response.Header, string(body)
	}

	change(map[string]any{"OPENVIDU_WEBHOOK": true, "OPENVIDU_WEBHOOK_ENDPOINT": receiver.URL, "OPENVIDU_WEBHOOK_HEADERS": []string{"X-App: tea"}, "OPENVIDU_CDR": true})
	change(map[string]any{"OPENVIDU_ENTERPRISE_MEDIA_SERVER": "kurento"})
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"one"}`, http.StatusOK)
	_, joined := r.join(ctx, "one")
	if joined["mediaServer"] != "kurento" {
		t.Errorf("a client is told of the media server %v", joined["mediaServer"])
	}
	select {
	case event := <-posted:
		if !strings.HasPrefix(event, "tea {") || !strings.Contains(event, `"event":"sessionCreated"`) {
			t.Errorf("the webhook was told %s", event)
		}
	case <-ctx.Done():
		t.Error("the webhook was told nothing")
	}
	if stat, err := os.Stat(filepath.Join(node.data, "cdr")); err != nil || !stat.IsDir() {
		t.Errorf("the folder of CDR files: %v", err)
	}

	if status, _, _ := get("/site/tea.txt"); status != http.StatusNotFound {
		t.Errorf("a route that is not there: %d", status)
	}
	change(map[string]any{"EXTRA_ROUTES": []string{"/site=" + page}, "XFRAME_SAMEORIGIN": true, "CALL_PAGE": "off"})
	if status, header, text := get("/site/tea.txt"); status != http.StatusOK || text != "a cup of tea" || header.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("the new route: %d %s %v", status, text, header)
	}
	if status, _, _ := get("/"); status != http.StatusNotFound {
		t.Errorf("the call page, which is off: %d", status)
	}

	byPassword := func(session, password string) string {
		t.Helper()
		c := r.dial(ctx, session)
		defer func() { _ = c.socket.CloseNow() }()
		return c.told(ctx, "joinRoom", map[string]any{
			"token": "", "session": session, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": password, "recorder": false,
		})
	}
	if got := byPassword("two", "MY_SECRET"); !strings.Contains(got, `"finalUserId"`) {
		t.Errorf("a join by secret: %s", got)
	}
	change(map[string]any{"OPENVIDU_SECRET": "quite another one"})
	node.secret = "quite another one"
	if got := byPassword("three", "quite another one"); !strings.Contains(got, `"finalUserId"`) {
		t.Errorf("a join by the new secret: %s", got)
	}
	if got := byPassword("four", "MY_SECRET"); strings.Contains(got, `"finalUserId"`) {
		t.Errorf("a join by the old secret: %s", got)
	}
	change(map[string]any{"JOIN_BY_SECRET": false})
	if got := byPassword("five", "quite another one"); strings.Contains(got, `"finalUserId"`) {
		t.Errorf("a join by secret, which is off: %s", got)
	}
}

// TestENT_05b__AnySecretOpensTheAPI, also in the next process, and after a change to another one.
func TestENT_05b__AnySecretOpensTheAPI(t *testing.T) {
	secret := func() string {
		text := []rune(`:/@"$\ äß漢`)
		for len(text) < 64 {
			var b [1]byte
			rand.Read(b[:])
			if '!' <= b[0] && b[0] <= '~' {
				text = append(text, rune(b[0]))
			}
		}
		return string(text)
	}
	data, first, second := t.TempDir(), secret(), secret()
	node := serve(t, data, "OPENVIDU_SECRET="+first+"\nSTRICT=true\n")
	if node.secret != first {
		t.Fatalf("the secret is %q, want %q", node.secret, first)
	}
	node.config() // it wants 200
	node.stop()
	node = serve(t, data, "")
	node.config()
	if status, text := node.restart(map[string]any{"OPENVIDU_SECRET": second}); status != http.StatusOK {
		t.Fatalf("the change: %d %s", status, text)
	}
	if status, _ := node.call("GET", "/config", ""); status != http.StatusUnauthorized {
		t.Errorf("the old secret: %d", status)
	}
	node.secret = second
	node.config()
	node.stop()
	if again := serve(t, data, ""); again.secret != second {
		t.Errorf("the next process has %q, want %q", again.secret, second)
	} else {
		again.config()
	}
}
