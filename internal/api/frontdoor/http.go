package frontdoor

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// startServers runs an HTTP server for each class of connections; the function it returns lets their requests finish,
// or cuts them off after Limits.Drain, and waits. The requests' contexts derive from ctx.
func (d *Door) startServers(ctx context.Context) (stop func()) {
	secure := d.newServer(ctx, restoreTLS(d.trusted().unproxied(d.config.HTTP)))
	plain := d.newServer(ctx, http.HandlerFunc(d.servePlain))
	var serving sync.WaitGroup
	serving.Go(func() { _ = secure.Serve(d.secure) }) // ErrServerClosed, after stop
	serving.Go(func() { _ = plain.Serve(d.plain) })
	return func() {
		drain, cancel := context.WithTimeout(ctx, d.config.Limits.Drain)
		defer cancel()
		var stopping sync.WaitGroup
		for _, server := range []*http.Server{secure, plain} {
			stopping.Go(func() {
				if server.Shutdown(drain) != nil {
					_ = server.Close()
				}
			})
		}
		stopping.Wait()
		serving.Wait()
	}
}

func (d *Door) newServer(ctx context.Context, handler http.Handler) *http.Server {
	limits := d.config.Limits
	return &http.Server{
		Handler:           limitBody(handler, limits.Body),
		ReadHeaderTimeout: limits.Header,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    limits.HeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       rememberTLS,
		ErrorLog:          slog.NewLogLogger(d.config.Log.Handler(), slog.LevelWarn),
	}
}

type tlsKey struct{}

// rememberTLS and restoreTLS set Request.TLS for clients without ALPN, whose connection had to be peeked into, so that
// net/http does not see that it is one of TLS.
func rememberTLS(ctx context.Context, stream net.Conn) context.Context {
	p, ok := stream.(*peeked)
	if !ok {
		return ctx
	}
	if secure := tlsOf(p); secure != nil {
		state := secure.ConnectionState()
		return context.WithValue(ctx, tlsKey{}, &state)
	}
	if through, ok := p.Conn.(*proxied); ok {
		return context.WithValue(ctx, proxiedKey{}, through)
	}
	return ctx
}

type proxiedKey struct{}

func restoreTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, ok := r.Context().Value(tlsKey{}).(*tls.ConnectionState); ok {
			r.TLS = state
		}
		next.ServeHTTP(w, r)
	})
}

// servePlain answers HTTP without TLS: here for loopback hosts and proxies that have ended TLS, by a redirect for
// others.
func (d *Door) servePlain(w http.ResponseWriter, r *http.Request) {
	if said, ended := d.endedTLS(r); ended {
		said.scheme = "https"
		d.config.HTTP.ServeHTTP(w, said.apply(r))
		return
	}
	if d.config.ServePlain(hostOf(r.Host)) {
		d.trusted().unproxied(d.config.HTTP).ServeHTTP(w, r)
		return
	}
	if said, ok := d.trusted().forwarded(r); ok {
		r = said.apply(r)
	}
	d.counters.redirects.Add(1)
	redirect(w, r, r.Host)
}

// endedTLS reports whether a request came in the clear from a proxy to which its client spoke TLS. One that is named in
// the settings need not say so; of those trusted by default it is wanted: a browser on this machine is at loopback, too.
func (d *Door) endedTLS(r *http.Request) (said forwarding, ended bool) {
	named := d.trusted() != nil
	if through, ok := r.Context().Value(proxiedKey{}).(*proxied); ok {
		return said, named || through.secure
	}
	said, ok := d.trusted().forwarded(r)
	return said, ok && (said.scheme == "https" || named && said.scheme == "")
}

// redirect sends a client to the same place by HTTPS. 308 keeps the method and body; 301 is what clients of GET have
// always known.
func redirect(w http.ResponseWriter, r *http.Request, host string) {
	w.Header().Set("Connection", "close")
	if host == "" {
		http.Error(w, "this port speaks HTTPS; say which host you want", http.StatusBadRequest)
		return
	}
	code := http.StatusPermanentRedirect
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		code = http.StatusMovedPermanently
	}
	http.Redirect(w, r, "https://"+host+"/"+strings.TrimPrefix(r.URL.RequestURI(), "/"), code)
}

// hostOf is a Host header without port and brackets.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.Trim(header, "[]")
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.IsLoopback()
}

// limitBody gives each request with a body a time to send it. http.Server.ReadTimeout would do that too, and end the
// context of every request that is answered for longer.
func limitBody(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			stream := http.NewResponseController(w)
			if err := stream.SetReadDeadline(time.Now().Add(patience)); err != nil {
				http.Error(w, "the connection has ended", http.StatusBadRequest)
				return
			}
			r.Body = &timedBody{ReadCloser: r.Body, stream: stream, until: time.Now().Add(patience)}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody takes the deadline away once the body is complete, and gives a large one the time it needs at leastRate.
type timedBody struct {
	io.ReadCloser
	stream *http.ResponseController
	until  time.Time
	bytes  int // since the deadline was set
}

// leastRate is how fast a large body must come, in bytes per second: a file is sent to a route in minutes.
const leastRate = 64 << 10

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.bytes += n; err == nil && b.bytes >= 16*leastRate {
		b.until = b.until.Add(16 * time.Second)
		b.bytes -= 16 * leastRate
		_ = b.stream.SetReadDeadline(b.until) // as below
	}
	if err == io.EOF {
		_ = b.stream.SetReadDeadline(time.Time{}) // fails only on a connection that has ended
	}
	return n, err
}

// queue is the listener of one class of connections.
type queue struct {
	address net.Addr
	streams chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newQueue(address net.Addr) *queue {
	return &queue{address: address, streams: make(chan net.Conn), done: make(chan struct{})}
}

// deliver hands a connection to whoever accepts; false when nobody will any more.
func (q *queue) deliver(stream net.Conn) bool {
	select {
	case q.streams <- stream:
		return true
	case <-q.done:
		return false
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case stream := <-q.streams:
		return stream, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

func (q *queue) Addr() net.Addr { return q.address }
