package signal_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/api/signal"
	"tertulia/internal/testkit"
)

// silentServer serves sockets on a loopback port.
func silentServer(t *testing.T, every time.Duration) *httptest.Server {
	s := signal.New(signal.Config{Log: slog.New(slog.DiscardHandler), PingEvery: every})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		cancel()
		running.Wait()
		web.Close()
	})
	return web
}

// listen says nothing on a socket and returns how long it stayed open, and the pings it got; at most as long as said.
func listen(t *testing.T, url string, most time.Duration) (open time.Duration, pings int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/openvidu", &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool { pings++; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	began := time.Now()
	if _, _, err := ws.Read(ctx); err == nil {
		t.Error("a message came unasked")
	}
	return time.Since(began), pings
}

// TestKMS_15__NginxWithItsDefaults: nginx closes a socket on which the server says nothing for proxy_read_timeout, 60 s
// by default and 2 s here; control pings keep it, and without them it ends on time.
func TestKMS_15__NginxWithItsDefaults(t *testing.T) {
	const timeout = 2 * time.Second
	for name, c := range map[string]struct {
		every time.Duration
		kept  bool
	}{"pings": {timeout / 3, true}, "no pings": {-1, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := silentServer(t, c.every)
			front := testkit.Nginx(t, `listen LISTEN; proxy_read_timeout 2s; location / { proxy_pass `+web.URL+`; proxy_http_version 1.1;
				proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }`)
			open, pings := listen(t, "http://"+front, 3*timeout)
			if c.kept && (open < 3*timeout-100*time.Millisecond || pings < 6) {
				t.Errorf("a silent socket was closed after %v and %d pings", open, pings)
			}
			if !c.kept && (open < timeout-time.Second/2 || open > timeout+time.Second || pings > 0) {
				t.Errorf("without pings it was closed after %v; this nginx proves nothing", open)
			}
		})
	}
}

// TestPingsBesideTalk: pings come while messages do, and a client that answers none is not closed for it.
func TestPingsBesideTalk(t *testing.T) {
	web := silentServer(t, 5*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	pinged := make(chan struct{}, 1)
	ws, _, err := websocket.Dial(ctx, strings.Replace(web.URL, "http", "ws", 1)+"/openvidu", &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pinged <- struct{}{}:
			default:
			}
			return false
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	for range 200 {
		if err := ws.Write(ctx, websocket.MessageText, []byte(`{"jsonrpc":"2.0","method":"ping","id":1}`)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil {
			t.Fatal(err)
		}
	}
	reading := make(chan error, 1)
	go func() { _, _, err := ws.Read(ctx); reading <- err }()
	select {
	case <-pinged:
	case <-ctx.Done():
		t.Fatal("no ping came")
	}
	cancel()
	<-reading
}
