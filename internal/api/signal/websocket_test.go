package signal

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/fault"
	"tertulia/internal/session"
)

// empty is a node without sessions.
type empty struct{}

func (empty) Join(context.Context, string, string, session.Join) (*Seat, error) {
	return nil, fault.New(fault.SessionNotFound, "there is none")
}

func (empty) Resume(context.Context, string, time.Time) (*Seat, error) {
	return nil, fault.New(fault.ReconnectionUnknown, "reconnection error")
}

// serveHTTP runs a server on a port of this machine; stop ends it and waits until all sockets are gone.
func serveHTTP(t *testing.T, cfg Config) (s *Server, url string, stop func()) {
	cfg.Log = quiet(t)
	if cfg.Sessions == nil {
		cfg.Sessions = empty{}
	}
	s = New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("X-Test-Address"); a != "" { // as the front door does for a proxy's clients
			r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(a), 0).String()
		}
		s.ServeHTTP(w, r)
	}))
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		web.Close()
	})
	t.Cleanup(stop)
	return s, strings.Replace(web.URL, "https", "wss", 1), stop
}

var insecure = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

func dial(t *testing.T, url string, header http.Header) (*websocket.Conn, *http.Response) {
	t.Helper()
	ws, response, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: insecure, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	return ws, response
}

func read(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_, text, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnyOriginTextOrBinary(t *testing.T) {
	_, url, _ := serveHTTP(t, Config{})
	ws, _ := dial(t, url+"/openvidu?sessionId=S", http.Header{"Origin": {"https://elsewhere.example"}})
	for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
		if err := ws.Write(t.Context(), kind, []byte(`{"jsonrpc":"2.0","method":"ping","id":1}`)); err != nil {
			t.Fatal(err)
		}
		if got, want := read(t, ws), `{"id":1,"result":{"value":"pong"},"jsonrpc":"2.0"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestOversizeFrameCloses1009(t *testing.T) {
	_, url, _ := serveHTTP(t, Config{MaxFrame: 1000})
	ws, _ := dial(t, url+"/openvidu", nil)
	fits := `{"jsonrpc":"2.0","method":"ping","id":1,"x":"` + strings.Repeat("x", 900) + `"}`
	ws.Write(t.Context(), websocket.MessageText, []byte(fits))
	read(t, ws)
	ws.Write(t.Context(), websocket.MessageText, []byte(fits+strings.Repeat(" ", 100)))
	_, _, err := ws.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("closed with %v", err)
	}
}

func TestShutdownClosesSocketsAndRefusesNewOnes(t *testing.T) {
	s, url, stop := serveHTTP(t, Config{})
	ws, _ := dial(t, url+"/openvidu", nil)
	ws.Write(t.Context(), websocket.MessageText, []byte(`{"jsonrpc":"2.0","method":"ping","id":1}`))
	read(t, ws)
	if got := s.Stats().Sockets; got != 1 {
		t.Errorf("%d sockets", got)
	}
	closed := make(chan error, 1)
	go func() {
		_, _, err := ws.Read(context.Background())
		closed <- err
	}()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Run(ctx) // returns once the socket is gone
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("closed with %v", err)
	}
	if _, response, err := websocket.Dial(t.Context(), url+"/openvidu", &websocket.DialOptions{HTTPClient: insecure}); err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new socket after the end: %v", err)
	}
	if got := s.Stats(); got.Sockets != 0 || got.Refused != 1 {
		t.Errorf("stats %+v", got)
	}
	stop()
}

func TestSocketsPerAddress(t *testing.T) {
	s, url, _ := serveHTTP(t, Config{MaxSocketsByAddress: 2})
	from := func(address string) http.Header { return http.Header{"X-Test-Address": {address}} }
	for _, address := range []string{"198.51.100.1", "198.51.100.1", "198.51.100.2", "2001:db8::1"} {
		dial(t, url+"/openvidu", from(address))
	}
	for range 5 {
		dial(t, url+"/openvidu", nil) // of this host
	}
	_, response, err := websocket.Dial(t.Context(), url+"/openvidu", &websocket.DialOptions{HTTPClient: insecure, HTTPHeader: from("198.51.100.1")})
	if err == nil || response.StatusCode != http.StatusServiceUnavailable || s.Stats().Refused != 1 {
		t.Errorf("the third socket of an address: %v", err)
	}
}

func TestPages(t *testing.T) {
	_, url, _ := serveHTTP(t, Config{})
	base := strings.Replace(url, "wss", "https", 1)
	for path, want := range map[string]int{"/openvidu/accept-certificate": 200, "/accept-certificate": 200, "/openvidu": 426} {
		response, err := insecure.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != want || want == 200 && !strings.Contains(string(body), "Certificate accepted") {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
}

func TestIdentify(t *testing.T) {
	s := New(Config{Secret: "S", Log: quiet(t)})
	for _, c := range []struct {
		remote, path           string
		want                   string
		loopback, first, query bool
	}{
		{remote: "127.0.0.1:5000", path: "/openvidu", want: "127.0.0.1", loopback: true},
		{remote: "[::1]:5000", path: "/room", want: "::1", loopback: true, first: true},
		{remote: "203.0.113.9:0", path: "/openvidu?sessionId=S", want: "203.0.113.9", query: true},
		{remote: "[::ffff:192.0.2.1]:5000", path: "/openvidu", want: "192.0.2.1"},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.RemoteAddr = c.remote
		r.Header.Set("x-real-ip", "198.51.100.9") // nobody's word, once the front door has let it pass
		got := s.identify(httptest.NewRecorder(), r)
		if got.address.String() != c.want || got.loopback != c.loopback || got.first != c.first || got.query != c.query {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
}

func TestReached(t *testing.T) {
	for host, want := range map[string]string{
		"example.com": "example.com:80", "example.com:4443": "example.com:4443", "[2001:db8::1]": "[2001:db8::1]:80",
		"[2001:db8::1]:4443": "[2001:db8::1]:4443", "": "", "evil?x=1:1": "",
	} {
		r := httptest.NewRequest("GET", "/openvidu", nil)
		r.Host = host
		if got := reached(r); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	secure := httptest.NewRequest("GET", "https://example.com/openvidu", nil)
	if got := reached(secure); got != "example.com:443" {
		t.Errorf("over TLS: %q", got)
	}
}

func TestUserIDComesBackWithItsCookie(t *testing.T) {
	s := New(Config{Secret: "S", Log: quiet(t)})
	ask := func(cookie string) (id, set string, life int) {
		r, w := httptest.NewRequest("GET", "/openvidu", nil), httptest.NewRecorder()
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "OVJSESSIONID", Value: cookie})
		}
		id = s.identify(w, r).userID
		for _, c := range w.Result().Cookies() {
			set, life = c.Value, c.MaxAge
		}
		return id, set, life
	}
	id, cookie, life := ask("")
	if len(id) != 16 || !strings.HasPrefix(cookie, id) || life != 1800 {
		t.Fatalf("id %q, cookie %q for %d s", id, cookie, life)
	}
	if again, set, life := ask(cookie); again != id || set != cookie || life != 1800 {
		t.Errorf("with the cookie: %q, set %q for %d s", again, set, life)
	}
	for _, forged := range []string{id, strings.Repeat("A", 16) + cookie[16:], cookie + "x", "x"} {
		if other, set, _ := ask(forged); other == id || set == forged {
			t.Errorf("cookie %q was believed", forged)
		}
	}
}

// The deadline of a whole test file keeps a hang readable.
func init() { insecure.Timeout = 30 * time.Second }

// TestCloseFrameIsTold: what the client, or a proxy, said in its close frame reaches the session.
func TestCloseFrameIsTold(t *testing.T) {
	node := newScript()
	s, url, stop := serveHTTP(t, Config{Sessions: node})
	ws, _ := dial(t, url+"/openvidu?sessionId=S", nil)
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(frame(0, "connect", `{"sessionId":"rpc"}`))); err != nil {
		t.Fatal(err)
	}
	read(t, ws)
	ws.Close(4001, "idle timeout")
	for s.Stats().Sockets > 0 { // its end must not be the server's
		runtime.Gosched()
	}
	stop()
	if len(node.lost) != 1 || node.lost[0].Code != 4001 || node.lost[0].Reason != "idle timeout" {
		t.Errorf("told %+v", node.lost)
	}
}

// FuzzHandshake: whatever a client's request says of itself, it gets a user id of ours, and no more is kept of it than
// there is room for.
func FuzzHandshake(f *testing.F) {
	s := New(Config{Secret: "S", Log: slog.New(slog.DiscardHandler)})
	good := s.sign("0123456789ABCDEF")
	f.Add("example.com:443", good, "https://example.com", "192.0.2.1:5000")
	f.Add("[::1", good[:20], strings.Repeat("é", 300), "[fe80::1%eth0]:1")
	f.Add("a b:1", "x; OVJSESSIONID="+good, "", "")
	f.Fuzz(func(t *testing.T, host, cookie, origin, remote string) {
		r := httptest.NewRequest("GET", "/openvidu", nil)
		r.Host, r.RemoteAddr = host, remote
		r.Header = http.Header{"Cookie": {"OVJSESSIONID=" + cookie}, "Origin": {origin}}
		w := httptest.NewRecorder()
		c := s.identify(w, r)
		cookies := w.Result().Cookies()
		if len(cookies) != 1 || cookies[0].Value != s.sign(c.userID) || len(c.userID) != userIDLen || len(c.origin) > maxOrigin {
			t.Fatalf("%+v, cookies %v", c, cookies)
		}
		if c.host != "" && (strings.ContainsAny(c.host, "?&=#@/ \"<>") || !strings.Contains(c.host, ":")) {
			t.Fatalf("reached by %q", c.host)
		}
		_ = c.group()
	})
}
