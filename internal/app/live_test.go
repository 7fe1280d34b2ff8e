package app_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/app"
	"tertulia/internal/config"
	"tertulia/internal/testkit"
)

// served is a node whose settings are in .env, so that they can change.
type served struct {
	t      *testing.T
	data   string
	url    string
	secret string
	stop   func()
}

func serve(t *testing.T, data, dotenv string) *served {
	t.Helper()
	if dotenv != "" {
		if err := os.WriteFile(filepath.Join(data, ".env"), []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load([]string{"--data=" + data, "--https-port=0", "--address-discovery=off"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() { done <- app.Run(ctx, c, log, func(url string) { ready <- url }) }()
	var once sync.Once
	s := &served{t: t, data: data, secret: c.Secret, stop: func() { once.Do(func() { cancel(); <-done }) }}
	t.Cleanup(s.stop)
	select {
	case s.url = <-ready:
	case err := <-done:
		done <- err
		t.Fatalf("the node ended before it was ready: %v", err)
	}
	return s
}

// call makes a REST call.
func (s *served) call(method, path, body string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/openvidu/api"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", s.secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := insecure.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (s *served) restart(changes map[string]any) (int, string) {
	s.t.Helper()
	body, err := json.Marshal(changes)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.call("POST", "/restart", string(body))
}

func (s *served) config() map[string]any {
	s.t.Helper()
	status, text := s.call("GET", "/config", "")
	shown := map[string]any{}
	if err := json.Unmarshal([]byte(text), &shown); err != nil || status != http.StatusOK {
		s.t.Fatalf("GET /config: %d %s", status, text)
	}
	return shown
}

// waitDrift waits until health says of the settings what is wanted.
func (s *served) waitDrift(want string, within time.Duration) {
	s.t.Helper()
	timeout, tick := time.After(within), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		_, text := s.call("GET", "/health", "")
		if strings.Contains(text, "CONFIG_DRIFT") == (want != "") && strings.Contains(text, want) {
			return
		}
		select {
		case <-timeout:
			s.t.Fatalf("health does not say %q within %v: %s", want, within, text)
		case <-tick.C:
		}
	}
}

// changes are new values for every live setting.
func changes(t *testing.T) []map[string]any {
	t.Helper()
	list := []map[string]any{
		{"OPENVIDU_SECRET": `:/@"$\ a longer one é`},
		{"STRICT": true},
		{"OPENVIDU_SECRET_PREVIOUS": "MY_SECRET"},
		{"OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH": 900}, {"OPENVIDU_STREAMS_VIDEO_MIN_RECV_BANDWIDTH": "200"},
		{"OPENVIDU_STREAMS_VIDEO_MAX_SEND_BANDWIDTH": 901}, {"OPENVIDU_STREAMS_VIDEO_MIN_SEND_BANDWIDTH": 201},
		{"OPENVIDU_STREAMS_FORCED_VIDEO_CODEC": "NONE"}, {"OPENVIDU_STREAMS_ALLOW_TRANSCODING": "true"},
		{"OPENVIDU_SESSIONS_GARBAGE_INTERVAL": 60, "OPENVIDU_SESSIONS_GARBAGE_THRESHOLD": 120},
		{"OPENVIDU_WEBRTC_ICE_SERVERS": []string{"url=stun:stun.example.com"}},
		{"OPENVIDU_ENTERPRISE_MEDIA_SERVER": "mediasoup"}, {"SUPPORT_DEPRECATED_API": false}, {"CALL_PAGE": "off"}, {"LOG_LEVEL": "error"},
		{"OPENVIDU_WEBHOOK_ENDPOINT": "http://127.0.0.1:9/hook"}, {"OPENVIDU_WEBHOOK_HEADERS": []string{`X-App: a,"b"`}},
		{"OPENVIDU_WEBHOOK_EVENTS": []string{"sessionCreated"}}, {"OPENVIDU_WEBHOOK": true},
		{"OPENVIDU_CDR_PATH": "events"}, {"OPENVIDU_CDR": true},
		{
			"OPENVIDU_PRO_ELASTICSEARCH": "true", "OPENVIDU_PRO_ELASTICSEARCH_HOST": "http://127.0.0.1:9", "OPENVIDU_PRO_KIBANA_HOST": "http://127.0.0.1:9/k",
			"ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p", "OPENVIDU_PRO_ELASTICSEARCH_MAX_DAYS_DELETE": 3,
		},
		{"OPENVIDU_PRO_CLUSTER_ID": "tea"}, {"OPENVIDU_PRO_STATS_SESSION_INTERVAL": 6}, {"OPENVIDU_PRO_STATS_SERVER_INTERVAL": 11}, {"OPENVIDU_PRO_STATS_WEBRTC_INTERVAL": 31},
		{"OPENVIDU_PRO_NETWORK_QUALITY": true}, {"OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL": 1}, {"OPENVIDU_BROWSER_LOGS": "debug"},
		{"API_KEYS": []string{"name=reader,key=0123456789abcdef,scope=read"}}, {"JOIN_BY_SECRET": false},
		{"EXTRA_ROUTES": []string{"/b=http://127.0.0.1:9"}}, {"ALLOWED_ACCESS_TO_DASHBOARD": "127.0.0.0/8"}, {"ALLOWED_ACCESS_TO_RESTAPI": "127.0.0.0/8,::1"},
		{"HTTPS_HSTS": "off"}, {"XFRAME_SAMEORIGIN": true}, {"REDIRECT_WWW": true}, {"CLIENT_MAX_BODY_SIZE": "10M"},
	}
	named := map[string]bool{}
	for _, change := range list {
		for name := range change {
			named[name] = true
		}
	}
	for _, s := range config.Settings() {
		if s.Live != named[s.Name] {
			t.Errorf("%s: live %v, in this test %v", s.Name, s.Live, named[s.Name])
		}
	}
	return list
}

// TestENT_18__ChangesWhileCallsRun: every live setting is changed by REST, no call ends or stops, and the next process has
// the new values. TERTULIA_LIVE_CALLS says how many calls there are.
func TestENT_18__ChangesWhileCallsRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()
	calls, err := strconv.Atoi(cmp.Or(os.Getenv("TERTULIA_LIVE_CALLS"), "5"))
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	node := serve(t, data, "# ours\nOPENVIDU_SECRET=MY_SECRET\n\n# video\nOPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=1000\n"+
		`EXTRA_ROUTES=["/a=http://127.0.0.1:9","/b=http://127.0.0.1:9"]`+"\n")
	r := running{t: t, url: node.url}
	var clients []*client
	var screens []*testkit.Client
	for i := range calls {
		id := fmt.Sprint("call", i)
		r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"`+id+`"}`, http.StatusOK)
		alice, bob, screen := r.call(ctx, id)
		screen.WaitPackets(ctx, "video", 20)
		clients, screens = append(clients, alice, bob), append(screens, screen)
	}

	list := changes(t)
	for _, change := range list {
		began := time.Now()
		if status, text := node.restart(change); status != http.StatusOK {
			t.Errorf("%v: %d %s", change, status, text)
			continue
		}
		if secret, ok := change["OPENVIDU_SECRET"]; ok {
			old := node.secret
			node.secret = secret.(string)
			if status, _ := (&served{t: t, url: node.url, secret: old}).call("GET", "/config", ""); status != http.StatusUnauthorized {
				t.Errorf("the old secret: %d", status)
			}
		}
		for name, want := range change {
			if shown, ok := node.config()[name]; ok && name != "OPENVIDU_CDR_PATH" && fmt.Sprint(shown) != fmt.Sprint(want) {
				t.Errorf("%s is shown as %v, want %v", name, shown, want)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v took %v", change, took)
		}
	}
	for _, c := range clients {
		if pong := c.ask(ctx, "ping", nil); pong["value"] != "pong" {
			t.Errorf("ping is answered with %v", pong)
		}
	}
	for _, s := range screens {
		s.WaitPackets(ctx, "video", 20)
	}
	if _, text := node.call("GET", "/status", ""); !strings.Contains(text, fmt.Sprintf(`"restartCounter":%d`, len(list))) {
		t.Errorf("%d changes, status %s", len(list), text)
	}
	node.waitDrift("", 5*time.Second)
	if status, _ := (&served{t: t, url: node.url, secret: "MY_SECRET"}).call("GET", "/config", ""); status != http.StatusOK {
		t.Errorf("the secret before, which is allowed again: %d", status)
	}
	if status, text := (&served{t: t, url: node.url, secret: "0123456789abcdef"}).call("POST", "/restart", "{}"); status != http.StatusForbidden {
		t.Errorf("a key that may only read: %d %s", status, text)
	}
	before := node.config()
	node.stop()
	again := serve(t, data, "")
	if again.secret != node.secret {
		t.Error("the next process has another secret")
	}
	after := again.config()
	for _, of := range []map[string]any{before, after} {
		delete(of, "HTTPS_PORT") // any free one
		delete(of, "OPENVIDU_PUBLICURL")
	}
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("the next process has\n%v, this one had\n%v", after, before)
	}
	dotenv, _ := os.ReadFile(filepath.Join(data, ".env"))
	if !strings.HasPrefix(string(dotenv), "# ours\nOPENVIDU_SECRET=:/@\"$\\ a longer one é\n\n# video\nOPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=900\n") {
		t.Errorf("comments and order are gone:\n%s", dotenv)
	}
}

// TestLOSS_25__RestartRefuses what cannot change while the server runs, by name; and then nothing has changed.
func TestLOSS_25__RestartRefuses(t *testing.T) {
	node := serve(t, t.TempDir(), "OPENVIDU_SECRET=MY_SECRET\nLOG_LEVEL=warn\n")
	before := node.config()
	for name, c := range map[string]struct {
		change map[string]any
		want   string
	}{
		"needs a restart":      {map[string]any{"LOG_LEVEL": "error", "CERTIFICATE_TYPE": "letsencrypt"}, "CERTIFICATE_TYPE: cannot change while the server runs → set it in .env and restart; calls go on over a restart"},
		"one of two is wrong":  {map[string]any{"OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH": 7, "OPENVIDU_WEBHOOK": "yes"}, "OPENVIDU_WEBHOOK=yes: not a boolean"},
		"a folder to be shown": {map[string]any{"EXTRA_ROUTES": []string{"/x=/etc"}}, "`tertulia config set`"},
		"what is missing":      {map[string]any{"OPENVIDU_WEBHOOK": true}, "OPENVIDU_WEBHOOK_ENDPOINT is not set"},
		"unknown":              {map[string]any{"LOG_LEVL": "info"}, "LOG_LEVL: unknown setting"},
		"not built":            {map[string]any{"OPENVIDU_RECORDING": true}, "OPENVIDU_RECORDING: it needs recording, which is not built yet"},
		"a flag is stronger":   {map[string]any{"ADDRESS_DISCOVERY": "auto"}, "--address-discovery, which is stronger"},
		"a second line":        {map[string]any{"OPENVIDU_SECRET": "a\nLOG_LEVEL=debug"}, "OPENVIDU_SECRET: holds a line end"},
		"an object":            {map[string]any{"LOG_LEVEL": map[string]any{"a": 1}}, "LOG_LEVEL"},
		"a part cannot use it": {map[string]any{"OPENVIDU_WEBRTC_ICE_SERVERS": []string{"url=turn:turn.example.com:port,username=u,credential=c"}}, "OPENVIDU_WEBRTC_ICE_SERVERS entry 1: its url cannot be used → write HOST or HOST:PORT"},
		"the secret is hidden": {map[string]any{"OPENVIDU_SECRET": " s3cret"}, "OPENVIDU_SECRET=(hidden)"},
	} {
		status, text := node.restart(c.change)
		var answer struct{ Message string }
		if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusBadRequest || !strings.Contains(answer.Message, c.want) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %d %s; want %q", name, status, text, c.want)
		}
	}
	if now := node.config(); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("GET /config was %v, is %v", before, now)
	}
	if dotenv, _ := os.ReadFile(filepath.Join(node.data, ".env")); string(dotenv) != "OPENVIDU_SECRET=MY_SECRET\nLOG_LEVEL=warn\n" {
		t.Errorf(".env is %q", dotenv)
	}
	for _, harmless := range []map[string]any{{}, {"HTTP_PORT": ""}, {"CERTIFICATE_TYPE": "selfsigned"}, {"OPENVIDU_PRO_LICENSE": "abc"}, {"OPENVIDU_RECORDING": false}} {
		if status, text := node.restart(harmless); status != http.StatusOK {
			t.Errorf("%v: %d %s", harmless, status, text)
		}
	}
}

// TestENT_19__EditsAreToldAndUndone: an edit by hand is told within 10 s, a wrong one changes nothing, and an undo is
// taken over within 5 s.
func TestENT_19__EditsAreToldAndUndone(t *testing.T) {
	t.Parallel()
	node := serve(t, t.TempDir(), "OPENVIDU_SECRET=MY_SECRET\n")
	file := filepath.Join(node.data, ".env")
	edit := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	maxRecv := func() string { return fmt.Sprint(node.config()["OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH"]) }

	edit("OPENVIDU_SECRET=MY_SECRET2\nOPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=500\n")
	node.waitDrift(`OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH: \"1000\" → \"500\"`, 10*time.Second)
	if _, text := node.call("GET", "/health", ""); !strings.Contains(text, `OPENVIDU_SECRET: \"(hidden)\" → \"(hidden)\"`) || strings.Contains(text, "MY_SECRET") {
		t.Errorf("the secret's change is not told, or it is shown: %s", text)
	}
	if got := maxRecv(); got != "1000" {
		t.Errorf("an edit was taken over by itself: %s", got)
	}
	if _, err := config.Undo(node.data, "cli"); err != nil {
		t.Fatal(err)
	}
	node.waitDrift("", 5*time.Second)

	edit("OPENVIDU_SECRET=MY_SECRET\nOPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=many\n")
	node.waitDrift("not a number", 10*time.Second)
	if status, text := node.restart(nil); status != http.StatusBadRequest || !strings.Contains(text, ".env:2: OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=many") {
		t.Errorf("taking a wrong edit over: %d %s", status, text)
	}
	if got := maxRecv(); got != "1000" {
		t.Errorf("a wrong edit changed it to %s", got)
	}

	// What would wait for a start that refuses it.
	edit("OPENVIDU_SECRET=MY_SECRET\nOPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=600\nHTTPS_CIPHERS=SAFE\n")
	node.waitDrift(`HTTPS_CIPHERS: \"SAFE\" is unknown`, 10*time.Second)
	if status, text := node.restart(nil); status != http.StatusBadRequest || !strings.Contains(text, `HTTPS_CIPHERS: \"SAFE\" is unknown → name suites`) || maxRecv() != "1000" {
		t.Errorf("taking over what a start refuses: %d %s; %s", status, text, maxRecv())
	}

	edit("OPENVIDU_SECRET=MY_SECRET\nOPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=600\nHTTP_PORT=0\n")
	if status, text := node.restart(map[string]any{}); status != http.StatusOK || maxRecv() != "600" {
		t.Errorf("taking an edit over: %d %s; %s", status, text, maxRecv())
	}
	node.waitDrift(`a restart takes over, and calls go on over it: HTTP_PORT: \"\" → \"0\"`, time.Second)

	if _, err := config.Undo(node.data, "cli"); err != nil { // a running server notices
		t.Fatal(err)
	}
	node.waitDrift("", 5*time.Second)
	if got := maxRecv(); got != "1000" {
		t.Errorf("after the undo it is %s", got)
	}
	versions, err := config.History(node.data)
	var authors []string
	for _, v := range versions {
		authors = append(authors, v.Author)
	}
	if got := strings.Join(authors, " "); err != nil || got != "start OPENVIDUAPP cli" {
		t.Errorf("authors %s, %v", got, errors.Join(err))
	}
}
