package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

// elasticsearch notes what kinds of documents it was given, by index and type.
type elasticsearch struct {
	mu    sync.Mutex
	text  bytes.Buffer
	kinds map[string]int
	users map[string]bool
	more  chan struct{}
}

var day = regexp.MustCompile(`-\d{4}\.\d\d\.\d\d$`)

func (e *elasticsearch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	user, password, _ := r.BasicAuth()
	e.users[r.Method+" "+r.URL.Path+" "+user+":"+password] = true
	e.text.Write(body)
	if strings.HasSuffix(r.URL.Path, "/_bulk") {
		lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
		for i := 0; i+1 < len(lines); i += 2 {
			var action struct {
				Create struct {
					Index string `json:"_index"`
				}
			}
			var doc struct {
				Type string `json:"elastic_type"`
			}
			if json.Unmarshal(lines[i], &action) != nil || json.Unmarshal(lines[i+1], &doc) != nil {
				e.kinds["broken"]++
			}
			e.kinds[day.ReplaceAllString(action.Create.Index, "-*")+" "+doc.Type]++
		}
	}
	_, _ = io.WriteString(w, `{"errors":false}`)
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// has waits for a kind of document.
func (e *elasticsearch) has(t *testing.T, kind string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		e.mu.Lock()
		n := e.kinds[kind]
		e.mu.Unlock()
		if n > 0 {
			return
		}
		select {
		case <-e.more:
		case <-late:
			t.Fatalf("no %s in %v", kind, e.kinds)
		}
	}
}

// A call is exported whole: events, statistics, log lines, summaries.
func TestENT_06__ACallInElasticsearch(t *testing.T) {
	t.Parallel()
	es := &elasticsearch{kinds: map[string]int{}, users: map[string]bool{}, more: make(chan struct{}, 1)}
	server := httptest.NewServer(es)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	r := startLogged(t, slog.New(slog.NewTextHandler(t.Output(), nil)), t.TempDir(), "0", "--openvidu-pro-elasticsearch=true",
		"--openvidu-pro-elasticsearch-host=http://ann:swordfish@"+strings.TrimPrefix(server.URL, "http://")+"/search/",
		"--openvidu-pro-stats-session-interval=1", "--openvidu-pro-stats-server-interval=1", "--openvidu-pro-stats-webrtc-interval=1",
		"--openvidu-browser-logs=debug")
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	alice, _ := r.join(ctx, "demo")
	camera := testkit.NewClient(t, testkit.ClientConfig{})
	camera.Accept(text(t, alice.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8))), "sdpAnswer"))
	camera.Publish(ctx)
	for _, kind := range []string{"openvidu cdr", "openvidu kms", "openvidu webrtcStats", "session-metrics-* ", "server-metrics-* "} {
		es.has(t, kind)
	}
	if check := r.health("elasticsearch", ""); check["ok"] != true || !strings.Contains(check["text"].(string), "takes documents") {
		t.Errorf("health: %v", check)
	}
	r.rest("DELETE", "/openvidu/api/sessions/demo", "", http.StatusNoContent)
	for _, kind := range []string{"sessionSummary", "userSummary", "connectionSummary", "publisherSummary"} {
		es.has(t, "openvidu "+kind)
	}
	es.has(t, "openvidu-logs-* ")
	es.mu.Lock()
	defer es.mu.Unlock()
	if !es.users["POST /search/_bulk ann:swordfish"] || !es.users["PUT /search/openvidu ann:swordfish"] || es.kinds["broken"] > 0 {
		t.Errorf("it was asked %v; %v", es.users, es.kinds)
	}
	for _, secret := range []string{"MY_SECRET", "swordfish"} {
		if strings.Contains(es.text.String(), secret) {
			t.Errorf("%s was exported", secret)
		}
	}
}

// It is switched on and off while calls run.
func TestElasticsearchIsLive(t *testing.T) {
	es := &elasticsearch{kinds: map[string]int{}, users: map[string]bool{}, more: make(chan struct{}, 1)}
	server := httptest.NewServer(es)
	defer server.Close()
	r := start(t, t.TempDir(), "0", "--openvidu-pro-stats-session-interval=0")
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"before"}`, http.StatusOK)
	r.rest("POST", "/openvidu/api/restart", `{"OPENVIDU_PRO_ELASTICSEARCH":true,"OPENVIDU_PRO_ELASTICSEARCH_HOST":"`+server.URL+`"}`, http.StatusOK)
	r.health("elasticsearch", "")
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"after"}`, http.StatusOK)
	es.has(t, "openvidu cdr")
	r.rest("POST", "/openvidu/api/restart", `{"OPENVIDU_PRO_ELASTICSEARCH":false}`, http.StatusOK)
	for _, item := range r.state()["checks"].([]any) {
		if item.(map[string]any)["name"] == "elasticsearch" {
			t.Errorf("it is off, and health says %v", item)
		}
	}
	es.mu.Lock()
	defer es.mu.Unlock()
	if all := es.text.String(); strings.Contains(all, `"before"`) || !strings.Contains(all, `"after"`) {
		t.Errorf("it was sent %s", all)
	}
}

// A server that is down delays nothing and is named by health.
func TestENT_06__BootWithoutElasticsearch(t *testing.T) {
	t.Parallel()                                    // a silent server is given ten seconds
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts and never answers, which is worse than to refuse
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing.Close()
	boot := func(flags ...string) (running, time.Duration) {
		began := time.Now()
		r := start(t, t.TempDir(), "0", flags...)
		return r, time.Since(began)
	}
	_, normal := boot()
	var nodes []running
	for _, at := range []net.Listener{silent, refusing} {
		flags := []string{"--openvidu-pro-elasticsearch=true", "--openvidu-pro-elasticsearch-host=http://" + at.Addr().String()}
		r, took := boot(flags...)
		for try := 0; try < 2 && took > normal+time.Second; try++ { // once may be a busy machine
			_, again := boot(flags...)
			took = min(took, again)
		}
		t.Logf("booted in %v, %v without", took, normal)
		if took > normal+time.Second {
			t.Errorf("booted in %v, %v without", took, normal)
		}
		r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
		r.join(t.Context(), "demo")
		nodes = append(nodes, r)
	}
	for i, at := range []net.Listener{silent, refusing} { // each finds out meanwhile
		if check := nodes[i].health("elasticsearch", "ELASTICSEARCH_UNREACHABLE"); !strings.Contains(check["text"].(string), at.Addr().String()) || check["fix"] == "" {
			t.Errorf("health: %v", check)
		}
	}
}

// lines are a log, whatever its level.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// set is a log whose level can be set, as that of the program.
type set struct {
	slog.Handler
	*slog.LevelVar
}

// No log, not even one with everything in it, has a secret, a token or credentials.
func TestNoSecretIsLogged(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	written, level := &lines{}, new(slog.LevelVar)
	log := slog.New(set{slog.NewTextHandler(written, &slog.HandlerOptions{Level: level}), level})
	r := startLogged(t, log, t.TempDir(), "0", "--coturn-port=0")
	if strings.Contains(written.String(), "level=DEBUG") {
		t.Error("debug lines at the level info")
	}
	r.rest("POST", "/openvidu/api/restart", `{"LOG_LEVEL":"debug"}`, http.StatusOK)
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	token := r.rest("POST", "/openvidu/api/sessions/demo/connection", "{}", http.StatusOK)["token"].(string)
	alice := r.dial(ctx, "demo")
	joined := alice.ask(ctx, "joinRoom", map[string]any{
		"token": token, "session": "demo", "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false,
	})
	camera := testkit.NewClient(t, testkit.ClientConfig{})
	camera.Accept(text(t, alice.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8))), "sdpAnswer"))
	camera.Publish(ctx)
	bad, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/openvidu/api/sessions?secret=PLAINTEXT", nil)
	bad.SetBasicAuth("OPENVIDUAPP", "GUESSED_SECRET")
	if response, err := insecure.Do(bad); err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("%v, %v", response, err)
	}
	if err := r.stop(nil); err != nil {
		t.Error(err)
	}
	all := written.String()
	for _, want := range []string{"level=DEBUG", "dtls: ", "endpoint"} { // what the libraries say too
		if !strings.Contains(all, want) {
			t.Errorf("LOG_LEVEL=debug, and no %q in\n%s", want, all)
		}
	}
	_, secret, _ := strings.Cut(token, "token=")
	secret, _, _ = strings.Cut(secret, "&")
	secrets := []string{"MY_SECRET", "GUESSED_SECRET", "PLAINTEXT", secret, text(t, joined, "sessionId")}
	for _, item := range joined["customIceServers"].([]any) {
		for _, key := range []string{"credential", "username"} {
			if s, ok := item.(map[string]any)[key].(string); ok {
				secrets = append(secrets, s)
			}
		}
	}
	if turn, ok := joined["turnCredential"].(string); ok {
		secrets = append(secrets, turn)
	}
	if len(secrets) < 6 {
		t.Errorf("there are no TURN credentials in %v", joined)
	}
	for _, s := range slices.Compact(secrets) {
		if s == "" {
			t.Errorf("an empty secret in %q", secrets)
		} else if at := strings.Index(all, s); at >= 0 {
			t.Errorf("%q is in the log: …%s", s, all[max(0, at-200):min(len(all), at+100)])
		}
	}
}
