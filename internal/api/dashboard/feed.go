package dashboard

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Feed is the websocket /openvidu/info: lines of text for whoever watches the server, as the dashboard of OpenVidu shows
// them. What a client says is not read.
type Feed struct {
	allowed func(*http.Request) bool
	log     *slog.Logger
	tries   *limit

	mu       sync.Mutex
	watchers map[chan string]struct{}
}

const (
	maxWatchers = 100
	infoQueue   = 256 // lines that wait for one; more are left out
	infoWithin  = 10 * time.Second
	infoPing    = 20 * time.Second
	infoRead    = 4 << 10 // bytes of a message nobody reads
)

// NewFeed makes the feed; allowed says who may watch it.
func NewFeed(allowed func(*http.Request) bool, log *slog.Logger) *Feed {
	return &Feed{allowed: allowed, log: log, tries: newLimit(perSecond, burst), watchers: map[chan string]struct{}{}}
}

// Tell sends a line to all who watch. It does not wait: who is too slow misses lines.
func (f *Feed) Tell(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for lines := range f.watchers {
		select {
		case lines <- line:
		default:
		}
	}
}

// ServeHTTP implements http.Handler.
func (f *Feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || f.tries.take(from.Addr().Unmap()) > 0 {
		http.Error(w, "too many tries from this address", http.StatusTooManyRequests)
		return
	}
	if !f.allowed(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="OpenVidu"`)
		http.Error(w, "name this address in ALLOWED_ACCESS_TO_DASHBOARD, or give the credentials of the REST API", http.StatusUnauthorized)
		return
	}
	lines := make(chan string, infoQueue)
	if !f.add(lines) {
		http.Error(w, "too many watch already", http.StatusServiceUnavailable)
		return
	}
	defer f.remove(lines)
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	socket.SetReadLimit(infoRead)
	ctx, cancel := context.WithCancel(r.Context())
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		ignore(ctx, socket)
	})
	if err := pump(ctx, socket, lines); err != nil {
		f.log.Debug("a watcher has left", "client", r.RemoteAddr, "error", err)
	}
	_ = socket.CloseNow()
	reading.Wait()
}

// ignore reads what a client says, which is nothing to us, until it leaves.
func ignore(ctx context.Context, socket *websocket.Conn) {
	for {
		_, said, err := socket.Reader(ctx)
		if err == nil {
			_, err = io.Copy(io.Discard, said)
		}
		if err != nil {
			return
		}
	}
}

func pump(ctx context.Context, socket *websocket.Conn, lines chan string) error {
	ticker := time.NewTicker(infoPing)
	defer ticker.Stop()
	for {
		var err error
		within, cancel := context.WithTimeout(ctx, infoWithin)
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-ticker.C:
			err = socket.Ping(within)
		case line := <-lines:
			err = socket.Write(within, websocket.MessageText, []byte(line))
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

func (f *Feed) add(lines chan string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.watchers) >= maxWatchers {
		return false
	}
	f.watchers[lines] = struct{}{}
	return true
}

func (f *Feed) remove(lines chan string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, lines)
}
