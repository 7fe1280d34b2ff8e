package frontdoor

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"
)

// route finds out what a connection speaks and hands it on. classified is called as soon as that is known, or it is
// known that it never will be.
func (d *Door) route(ctx context.Context, stream *counted, classified func()) {
	kind, known, err := d.recognize(ctx, stream)
	classified()
	if err == nil {
		err = stream.SetDeadline(time.Time{})
	}
	if err != nil {
		kind = unknown
		d.countFailure(err)
	}
	switch kind {
	case isHTTP:
		d.serveHTTP(known)
	case isTURN:
		d.serveBinary(ctx, known, d.config.TURN, &d.counters.turn)
	case isICE:
		d.serveBinary(ctx, known, d.config.ICE, &d.counters.ice)
	default:
		if err == nil && kind != isACME {
			d.counters.unknown.Add(1)
		}
		_ = stream.Close()
	}
}

// recognize reads as little as possible of a connection. What it returns reads from the first byte, or is a *tls.Conn
// of which nothing was read: net/http finds HTTP/2 by that type.
func (d *Door) recognize(ctx context.Context, stream *counted) (class, net.Conn, error) {
	if err := stream.SetDeadline(time.Now().Add(d.config.Limits.Classify)); err != nil {
		return unknown, nil, err
	}
	kind, known, err := peek(stream)
	if err == nil && kind == isPROXY {
		kind, known, err = d.behind(stream, known)
	}
	if err != nil || kind != isTLS {
		return kind, known, err
	}
	secure := tls.Server(known, d.config.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		return unknown, nil, handshakeError{err}
	}
	d.counters.tls.Add(1)
	switch secure.ConnectionState().NegotiatedProtocol {
	case "h2", "http/1.1":
		return isHTTP, secure, nil
	case "acme-tls/1": // the handshake was all that the authority wanted (RFC 8737)
		return isACME, secure, nil
	}
	kind, inner, err := peek(secure)
	return kind, inner, err
}

var errProxy = errors.New("a PROXY header that is not believed")

// behind reads the header of a trusted proxy and recognises what comes after it. The limits of one address are the
// client's from here on.
func (d *Door) behind(stream *counted, known *peeked) (class, *peeked, error) {
	if !d.trusted().hasPeer(stream.RemoteAddr()) {
		return unknown, nil, errProxy
	}
	inner, err := unwrap(known)
	if err != nil {
		return unknown, nil, errors.Join(errProxy, err)
	}
	client := d.claimant(inner.client)
	if !d.open.claim(client) {
		return unknown, nil, errProxy
	}
	d.mu.Lock() // the door may be closing this very connection
	stream.behind = client
	d.mu.Unlock()
	kind, rest, err := peek(inner)
	if kind == isPROXY {
		return unknown, nil, errProxy
	}
	return kind, rest, err
}

type handshakeError struct{ error }

func (e handshakeError) Unwrap() error { return e.error }

// countFailure counts a connection that ended, or ran out of time, before it was known.
func (d *Door) countFailure(err error) {
	var handshake handshakeError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		d.counters.timedOut.Add(1)
	case errors.Is(err, errProxy):
		d.counters.refused.Add(1)
	case errors.As(err, &handshake):
		d.counters.handshakeErrors.Add(1)
	default:
		d.counters.gone.Add(1)
	}
}

func (d *Door) serveHTTP(stream net.Conn) {
	servers, counter := d.secure, &d.counters.https
	if !isSecure(stream) {
		servers, counter = d.plain, &d.counters.http
	}
	counter.Add(1)
	if !servers.deliver(stream) {
		_ = stream.Close()
	}
}

func (d *Door) serveBinary(ctx context.Context, stream net.Conn, serve func(context.Context, net.Conn), counter *counter) {
	defer func() { _ = stream.Close() }()
	if serve == nil {
		d.counters.unknown.Add(1)
		return
	}
	counter.Add(1)
	serve(ctx, stream)
}
