package dashboard

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
)

// asked are the rooms that tokens were wanted for; from the fail-th on there are none.
type asked struct {
	rooms []string
	fail  int
}

func (a *asked) Token(_ context.Context, room string) (string, error) {
	a.rooms = append(a.rooms, room)
	if a.fail > 0 && len(a.rooms) >= a.fail {
		return "", fault.New(fault.NoCapacity, "all nodes are full")
	}
	return "wss://example.org?sessionId=" + room + "&token=tok_" + strconv.Itoa(len(a.rooms)), nil
}

type checkReply struct {
	Tokens         []string
	Error, Message string
}

func checks(t *testing.T, h http.Handler, from string, header http.Header) (int, checkReply) {
	t.Helper()
	r := httptest.NewRequest("POST", "https://here.example:4443/dashboard/test", nil)
	r.RemoteAddr = from
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var got checkReply
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return w.Code, got
}

func checkPage(mode Mode, rooms Rooms) http.Handler {
	files := fstest.MapFS{"index.html": {Data: []byte("call")}, "check.html": {Data: []byte("check")}}
	return New(Config{Assets: files, Rooms: rooms, Mode: mode, Log: slog.New(slog.DiscardHandler)})
}

// TestACheckHasARoomOfItsOwn: three places in a room nobody can guess, another one each time.
func TestACheckHasARoomOfItsOwn(t *testing.T) {
	var given asked
	h := checkPage(ModeLocal, &given)
	for range 2 {
		status, got := checks(t, h, "192.168.1.7:9", nil)
		if status != http.StatusOK || len(got.Tokens) != 3 || got.Tokens[0] == got.Tokens[1] {
			t.Fatalf("%d %+v", status, got)
		}
	}
	if len(given.rooms) != 6 || given.rooms[0] != given.rooms[2] || given.rooms[0] == given.rooms[3] {
		t.Errorf("rooms %v", given.rooms)
	}
	if !regexp.MustCompile(`^test-[a-z0-9]{20,}$`).MatchString(given.rooms[0]) || !roomName.MatchString(given.rooms[0]) {
		t.Errorf("room %q", given.rooms[0])
	}
}

// TestWhoMayCheck: the rule of the call page.
func TestWhoMayCheck(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    Mode
		from    string
		header  http.Header
		fail    int
		status  int
		message string
	}{
		{"in the house", ModeLocal, "10.0.0.7:9", nil, 0, 200, ""},
		{"from the internet", ModeLocal, "203.0.113.7:9", nil, 0, 403, "CALL_PAGE=all"},
		{"from the internet, open to all", ModeAll, "203.0.113.7:9", nil, 0, 200, ""},
		{"another site", ModeAll, "10.0.0.7:9", http.Header{"Origin": {"https://evil.example"}}, 0, 403, "another site"},
		{"full at the second place", ModeLocal, "10.0.0.7:9", nil, 2, 503, "all nodes are full"},
	} {
		status, got := checks(t, checkPage(c.mode, &asked{fail: c.fail}), c.from, c.header)
		if status != c.status || !strings.Contains(got.Message, c.message) || (len(got.Tokens) == 3) != (status == 200) {
			t.Errorf("%s: %d %+v", c.name, status, got)
		}
	}
}

func TestRateOfChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := checkPage(ModeLocal, &asked{})
		for i := range checkBurst {
			if status, got := checks(t, h, "10.0.0.7:9", nil); status != 200 {
				t.Fatalf("check %d: %d %+v", i, status, got)
			}
		}
		if status, got := checks(t, h, "10.0.0.7:9", nil); status != 429 || !strings.Contains(got.Message, "5 s") {
			t.Fatalf("after the burst: %d %+v", status, got)
		}
		if got := do(t, h, ask{from: "10.0.0.7:9"}.request()); got.status != 200 {
			t.Fatalf("checks have used up the calls: %+v", got)
		}
		time.Sleep(5 * time.Second) // the bubble's clock
		if status, got := checks(t, h, "10.0.0.7:9", nil); status != 200 {
			t.Fatalf("after the time told: %d %+v", status, got)
		}
	})
}

func TestThePageOfTheCheck(t *testing.T) {
	res := serve(t, checkPage(ModeLocal, &asked{}), "GET", "/dashboard/test", nil)
	if body := bodyOf(t, res); res.StatusCode != 200 || body != "check" || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%s %q %v", res.Status, body, res.Header)
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	off := checkPage(ModeOff, &asked{})
	for _, method := range []string{"GET", "POST"} {
		if res := serve(t, off, method, "/dashboard/test", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s with the page off: %s", method, res.Status)
		}
	}
}

// TestPagesUseTheCataloguesCodes: support looks the word up that a person reads to them.
func TestPagesUseTheCataloguesCodes(t *testing.T) {
	root := filepath.Join("..", "..", "..", "web", "src")
	var found []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !regexp.MustCompile(`\.(ts|svelte)$`).MatchString(path) {
			return err
		}
		text, err := os.ReadFile(path)
		// The SDK's own names of errors are quoted too: they end otherwise.
		for _, m := range regexp.MustCompile(`['"]([A-Z]+(?:_[A-Z]+)+)['"]`).FindAllStringSubmatch(string(text), -1) {
			found = append(found, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sdk := []string{"DEVICE_ACCESS_DENIED", "DEVICE_ALREADY_IN_USE", "BROWSER_NOT_SUPPORTED", "ICE_CONNECTION_FAILED",
		"ICE_CONNECTION_DISCONNECTED", "NO_STREAM_PLAYING_EVENT", "SCREEN_CAPTURE_DENIED"}
	known := 0
	for _, code := range found {
		if _, ok := diagnosis.Of(diagnosis.Code(code)); ok {
			known++
		} else if !slices.Contains(sdk, code) {
			t.Errorf("a page says %s, which is no code of the catalogue", code)
		}
	}
	if known < 5 {
		t.Errorf("%d codes found in %s; the test no longer sees them", known, root)
	}
}
