package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
)

// rooms gives one token per room, or fails.
type rooms struct{ err error }

func (f rooms) Token(_ context.Context, room string) (string, error) {
	if f.err != nil {
		return "", f.err
	}
	return "wss://example.org?sessionId=" + room + "&token=tok_A1", nil
}

// ask is one POST /call/{room}; zero fields are those of a caller on this machine.
type ask struct {
	mode       Mode
	room, from string
	body       string
	header     map[string]string
	rooms      rooms
}

func (a ask) request() *http.Request {
	r := httptest.NewRequest("POST", "https://here.example:4443/call/"+cmpOr(a.room, "tea"), strings.NewReader(a.body))
	r.RemoteAddr = cmpOr(a.from, "127.0.0.1:5000")
	for k, v := range a.header {
		r.Header.Set(k, v)
	}
	return r
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

type reply struct {
	status                int
	Token, Error, Message string
	retry                 string
}

func do(t *testing.T, h http.Handler, r *http.Request) reply {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := reply{status: w.Code, retry: w.Header().Get("Retry-After")}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/json" {
		t.Fatalf("Content-Type %q", kind)
	}
	if cache := w.Header().Get("Cache-Control"); cache != "no-store" {
		t.Fatalf("Cache-Control %q", cache)
	}
	return out
}

func (a ask) do(t *testing.T) reply {
	t.Helper()
	h := New(Config{Assets: fstest.MapFS{}, Rooms: a.rooms, Mode: a.mode, Log: slog.New(slog.DiscardHandler)})
	return do(t, h, a.request())
}

func TestTokens(t *testing.T) {
	cases := []struct {
		name    string
		ask     ask
		status  int
		message string // part of it
	}{
		{"on this machine", ask{}, 200, ""},
		{"on this machine, v6", ask{from: "[::1]:9"}, 200, ""},
		{"in the house", ask{from: "192.168.1.7:9"}, 200, ""},
		{"in the house, mapped", ask{from: "[::ffff:10.0.0.7]:9"}, 200, ""},
		{"link-local with a zone", ask{from: "[fe80::1%eth0]:9"}, 200, ""},
		{"unique local", ask{from: "[fd00::7]:9"}, 200, ""},
		{"from the internet", ask{from: "203.0.113.7:9"}, 403, "CALL_PAGE=all"},
		{"from the internet, v6", ask{from: "[2001:db8::1]:9"}, 403, "CALL_PAGE=all"},
		{"from the internet, open to all", ask{mode: ModeAll, from: "203.0.113.7:9"}, 200, ""},
		{"a proxy's guest", ask{header: map[string]string{"X-Forwarded-For": "203.0.113.7"}}, 403, "CALL_PAGE"},
		{"a guest who adds a hop", ask{header: map[string]string{"X-Forwarded-For": "10.0.0.1, 203.0.113.7"}}, 403, "CALL_PAGE"},
		{"an unnamed proxy's neighbour", ask{header: map[string]string{"X-Forwarded-For": "10.0.0.1"}}, 403, "TRUSTED_PROXIES"},
		{"an unnamed proxy's neighbour, by nginx", ask{header: map[string]string{"X-Real-IP": "10.0.0.1"}}, 403, "TRUSTED_PROXIES"},
		{"a proxy's stranger", ask{header: map[string]string{"Forwarded": "for=unknown"}}, 403, "CALL_PAGE"},
		{"own page", ask{header: map[string]string{"Origin": "https://here.example:4443"}}, 200, ""},
		{"other page", ask{header: map[string]string{"Origin": "https://evil.example"}}, 403, "evil.example"},
		{"other port", ask{header: map[string]string{"Origin": "https://here.example:9999"}}, 403, "another site"},
		{"opaque page", ask{header: map[string]string{"Origin": "null"}}, 403, "another site"},
		{"other page by fetch metadata", ask{header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, 403, "another site"},
		{"longest room", ask{room: strings.Repeat("a", 64)}, 200, ""},
		{"room too long", ask{room: strings.Repeat("a", 65)}, 400, "1 to 64"},
		{"room with a space", ask{room: "a%20b"}, 400, "1 to 64"},
		{"room with a slash", ask{room: "a%2Fb"}, 400, "1 to 64"},
		{"room beyond ASCII", ask{room: "caf%C3%A9"}, 400, "1 to 64"},
		{"largest body", ask{body: strings.Repeat(" ", 4096)}, 200, ""},
		{"body too large", ask{body: strings.Repeat(" ", 4097)}, 413, "4096 bytes"},
		{"server full", ask{rooms: rooms{fault.New(fault.NoCapacity, "all nodes are full")}}, 503, "all nodes are full"},
		{"store slow", ask{rooms: rooms{context.DeadlineExceeded}}, 503, ""},
		{"our failure", ask{rooms: rooms{errors.New("tok_SECRET at 10.0.0.1")}}, 500, "its log says why"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := c.ask.do(t)
			if got.status != c.status || !strings.Contains(got.Message, c.message) {
				t.Fatalf("got %+v", got)
			}
			want := "wss://example.org?sessionId=" + cmpOr(c.ask.room, "tea") + "&token=tok_A1"
			if c.status == 200 && got.Token != want {
				t.Fatalf("token %q", got.Token)
			}
			if c.status != 200 && (got.Token != "" || got.Error == "") {
				t.Fatalf("got %+v", got)
			}
			if (got.retry != "") != (c.status == 503) {
				t.Fatalf("Retry-After %q", got.retry)
			}
		})
	}
}

func TestOwnFailuresAreLoggedNotTold(t *testing.T) {
	var log bytes.Buffer
	h := New(Config{
		Assets: fstest.MapFS{}, Rooms: rooms{errors.New("disk is gone")}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if got := do(t, h, ask{}.request()); strings.Contains(got.Message, "disk") {
		t.Fatalf("the caller was told %q", got.Message)
	}
	if !strings.Contains(log.String(), "disk is gone") {
		t.Fatalf("log %q", log.String())
	}
}

func TestRatePerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Assets: fstest.MapFS{}, Rooms: rooms{}, Log: slog.New(slog.DiscardHandler)})
		from := func(addr string) reply { return do(t, h, ask{from: addr}.request()) }
		for i := range burst {
			if got := from("192.168.1.7:" + strconv.Itoa(1000+i)); got.status != 200 {
				t.Fatalf("request %d of the burst: %+v", i, got)
			}
		}
		refused := from("192.168.1.7:1")
		if refused.status != 429 || refused.retry != "1" || refused.Error != string(fault.RateLimited) {
			t.Fatalf("after the burst: %+v", refused)
		}
		if got := from("192.168.1.8:1"); got.status != 200 {
			t.Fatalf("a neighbour: %+v", got)
		}
		time.Sleep(time.Second) // the bubble's clock
		if got := from("192.168.1.7:1"); got.status != 200 {
			t.Fatalf("after Retry-After: %+v", got)
		}
	})
}

func TestOneSubscriberHasOneBucketInIPv6(t *testing.T) {
	l := newLimit(perSecond, burst)
	for i := range burst {
		if wait := l.take(netip.MustParseAddr("fd00::1:" + strconv.Itoa(i))); wait != 0 {
			t.Fatalf("request %d waits %v", i, wait)
		}
	}
	if l.take(netip.MustParseAddr("fd00::2")) == 0 || l.take(netip.MustParseAddr("fd00:0:0:1::2")) != 0 {
		t.Fatal("the /64 must share a bucket, its neighbour must not")
	}
}

func TestTableOfAddressesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(perSecond, burst)
		addr := netip.MustParseAddr("10.0.0.0")
		for range maxAddresses {
			addr = addr.Next()
			if l.take(addr) != 0 {
				t.Fatalf("%s has to wait", addr)
			}
		}
		if addr = addr.Next(); l.take(addr) == 0 {
			t.Fatal("an address beyond the table was let in")
		}
		time.Sleep(2 * time.Second) // the bubble's clock: every bucket is full again
		if l.take(addr) != 0 || len(l.buckets) != 1 {
			t.Fatalf("idle addresses were kept: %d", len(l.buckets))
		}
	})
}

// FuzzLocal: whatever a proxy or a liar writes, a public address never counts as local.
func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.1", "10.0.0.1, 203.0.113.7", ",", "::1", "fe80::1%eth0", "[::1]:80", "unknown"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, forwarded string) {
		r := httptest.NewRequest("POST", "/call/tea", nil)
		r.Header.Set("X-Forwarded-For", forwarded)
		if isLocal(r, netip.MustParseAddr("127.0.0.1")) || isLocal(r, netip.MustParseAddr("203.0.113.7")) {
			t.Fatalf("X-Forwarded-For %q of an unnamed proxy was taken for local", forwarded)
		}
	})
}
