package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func (r running) page(path string, change ...func(*http.Request)) (status int, body string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range change {
		c(request)
	}
	response, err := insecure.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

const strictSecret = "a secret that STRICT accepts" // 16 characters at least

// A route is a setting: the next release, which is another process with the same settings, has it, and nothing of ours is
// hidden behind it.
func TestFAQ_17__ARouteOutlivesAnUpgrade(t *testing.T) {
	site, data := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(site, "index.html"), []byte("my application"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := "EXTRA_ROUTES=[\"/=" + site + "\", \"/more=" + site + "\"]\nSTRICT=true\n"
	if err := os.WriteFile(filepath.Join(data, ".env"), []byte(env), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r := start(t, data, "0", "--openvidu-secret="+strictSecret)
		for _, path := range []string{"/", "/more/"} {
			if status, body := r.page(path); status != http.StatusOK || body != "my application" {
				t.Errorf("%s: %d %q", path, status, body)
			}
		}
		for path, want := range map[string]int{
			"/openvidu/api/sessions": 401, "/livez": 200, "/openvidu/accept-certificate": 200, "/call/tea": 200, "/nothing": 404,
			"/openvidu/virtual-background/openvidu-virtual-background.js": 404, "/inspector/": 404, "/openvidu/inspector-api/x": 404,
			"/openvidu/info": 401,
		} {
			if status, body := r.page(path); status != want && !(path == "/call/tea" && status == http.StatusServiceUnavailable) || strings.Contains(body, "my application") {
				t.Errorf("%s: %d %.60q, want %d", path, status, body, want)
			}
		}
		asPage := func(q *http.Request) {
			q.SetBasicAuth("OPENVIDUAPP", strictSecret)
			q.Header.Set("Origin", "https://app.example")
		}
		if status, _ := r.page("/openvidu/api/sessions", asPage); status != http.StatusForbidden {
			t.Errorf("FAQ-04: a page with the secret, and STRICT: %d", status)
		}
		if err := r.stop(nil); err != nil {
			t.Fatal(err)
		}
	}
}

func geoDatabase(t *testing.T) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	named := func(name mmdbtype.String) mmdbtype.Map { return mmdbtype.Map{"names": mmdbtype.Map{"en": name}} }
	_, network, err := net.ParseCIDR("198.51.100.0/24")
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(network, mmdbtype.Map{"city": named("Madrid"), "country": named("Spain")}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "geo.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func TestLOSS_21__RESTShowsWhereAParticipantIs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, test := range []struct{ flag, want string }{{"--geo-database=" + geoDatabase(t), "Madrid, Spain"}, {"--geo-database=", "unknown"}} {
		r := start(t, t.TempDir(), "0", test.flag)
		r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"geo"}`, http.StatusOK)
		token := r.rest("POST", "/openvidu/api/sessions/geo/connection", "{}", http.StatusOK)["token"]
		url := "wss" + strings.TrimPrefix(r.url, "https") + "/openvidu?sessionId=geo"
		socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: insecure, HTTPHeader: http.Header{"X-Forwarded-For": {"198.51.100.9"}}})
		if err != nil {
			t.Fatal(err)
		}
		c := &client{running: r, socket: socket}
		c.ask(ctx, "joinRoom", map[string]any{
			"token": token, "session": "geo", "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false,
		})
		shown := r.rest("GET", "/openvidu/api/sessions/geo", "", http.StatusOK)
		connection := shown["connections"].(map[string]any)["content"].([]any)[0].(map[string]any)
		if connection["location"] != test.want {
			t.Errorf("%s: location is %v, want %s", test.flag, connection["location"], test.want)
		}
		_ = socket.CloseNow()
	}
}

// Who knows the secret sees what happens, line by line, as on OpenVidu's dashboard.
func TestTheFeedOfWhatHappens(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r := start(t, t.TempDir(), "0")
	request := &http.Request{Header: http.Header{}}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	socket, _, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(r.url, "https")+"/openvidu/info", &websocket.DialOptions{HTTPClient: insecure, HTTPHeader: request.Header})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	if err := socket.Write(ctx, websocket.MessageText, []byte("ignored")); err != nil {
		t.Fatal(err)
	}
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"watched"}`, http.StatusOK)
	if _, line, err := socket.Read(ctx); err != nil || string(line) != "session.created watched" {
		t.Errorf("the first line is %q, %v", line, err)
	}
}

// FORCE_PLAIN_HTTP is for a machine of one's own, under any name.
func TestPlainHTTPUnderAnyName(t *testing.T) {
	r := start(t, t.TempDir(), "0", "--force-plain-http=true")
	r.url = "http" + r.url[strings.Index(r.url, ":"):]
	status, body := r.page("/openvidu/api/sessions", func(q *http.Request) {
		q.Host = "calls.example"
		q.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	})
	var list map[string]any
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK {
		t.Errorf("%d %q, %v", status, body, err)
	}
}
