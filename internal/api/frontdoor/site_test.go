package frontdoor

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tertulia/internal/fault"
)

// own answers with its name and the path it was asked for.
var own = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "own ", r.URL.Path) })

func site(t *testing.T, rules Rules) *Site {
	t.Helper()
	s, err := NewSite(SiteConfig{Own: own, Port: 4443, Beside: func(path string) bool { return path == "/assets/ours.js" }}, rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fetch(h http.Handler, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "https://calls.example"+path, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":5" }
}

func upgrade(r *http.Request) {
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
}

// files makes a folder with what a page may have, and what must not be seen.
func files(t *testing.T) string {
	t.Helper()
	outside := t.TempDir()
	dir := filepath.Join(t.TempDir(), "site")
	for name, text := range map[string]string{
		"index.html": "<h1>app</h1>", "js/app.js": "hello()", "assets/ours.js": "theirs", "assets/a.css": "b{}", "sub/index.html": "sub",
		".env": "SECRET", ".git/config": "SECRET", ".well-known/x": "known", "openvidu/api/sessions": "SHADOW", "api/x": "app's api",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(outside, "secret.txt"), "SECRET")
	for link, target := range map[string]string{"out.txt": filepath.Join(outside, "secret.txt"), "up.txt": "../../secret.txt", "outdir": outside, "in.js": "js/app.js"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFAQ_17__AFolderBesideUs(t *testing.T) {
	s := site(t, Rules{Routes: []Route{{"/app", files(t)}}})
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/app/": {200, "<h1>app</h1>"}, "/app/js/app.js": {200, "hello()"}, "/app/in.js": {200, "hello()"}, "/app/sub/": {200, "sub"},
		"/app/.well-known/x": {200, "known"},
		"/app":               {301, ""}, "/app/sub": {301, ""},
		"/app/js/": {404, ""}, "/app/js": {404, ""}, "/app/none": {404, ""}, "/app/.env": {404, ""}, "/app/.git/config": {404, ""},
		"/app/out.txt": {404, ""}, "/app/up.txt": {404, ""}, "/app/outdir/secret.txt": {404, ""}, "/app/pipe": {404, ""},
		"/app/../../etc/passwd": {404, ""}, "/app/%2e%2e/x": {404, ""},
		"/appx": {200, "own /appx"}, "/": {200, "own /"}, "/openvidu/api/sessions": {200, "own /openvidu/api/sessions"},
	} {
		w := fetch(s, path)
		if w.Code != want.status || want.body != "" && w.Body.String() != want.body || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s: %d %q, want %+v", path, w.Code, w.Body, want)
		}
	}
	if w := fetch(s, "/app?a=b"); w.Header().Get("Location") != "/app/?a=b" {
		t.Errorf("sent to %q", w.Header().Get("Location"))
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/app/index.html", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestFAQ_17__ARootThatShadowsNothing(t *testing.T) {
	root := Rules{Routes: []Route{{"/", files(t)}}}
	s := site(t, root)
	for path, want := range map[string]string{
		"/": "<h1>app</h1>", "/js/app.js": "hello()", "/assets/a.css": "b{}", "/api/x": "app's api",
		"/assets/ours.js": "own /assets/ours.js", "/call/tea": "own /call/tea", "/livez": "own /livez", "/dashboard/test": "own /dashboard/test",
		"/openvidu/api/sessions": "own /openvidu/api/sessions", "/openvidu": "own /openvidu",
	} {
		if w := fetch(s, path); w.Body.String() != want {
			t.Errorf("%s: %q, want %q", path, w.Body, want)
		}
	}
	for path, want := range map[string]string{"/openvidu": "own /openvidu", "/room": "own /room", "/a/b/openvidu": "own /openvidu"} {
		if w := fetch(s, path, upgrade); w.Body.String() != want {
			t.Errorf("websocket %s: %q, want %q", path, w.Body, want)
		}
	}
	root.Deprecated = true
	if err := s.Set(root); err != nil {
		t.Fatal(err)
	}
	if w := fetch(s, "/api/x"); w.Body.String() != "own /api/x" {
		t.Errorf("with the deprecated API on, /api/x is %q", w.Body)
	}
	root.Routes = append(root.Routes, Route{"/api", root.Routes[0].Target}, Route{"/cdr", root.Routes[0].Target})
	if err := s.Set(root); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/api/js/app.js": "hello()", "/cdr/js/app.js": "hello()", "/config": "own /config", "/info": "own /openvidu/info"} {
		if w := fetch(s, path); w.Body.String() != want {
			t.Errorf("with a route for /api itself, %s is %q", path, w.Body)
		}
	}
}

func TestFAQ_17__AnotherServerBesideUs(t *testing.T) {
	type seen struct{ path, host, proto, who, prefix, real, length string }
	var got seen
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := r.Header
		body, _ := io.ReadAll(r.Body)
		got = seen{r.URL.RequestURI(), r.Host, h.Get("X-Forwarded-Proto"), h.Get("X-Forwarded-For"), h.Get("X-Forwarded-Prefix"), h.Get("X-Real-Ip"), fmt.Sprint(len(body))}
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		w.WriteHeader(http.StatusTeapot)
	}))
	defer backend.Close()
	s := site(t, Rules{Routes: []Route{{"/app", backend.URL}, {"/app/deep", backend.URL + "/base"}}, HSTS: "max-age=9", MaxBody: 10})
	w := fetch(s, "/app/x%2Fy?q=1", from("192.0.2.9"), func(r *http.Request) {
		r.Header.Set("X-Forwarded-For", "203.0.113.1")
		r.Header.Set("X-Forwarded-Prefix", "/lies")
	})
	if want := (seen{"/x%2Fy?q=1", "calls.example", "https", "192.0.2.9", "/app", "192.0.2.9", "0"}); got != want || w.Code != http.StatusTeapot {
		t.Errorf("%d, the server saw %+v, want %+v", w.Code, got, want)
	}
	if h := w.Header().Values("Strict-Transport-Security"); len(h) != 1 || h[0] != "max-age=9" {
		t.Errorf("headers %v", h)
	}
	if fetch(s, "/app/deep/z"); got.path != "/base/z" || got.prefix != "/app/deep" {
		t.Errorf("the longest path did not win: %+v", got)
	}
	got = seen{}
	for _, path := range []string{"/app/deep/../admin", "/app/deep/%2e%2e/admin", "/app/deep/..%2Fadmin", "/app/deep/x/./y", "/app/deep/.."} {
		if w := fetch(s, path); w.Code != http.StatusBadRequest || got.path != "" {
			t.Errorf("%s: %d, the server saw %q", path, w.Code, got.path)
		}
	}
	if fetch(s, "/app/deep/..x/...y"); got.path != "/base/..x/...y" {
		t.Errorf("the server saw %q", got.path)
	}
	for body, want := range map[string]int{"0123456789": http.StatusTeapot, "0123456789x": http.StatusRequestEntityTooLarge} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/app/post", io.MultiReader(strings.NewReader(body))))
		if w.Code != want {
			t.Errorf("a body of %d bytes: %d, want %d", len(body), w.Code, want)
		}
	}
	backend.Close()
	if w := fetch(s, "/app/"); w.Code != http.StatusBadGateway || strings.Contains(w.Body.String(), backend.URL) {
		t.Errorf("a server that is gone: %d %s", w.Code, w.Body)
	}
	for range maxForwarded {
		s.busy <- struct{}{}
	}
	if w := fetch(s, "/app/"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("too many at once: %d", w.Code)
	}
}

// A websocket goes through the door and the route to another server, and back.
func TestFAQ_17__AWebsocketBesideUs(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stream, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = stream.Close() }()
		_, _ = io.WriteString(stream, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := buffer.ReadString('\n')
		_, _ = io.WriteString(stream, "heard "+line)
	}))
	defer backend.Close()
	door := open(t, Config{HTTP: site(t, Rules{Routes: []Route{{"/", backend.URL}}})})
	stream := door.dialTLS("http/1.1")
	say(t, stream, "GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", len("HTTP/1.1 101"))
	if _, err := io.WriteString(stream, "hello\n"); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewScanner(stream)
	for answer.Scan() && !strings.HasPrefix(answer.Text(), "heard") {
	}
	if answer.Text() != "heard hello" {
		t.Errorf("got %q, %v", answer.Text(), answer.Err())
	}
	_ = stream.Close()
}

func TestFAQ_17__RoutesChangeWhileServing(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write(t, filepath.Join(first, "a.txt"), "first")
	write(t, filepath.Join(second, "a.txt"), "second")
	s := site(t, Rules{Routes: []Route{{"/app", first}}})
	if err := s.Set(Rules{Routes: []Route{{"/app", second}}}); err != nil {
		t.Fatal(err)
	}
	if w := fetch(s, "/app/a.txt"); w.Body.String() != "second" {
		t.Errorf("got %q", w.Body)
	}
	for name, routes := range map[string][]Route{
		"ours": {{"/openvidu/x", second}}, "ours too": {{"/call", second}}, "no path": {{"app", second}}, "a slash at the end": {{"/b/", second}},
		"climbs": {{"/b/../openvidu", second}}, "no folder": {{"/b", filepath.Join(second, "none")}}, "a file": {{"/b", filepath.Join(second, "a.txt")}},
		"no host": {{"/b", "http://"}}, "twice": {{"/b", second}, {"/b", first}},
	} {
		err := s.Set(Rules{Routes: routes})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "EXTRA_ROUTES") {
			t.Errorf("%s: %v", name, err)
		}
		if w := fetch(s, "/app/a.txt"); w.Body.String() != "second" {
			t.Fatalf("%s: a refused change changed something: %q", name, w.Body)
		}
	}
	if err := s.Set(Rules{}); err != nil || fetch(s, "/app/a.txt").Body.String() != "own /app/a.txt" {
		t.Errorf("a route that was taken away is there, %v", err)
	}
}

// A build that makes the folder anew, or leads the link to another, is seen at once.
func TestFAQ_17__AFolderThatIsReplaced(t *testing.T) {
	top := t.TempDir()
	link := filepath.Join(top, "app")
	for _, name := range []string{"one", "two"} {
		write(t, filepath.Join(top, name, "a.txt"), name)
	}
	if err := os.Symlink("one", link); err != nil {
		t.Fatal(err)
	}
	s := site(t, Rules{Routes: []Route{{"/app", link}}})
	got := func(want string, code int) {
		t.Helper()
		if w := fetch(s, "/app/a.txt"); w.Code != code || code == http.StatusOK && w.Body.String() != want {
			t.Errorf("%d %q, want %d %q", w.Code, w.Body, code, want)
		}
	}
	got("one", http.StatusOK)
	if err := errors.Join(os.Remove(link), os.Symlink("two", link)); err != nil {
		t.Fatal(err)
	}
	got("two", http.StatusOK)
	if err := os.RemoveAll(filepath.Join(top, "two")); err != nil {
		t.Fatal(err)
	}
	got("", http.StatusNotFound)
	write(t, filepath.Join(top, "two", "a.txt"), "built anew")
	got("built anew", http.StatusOK)
}

func TestAccessLists(t *testing.T) {
	office, home := netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")
	s := site(t, Rules{Dashboard: []netip.Prefix{office}, REST: []netip.Prefix{home}, Deprecated: true})
	s.Local = func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")} }
	const stranger = "203.0.113.1"
	for _, test := range []struct {
		path, from string
		want       int
	}{
		{"/openvidu/api/sessions", "[2001:db8::1]", 200}, {"/openvidu/api/sessions", "198.51.100.7", 200}, // who sees the dashboard may call
		{"/openvidu/api/sessions", stranger, 403}, {"/openvidu/api", stranger, 403}, {"/openvidu/cdr", stranger, 403},
		{"/api/sessions", stranger, 403}, {"/config", stranger, 403}, {"/cdr/x.log", stranger, 403}, {"/info", stranger, 403},
		{"/dashboard/test", "198.51.100.7", 200}, {"/dashboard", "[2001:db8::1]", 403}, {"/openvidu/info", stranger, 403}, {"/inspector/", stranger, 403},
		{"/dashboard", "127.0.0.1", 200}, {"/dashboard", "[::1]", 200}, {"/dashboard", "[::ffff:198.51.100.7]", 200}, {"/dashboard", "10.1.2.3", 200}, {"/dashboard", "10.2.2.3", 403},
		{"/openvidu", stranger, 200}, {"/openvidu/elk/openvidu-browser-logs", stranger, 200}, {"/call/tea", stranger, 200}, {"/", stranger, 200},
		{"/livez", stranger, 200}, {"/openvidu/apix", stranger, 200}, {"/dashboards", stranger, 200},
	} {
		if w := fetch(s, test.path, from(test.from)); w.Code != test.want {
			t.Errorf("%s from %s: %d, want %d", test.path, test.from, w.Code, test.want)
		}
	}
	for _, address := range []string{"127.0.0.1", "10.1.2.3"} {
		if w := fetch(s, "/dashboard", from(address), func(r *http.Request) { r.Header.Set("X-Forwarded-For", stranger) }); w.Code != 403 {
			t.Errorf("whoever comes through a proxy that is not trusted, at %s: %d", address, w.Code)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/openvidu/info", nil)
	if r.RemoteAddr = "198.51.100.7:1"; !s.Admits(r) {
		t.Error("who is on the list is not admitted")
	}
	if r.RemoteAddr = stranger + ":1"; s.Admits(r) {
		t.Error("a stranger is admitted")
	}
	if r.RemoteAddr = "pipe"; s.Admits(r) {
		t.Error("nobody is admitted")
	}
	if err := s.Set(Rules{}); err != nil || s.Admits(r) || fetch(s, "/dashboard", from(stranger)).Code != 200 {
		t.Errorf("without lists, %v", err)
	}
}

func TestHeadersAndRedirects(t *testing.T) {
	s := site(t, Rules{HSTS: "max-age=63072000", SameOrigin: true, WWW: "calls.example"})
	w := fetch(s, "/")
	if w.Header().Get("Strict-Transport-Security") != "max-age=63072000" || w.Header().Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("headers %v", w.Header())
	}
	w = fetch(s, "/", func(r *http.Request) { r.TLS = nil })
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS over plain HTTP")
	}
	w = fetch(s, "/", func(r *http.Request) { r.Host = "localhost:4443" })
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS for localhost, which other programs use, too")
	}
	w = fetch(s, "/x?y=1", func(r *http.Request) { r.Host = "WWW.calls.example:4443" })
	if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "https://calls.example:4443/x?y=1" {
		t.Errorf("www: %d %s", w.Code, w.Header().Get("Location"))
	}
	if w := fetch(s, "/", func(r *http.Request) { r.Host = "www.other.example" }); w.Code != 200 {
		t.Errorf("another www: %d", w.Code)
	}
	if err := s.Set(Rules{}); err != nil || len(fetch(s, "/").Header()) > 1 {
		t.Errorf("without rules: %v, %v", fetch(s, "/").Header(), err)
	}
}

func TestPathsBefore216(t *testing.T) {
	var log bytes.Buffer
	s := site(t, Rules{Deprecated: true})
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	now := map[string]string{
		"/cdr": "/openvidu/cdr", "/cdr/x.log": "/openvidu/cdr/x.log", "/recordings/a/b.mp4": "/openvidu/recordings/a/b.mp4",
		"/layouts/custom/c/index.html": "/openvidu/layouts/c/index.html", "/info": "/openvidu/info",
		"/accept-certificate": "/openvidu/accept-certificate", "/cdrs": "/cdrs", "/recordings": "/recordings",
	}
	for old, want := range now {
		if w := fetch(s, old); w.Body.String() != "own "+want {
			t.Errorf("%s: %q, want %s", old, w.Body, want)
		}
	}
	if !strings.Contains(log.String(), "deprecated path") {
		t.Errorf("log %q", log.String())
	}
	if err := s.Set(Rules{}); err != nil {
		t.Fatal(err)
	}
	for old := range now {
		if w := fetch(s, old); w.Body.String() != "own "+old {
			t.Errorf("without them %s: %q", old, w.Body)
		}
	}
}

func TestTLSByOpenSSLNames(t *testing.T) {
	const gcm, cbc, intermediate = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"
	for name, test := range map[string]struct {
		protocols, ciphers []string
		low, high          uint16
		suites, next       int
	}{
		"nothing":     {nil, nil, tls.VersionTLS12, 0, 0, 2},
		"both":        {[]string{"TLSv1.3", "TLSv1.2"}, nil, tls.VersionTLS12, tls.VersionTLS13, 0, 2},
		"newest":      {[]string{"TLSv1.3"}, []string{cbc}, tls.VersionTLS13, tls.VersionTLS13, 0, 2},
		"suites":      {nil, []string{gcm, intermediate, cbc}, tls.VersionTLS12, 0, 2, 2},
		"none for h2": {nil, []string{cbc}, tls.VersionTLS12, 0, 1, 1},
	} {
		c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
		if err := SetTLS(c, test.protocols, test.ciphers); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.MinVersion != test.low || c.MaxVersion != test.high || len(c.CipherSuites) != test.suites || len(c.NextProtos) != test.next {
			t.Errorf("%s: %x to %x, suites %v, %v", name, c.MinVersion, c.MaxVersion, c.CipherSuites, c.NextProtos)
		}
	}
	for name, test := range map[string][2][]string{
		"unknown version": {{"SSLv3"}, nil}, "an old one": {{"TLSv1.1", "TLSv1.2"}, nil}, "no version": {{}, nil},
		"unknown suite": {nil, {gcm, "ECDHE-RSA-RC4-SHA"}}, "a group": {nil, {"HIGH"}}, "none of ours": {nil, {intermediate}},
	} {
		if err := SetTLS(&tls.Config{MinVersion: tls.VersionTLS12}, test[0], test[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, id := range suites {
		if strings.HasPrefix(tls.CipherSuiteName(id), "0x") || len(name) < 8 {
			t.Errorf("%s is no suite", name)
		}
	}
}
