package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestLifeIsTheStores: what joinRoom tells of the server's life stays as long as its store does, and no longer.
func TestLifeIsTheStores(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	status := func(r running) any {
		return r.dial(t.Context(), "demo").ask(t.Context(), "sessionStatus", map[string]any{"sessionId": "demo"})["life"]
	}
	first := start(t, data, "0")
	first.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	_, joined := first.join(t.Context(), "demo")
	if life, ok := joined["life"].(float64); !ok || life < 1e12 || status(first) != joined["life"] {
		t.Errorf("joinRoom tells life %v, sessionStatus %v", joined["life"], status(first))
	}
	_ = first.stop(nil)
	again := start(t, data, "0")
	if got := status(again); got != joined["life"] {
		t.Errorf("after a restart it is %v, was %v", got, joined["life"])
	}
	_ = again.stop(nil)
	if err := os.RemoveAll(filepath.Join(data, "nats")); err != nil {
		t.Fatal(err)
	}
	if got := status(start(t, data, "0")); got == joined["life"] {
		t.Errorf("without its store it is still %v", got)
	}
}

// TestFAQ_05__JoinBySecretIsASetting: it is allowed unless JOIN_BY_SECRET says otherwise; then the way to a token is told
// and no session is made.
func TestFAQ_05__JoinBySecretIsASetting(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		var flags []string
		if !allowed {
			flags = []string{"--join-by-secret=false"}
		}
		r := start(t, t.TempDir(), "0", flags...)
		socket, _, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(r.url, "https")+"/room", &websocket.DialOptions{HTTPClient: insecure})
		if err != nil {
			t.Fatal(err)
		}
		defer socket.CloseNow()
		request := `{"jsonrpc":"2.0","method":"joinRoom","params":{"token":"","session":"wss://localhost:8443/Room","metadata":"","secret":"MY_SECRET"},"id":1}`
		if err := socket.Write(t.Context(), websocket.MessageText, []byte(request)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := socket.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		joined := strings.Contains(string(answer), `"role":"PUBLISHER"`)
		told := strings.Contains(string(answer), `"code":401`) && strings.Contains(string(answer), "token")
		if joined != allowed || told == allowed {
			t.Errorf("allowed %v: %s", allowed, answer)
		}
		want := http.StatusNotFound
		if allowed {
			want = http.StatusOK
		}
		r.rest("GET", "/openvidu/api/sessions/Room", "", want)
		_ = r.stop(nil)
	}
}
