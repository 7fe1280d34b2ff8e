package frontdoor

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Redirect is a port for plain HTTP that sends everybody on to HTTPS at the one port. Make it with NewRedirect, open it
// with Run.
type Redirect struct {
	listener net.Listener
	port     int // of HTTPS
	first    func(http.Handler) http.Handler
	places   *quota
	log      *slog.Logger
}

// What it bears: a redirect takes a moment.
const (
	redirectsAtOnce    = 512
	redirectsOfOne     = 64
	redirectWithin     = 5 * time.Second
	redirectHeaderSize = 8 << 10 // bytes
)

// NewRedirect takes over a listener, which Run closes, and the port that HTTPS is at. first answers what may not be sent
// on, an authority's challenge (certs.Store.HTTPChallenge), and passes on the rest; nil sends everybody on.
func NewRedirect(listener net.Listener, port int, first func(http.Handler) http.Handler, log *slog.Logger) *Redirect {
	return &Redirect{listener: listener, port: port, first: first, places: newQuota(redirectsAtOnce, redirectsOfOne), log: log}
}

// Run redirects until ctx ends.
func (d *Redirect) Run(ctx context.Context) error {
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { redirect(w, r, d.target(r.Host)) })
	if d.first != nil {
		handler = d.first(handler)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: redirectWithin, ReadTimeout: redirectWithin, WriteTimeout: redirectWithin,
		MaxHeaderBytes: redirectHeaderSize,
		ErrorLog:       slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	server.SetKeepAlivesEnabled(false)
	var serving sync.WaitGroup
	failed := make(chan error, 1)
	serving.Go(func() { failed <- server.Serve(&crowded{d.listener, d.places}) })
	defer serving.Wait()
	defer func() { _ = server.Close() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// target is the host of a request at the port of HTTPS; "" if there is none.
func (d *Redirect) target(header string) string {
	host := hostOf(header)
	if host == "" {
		return ""
	}
	return hostAt(host, d.port)
}

// hostAt is HOST[:PORT] of a https URL.
func hostAt(host string, port int) string {
	switch {
	case port != 443:
		return net.JoinHostPort(host, strconv.Itoa(port))
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// crowded is a listener that turns away whoever is one too many.
type crowded struct {
	net.Listener
	places *quota
}

func (l *crowded) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := subnetOf(raw.RemoteAddr())
		if !l.places.take(from) {
			_ = raw.Close()
			continue
		}
		return &counted{Conn: raw, closed: func() { l.places.give(from) }}, nil
	}
}
