package dashboard

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// build is what `npm run build` writes for a program whose main script says text.
func build(hash, text string) fs.FS {
	script := "assets/index-" + hash + ".js"
	return fstest.MapFS{
		"index.html":    {Data: []byte(`<!doctype html><script type="module" src="/` + script + `"></script>`)},
		script:          {Data: []byte(text)},
		script + ".gz":  {Data: packed(text)},
		"assets/p.woff": {Data: []byte("font")},
	}
}

func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

func serve(t *testing.T, h http.Handler, method, target string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func pageOf(files fs.FS) http.Handler {
	return New(Config{Assets: files, Log: slog.New(slog.DiscardHandler)})
}

// browser is a browser's cache as far as a plain reload uses it: an immutable answer is never asked for again, a
// no-cache answer is revalidated with its ETag.
type browser struct {
	t     *testing.T
	kept  map[string]string // path → body
	etags map[string]string
}

func (b *browser) get(server http.Handler, path string) string {
	b.t.Helper()
	header := http.Header{}
	if etag, ok := b.etags[path]; ok {
		header.Set("If-None-Match", etag)
	} else if body, ok := b.kept[path]; ok {
		return body
	}
	res := serve(b.t, server, "GET", path, header)
	switch res.StatusCode {
	case http.StatusNotModified:
		return b.kept[path]
	case http.StatusOK:
	default:
		b.t.Fatalf("GET %s: %s", path, res.Status)
	}
	body := bodyOf(b.t, res)
	switch cache := res.Header.Get("Cache-Control"); cache {
	case "no-cache":
		b.etags[path] = res.Header.Get("ETag")
	case "public, max-age=31536000, immutable":
		if !regexp.MustCompile(`^/assets/.+-[0-9a-zA-Z_-]{8}\.\w+$`).MatchString(path) {
			b.t.Errorf("%s is kept for ever and its name has no hash", path)
		}
	default:
		b.t.Fatalf("GET %s: Cache-Control %q", path, cache)
	}
	b.kept[path] = body
	return body
}

// run reloads the page and returns the text of the script it runs.
func (b *browser) run(server http.Handler) string {
	html := b.get(server, "/call/tea")
	script := regexp.MustCompile(`/assets/[^"]+`).FindString(html)
	return b.get(server, script)
}

// Promise FAQ-02c: after an upgrade of the server a plain reload runs the new build.
func TestFAQ_02c__HashedAssets(t *testing.T) {
	before, after := pageOf(build("AAAAAAAA", "old()")), pageOf(build("BBBBBBBB", "new()"))
	b := &browser{t, map[string]string{}, map[string]string{}}
	for range 2 {
		if got := b.run(before); got != "old()" {
			t.Fatalf("before the upgrade the page runs %q", got)
		}
	}
	etag := b.etags["/call/tea"]
	if got := b.run(after); got != "new()" {
		t.Fatalf("after the upgrade a plain reload runs %q", got)
	}
	if etag == "" || etag == b.etags["/call/tea"] {
		t.Fatalf("the page's ETag was %q and is %q", etag, b.etags["/call/tea"])
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	h := pageOf(build("AAAAAAAA", "run()"))
	etag := serve(t, h, "GET", "/", nil).Header.Get("ETag")
	res := serve(t, h, "GET", "/call/other", http.Header{"If-None-Match": {etag}})
	if res.StatusCode != http.StatusNotModified {
		t.Fatalf("got %s", res.Status)
	}
}

func TestAssetsTravelCompressed(t *testing.T) {
	text := strings.Repeat("run();", 100)
	h := pageOf(build("AAAAAAAA", text))
	res := serve(t, h, "GET", "/assets/index-AAAAAAAA.js", http.Header{"Accept-Encoding": {"gzip, deflate, br"}})
	if res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("headers %v", res.Header)
	}
	if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/javascript") {
		t.Fatalf("Content-Type %q", kind)
	}
	unpacked, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(unpacked); string(got) != text {
		t.Fatalf("got %q", got)
	}
	plain := serve(t, h, "GET", "/assets/index-AAAAAAAA.js", http.Header{"Accept-Encoding": {"identity"}})
	if got := bodyOf(t, plain); got != text {
		t.Fatalf("a client without gzip got %q", got)
	}
}

func TestPathsOutsideTheBuild(t *testing.T) {
	h := pageOf(build("AAAAAAAA", "run()"))
	for _, path := range []string{
		"/assets/", "/assets", "/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/index.html",
		"/call/", "/call/a/b", "/.keep", "/assets/index-AAAAAAAA.js/",
	} {
		if res := serve(t, h, "GET", path, nil); res.StatusCode == http.StatusOK {
			t.Errorf("GET %s: %s: %s", path, res.Status, bodyOf(t, res))
		}
	}
}

func TestServerWithoutAssetsSaysHowToBuildThem(t *testing.T) {
	h := pageOf(fstest.MapFS{".keep": {}})
	for _, path := range []string{"/", "/call/tea"} {
		res := serve(t, h, "GET", path, nil)
		if body := bodyOf(t, res); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "make build") {
			t.Errorf("GET %s: %s: %s", path, res.Status, body)
		}
		if cache := res.Header.Get("Cache-Control"); cache != "no-cache" {
			t.Errorf("GET %s: Cache-Control %q", path, cache)
		}
	}
}

func TestModeOff(t *testing.T) {
	h := New(Config{Assets: build("AAAAAAAA", "run()"), Mode: ModeOff, Log: slog.New(slog.DiscardHandler)})
	for _, request := range []string{"GET /", "GET /call/tea", "GET /assets/index-AAAAAAAA.js", "POST /call/tea"} {
		method, path, _ := strings.Cut(request, " ")
		if res := serve(t, h, method, path, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", request, res.Status)
		}
	}
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	h := pageOf(build("AAAAAAAA", "run()"))
	for _, request := range []string{"GET /", "GET /assets/none.js", "GET /nowhere", "POST /call/not%20a%20room"} {
		method, path, _ := strings.Cut(request, " ")
		header := serve(t, h, method, path, nil).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'self'",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "same-origin",
			"Permissions-Policy":      "display-capture=(self)",
		} {
			if got := header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", request, name, got)
			}
		}
	}
}
