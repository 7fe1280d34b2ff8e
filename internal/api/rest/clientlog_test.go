package rest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/session"
)

const aLog = `{"r":"","lg":[{"l":3000,"m":"{\"0\":\"ICE connection state changed\",\"1\":\"failed\"}","n":"","t":1700000000000}]}`

// posts sends a client's log, or its statistics, as openvidu-browser does.
func posts(h http.Handler, user, password, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/openvidu/elk/openvidu-browser-logs", strings.NewReader(body))
	r.SetBasicAuth(user, password)
	r.Header.Set("Origin", "https://app.example")
	return send(h, r)
}

func reporting(t *testing.T) (http.Handler, *journal, *fakeRegistry) {
	kept := &journal{}
	h, registry := server(t, func(c *Config) { c.Diagnosis = kept })
	registry.states[0].Connections[0].FinalUserID = "USER"
	return h, kept, registry
}

func TestClientLog(t *testing.T) {
	h, kept, _ := reporting(t)
	const token = "wss://call.example?sessionId=Call&token=tok_Pub&role=PUBLISHER"
	for name, c := range map[string]struct {
		user, password, body string
		status               int
	}{
		"as the SDK":       {"USER%/%Call", token, aLog, 200},
		"a bare token":     {"USER%/%Call", "tok_Pub", aLog, 200},
		"another user":     {"OTHER%/%Call", token, aLog, 401},
		"another session":  {"USER%/%Gone", token, aLog, 401},
		"an unknown token": {"USER%/%Call", "wss://call.example?sessionId=Call&token=tok_None", aLog, 401},
		"not joined":       {"%/%Call", "tok_Wait", aLog, 401},
		"no token":         {"%/%Call", "", aLog, 401},
		"the secret":       {"OPENVIDUAPP", secret, aLog, 401},
		"no log":           {"USER%/%Call", token, `[]`, 400},
		"too large":        {"USER%/%Call", token, `{"lg":["` + strings.Repeat("x", 256<<10) + `"]}`, 413},
	} {
		kept.lines = nil
		w := posts(h, c.user, c.password, c.body)
		if w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.status)
		}
		var want []string
		if c.status == 200 {
			want = []string{"Call con_Pub 1700000000000 INFO ICE connection state changed failed true"}
		}
		if !slices.Equal(kept.lines, want) {
			t.Errorf("%s: kept %q", name, kept.lines)
		}
	}
	preflight := httptest.NewRequest("OPTIONS", "/openvidu/elk/openvidu-browser-logs", nil)
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	preflight.Header.Set("Access-Control-Request-Headers", "authorization,ov-token")
	if w := send(h, preflight); w.Code != 200 || w.Header().Get("Access-Control-Allow-Headers") != "authorization,ov-token" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
	if w := do(h, "GET /openvidu/elk/openvidu-browser-logs", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}

// TestLastLines: what a client sends within half a minute of its end is kept; at the latest after a minute it is told to
// stop, however often it posts.
func TestLastLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, kept, registry := reporting(t)
		posts(h, "USER%/%Call", "tok_Pub", aLog)
		registry.states = nil
		time.Sleep(30 * time.Second)
		if w := posts(h, "USER%/%Call", "tok_Pub", aLog); w.Code != 200 || len(kept.lines) != 2 {
			t.Errorf("after leaving: %d", w.Code)
		}
		for range 8 {
			time.Sleep(5 * time.Second)
			posts(h, "USER%/%Call", "tok_Pub", aLog)
		}
		kept.lines = nil
		if w := posts(h, "USER%/%Call", "tok_Pub", aLog); w.Code != 401 {
			t.Errorf("later: %d, kept %q", w.Code, kept.lines)
		}
	})
}

func TestReportsHaveARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, registry := reporting(t)
		var codes []int
		for range postsAtOnce + 1 {
			codes = append(codes, posts(h, "USER%/%Call", "tok_Pub", aLog).Code)
		}
		if codes[postsAtOnce-1] != 200 || codes[postsAtOnce] != 429 {
			t.Errorf("answered %v", codes)
		}
		guesses := 0
		for posts(h, "USER%/%Call", "tok_Guess", aLog).Code == 401 {
			guesses++
		}
		if guesses != failuresPerMinute {
			t.Errorf("%d guesses", guesses)
		}
		before := registry.asked
		for range 50 {
			posts(h, "USER%/%Call", "tok_Guess", aLog)
		}
		if registry.asked != before {
			t.Errorf("%d further guesses had the session copied", registry.asked-before)
		}
	})
	var many reporters
	for i := range maxReporters + 10 {
		many.add(string(rune(i))+"x", &reporter{})
	}
	if len(many.who) > maxReporters {
		t.Errorf("%d clients are remembered", len(many.who))
	}
}

func TestClientStats(t *testing.T) {
	h, kept, _ := reporting(t)
	post := func(query, body string) int {
		return send(h, httptest.NewRequest("POST", "/openvidu/elk/openvidu-browser-stats"+query, strings.NewReader(body))).Code
	}
	const token = "?token=wss%3A%2F%2Fcall.example%3FsessionId%3DCall%26token%3Dtok_Pub"
	if got := post(token, `{"session_id":"Call","webrtc_stats":{"outbound":{"video":{"packetsSent":7}}}}`); got != 200 {
		t.Errorf("answered %d", got)
	}
	if want := []string{"Call con_Pub map[session_id:Call webrtc_stats:map[outbound:map[video:map[packetsSent:7]]]]"}; !slices.Equal(kept.stats, want) {
		t.Errorf("kept %q", kept.stats)
	}
	for query, body := range map[string]string{"?token=tok_Pub": `[]`, token: `nonsense`} {
		if got := post(query, body); got != 400 {
			t.Errorf("%s %s: %d", query, body, got)
		}
	}
	for _, query := range []string{"", "?token=", "?token=wss://h?sessionId=Call%26token=tok_None"} {
		if got := post(query, `{}`); got != 401 {
			t.Errorf("%s: %d", query, got)
		}
	}
}

func TestTokensAskForLogs(t *testing.T) {
	for logs, want := range map[string]string{"": "", "disabled": "", "debug": "&edition=pro&webrtcStatsInterval=30&sendBrowserLogs=debug"} {
		h, _ := server(t, func(c *Config) { c.LogParams = LogParams(logs, 30) })
		w := do(h, "POST /openvidu/api/sessions/Call/connection", "{}")
		if !strings.Contains(w.Body.String(), "&token=tok_New&role="+string(session.Publisher)+want+`"`) {
			t.Errorf("%q: %s", logs, w.Body)
		}
	}
}
