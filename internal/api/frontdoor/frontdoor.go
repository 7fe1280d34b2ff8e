package frontdoor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tertulia/internal/fault"
)

// Config is what the door leads to.
type Config struct {
	Listener net.Listener // bound by the caller, so that the port is known before the door is built; Run closes it
	TLS      *tls.Config  // with h2 and http/1.1 in NextProtos: certs.Store.TLSConfig
	HTTP     http.Handler // gets HTTP/1.1 and HTTP/2; http.Request.TLS is set for what came by TLS, RemoteAddr is the client's
	// TrustedProxies may say for whom they call: by X-Forwarded-For, -Proto, -Host and -Prefix, X-Real-IP, Forwarded, or
	// the PROXY protocol. Requests then have the client's RemoteAddr, Host, TLS (nil or not) and path, and those headers no
	// more. They may call in the clear if they have ended TLS. Others' headers stay and mean nothing; their PROXY
	// protocol is refused. nil: loopback addresses; empty: nobody.
	TrustedProxies []netip.Prefix
	// ServePlain says for which hosts (no port, no brackets) HTTP without TLS is served; the others are redirected.
	// nil: localhost and loopback addresses.
	ServePlain func(host string) bool
	// ICE and TURN serve a connection of their kind and return when it has ended, at the latest soon after ctx has; it
	// is closed then. A kind without a function is turned away.
	ICE, TURN func(ctx context.Context, stream net.Conn)
	Limits    Limits
	Log       *slog.Logger // nil discards
}

// Limits bound what strangers may hold; a zero field takes the default.
type Limits struct {
	Unclassified           int // connections that have not yet shown what they are; 1,024
	UnclassifiedPerAddress int // of one IPv4 address or IPv6 /64; 64
	Open                   int // connections of any kind; 20,000
	OpenPerAddress         int // 4,000, for an office behind one NAT
	HeaderBytes            int // of an HTTP request; 32 KiB

	Classify time.Duration // from accept until it is known what it is, TLS handshake included; 10 s
	Header   time.Duration // to send a request's header; 10 s
	Body     time.Duration // to send a request's body; 30 s
	Idle     time.Duration // of an HTTP connection between requests; 2 min
	Drain    time.Duration // for requests in flight when the door closes; 5 s
}

func (l *Limits) fill() {
	for field, value := range map[*int]int{
		&l.Unclassified: 1024, &l.UnclassifiedPerAddress: 64, &l.Open: 20_000, &l.OpenPerAddress: 4000, &l.HeaderBytes: 32 << 10,
	} {
		if *field == 0 {
			*field = value
		}
	}
	for field, value := range map[*time.Duration]time.Duration{
		&l.Classify: 10 * time.Second, &l.Header: 10 * time.Second, &l.Body: 30 * time.Second, &l.Idle: 2 * time.Minute, &l.Drain: 5 * time.Second,
	} {
		if *field == 0 {
			*field = value
		}
	}
}

// Door is the one port. Make it with New, open it with Run.
type Door struct {
	config        Config
	secure, plain *queue // connections for the two HTTP servers
	unclassified  *quota
	open          *quota
	counters      counters

	mu      sync.Mutex
	streams map[*counted]struct{} // all that are open
	serving sync.WaitGroup        // of the same
}

// New checks config and starts nothing. Errors are of kind Invalid.
func New(config Config) (*Door, error) {
	if config.Listener == nil || config.TLS == nil || config.HTTP == nil {
		return nil, fault.New(fault.Invalid, "frontdoor.Config lacks Listener, TLS or HTTP; give all three")
	}
	if config.ServePlain == nil {
		config.ServePlain = isLoopback
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	config.Limits.fill()
	return &Door{
		config:       config,
		unclassified: newQuota(config.Limits.Unclassified, config.Limits.UnclassifiedPerAddress),
		open:         newQuota(config.Limits.Open, config.Limits.OpenPerAddress),
		streams:      map[*counted]struct{}{},
	}, nil
}

// Addr is where the door stands.
func (d *Door) Addr() net.Addr { return d.config.Listener.Addr() }

// Run serves until ctx ends: then it accepts no more, lets requests in flight finish within Limits.Drain, ends ICE and
// TURN connections, closes what is left, hijacked websockets included, and returns. Whoever wants to say goodbye on a
// websocket does so before. It may be called once.
func (d *Door) Run(ctx context.Context) error {
	d.secure, d.plain = newQueue(d.Addr()), newQueue(d.Addr())
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stopServers := d.startServers(work)

	closeListener := context.AfterFunc(ctx, func() { _ = d.config.Listener.Close() })
	err := d.accept(ctx, work)
	closeListener()
	_ = d.config.Listener.Close()

	stopServers()
	cancel()
	d.closeStreams()
	d.serving.Wait()
	return err
}

// accept takes connections until ctx ends (nil) or the listener fails for good.
func (d *Door) accept(ctx, work context.Context) error {
	for {
		stream, err := d.config.Listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = stream.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("the listener on %s was closed: %w", d.Addr(), err)
		case err != nil: // no file descriptors, or a client that left: both pass
			d.config.Log.Warn("cannot accept a connection", "error", err)
			d.counters.acceptErrors.Add(1)
			pause(ctx, 50*time.Millisecond)
			continue
		}
		d.admit(work, stream)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// admit starts routing a connection, if the limits allow it.
func (d *Door) admit(ctx context.Context, raw net.Conn) {
	from := d.claimant(raw.RemoteAddr())
	if !d.open.take(from) {
		d.turnAway(raw)
		return
	}
	if !d.unclassified.take(from) {
		d.open.give(from)
		d.turnAway(raw)
		return
	}
	stream := &counted{Conn: raw}
	stream.closed = func() {
		d.open.give(from)
		d.mu.Lock()
		d.open.release(stream.behind)
		delete(d.streams, stream)
		d.mu.Unlock()
		d.serving.Done()
	}
	d.serving.Add(1)
	d.mu.Lock()
	d.streams[stream] = struct{}{}
	d.mu.Unlock()
	d.serving.Go(func() { d.route(ctx, stream, func() { d.unclassified.give(from) }) })
}

// claimant is whose limits a connection counts for: nobody's if it comes through a trusted proxy, whose clients may be
// many.
func (d *Door) claimant(remote net.Addr) netip.Addr {
	if d.trusted().hasPeer(remote) {
		return netip.Addr{}
	}
	return subnetOf(remote)
}

func (d *Door) trusted() trusted { return d.config.TrustedProxies }

func (d *Door) turnAway(raw net.Conn) {
	d.counters.refused.Add(1)
	_ = raw.Close()
}

// closeStreams closes every connection that is still open; none is added any more.
func (d *Door) closeStreams() {
	d.mu.Lock()
	var left []*counted
	for stream := range d.streams {
		left = append(left, stream)
	}
	d.mu.Unlock()
	for _, stream := range left {
		_ = stream.Close()
	}
}
