package peer

import (
	"net/netip"
	"sync/atomic"
	"time"

	"tertulia/internal/media"
)

// pathKey names one way packets take: the far address and ours, or a link (an ICE-TCP connection, a TURN allocation).
type pathKey struct {
	remote netip.AddrPort
	local  netip.Addr // zero where the socket does not tell
	via    *link      // nil for UDP
}

// link carries packets other than through the socket. send must copy and must not block.
type link struct {
	protocol string                     // "tcp", "relay"
	send     func(to pathKey, b []byte) // called by any shard
	closed   atomic.Bool
}

// path is a way that a request with verified MESSAGE-INTEGRITY took: only such ones belong to an endpoint.
type path struct {
	pathKey
	endpoint *Endpoint
	heard    media.Time // latest authenticated packet
	reader   *Shard     // which other shard reads what comes along it; nil if its own does

	checks    uint64 // verified requests
	nominated bool   // by one of them at least
}

func (p *path) protocol() string {
	if p.via != nil {
		return p.via.protocol
	}
	return "udp"
}

// String is how statistics name where a path leads: "udp 192.0.2.1:5000".
func (p *path) String() string { return p.protocol() + " " + p.remote.String() }

const (
	maxPaths = 16
	// held is how long an address stays with its endpoint after it was last heard, whoever else claims it: a spoofed
	// check of one participant must not divert another's media.
	held = media.Time(10 * time.Second)
)

// claim makes a path belong to an endpoint after a verified check; nil if another live endpoint holds it.
func (s *Shard) claim(key pathKey, e *Endpoint) *path {
	p := s.paths[key]
	switch {
	case key.via != nil && key.via.closed.Load():
		return nil
	case p != nil && p.endpoint == e:
		p.heard = s.now
		p.entered(s.reader)
		return p
	case s.reader == nil && !s.routes.vacate(key), !s.paths[key].yields():
		return nil
	}
	if len(e.paths) >= maxPaths {
		s.forget(e.stalest())
	}
	p = &path{pathKey: key, endpoint: e, heard: s.now}
	p.entered(s.reader)
	s.paths[key] = p
	e.paths = append(e.paths, p)
	return p
}

// yields gives up an address that somebody else has a claim to, unless it was heard of lately. No path yields.
func (p *path) yields() bool {
	if p == nil {
		return true
	}
	s := p.endpoint.shard
	if s.now-p.heard < held {
		s.counters.AddressHeld++
		return false
	}
	s.forget(p)
	return true
}

// forget removes a path; an endpoint that had selected it goes on with the one heard last.
func (s *Shard) forget(p *path) {
	delete(s.paths, p.pathKey)
	p.unroute()
	e := p.endpoint
	kept := e.paths[:0]
	for _, other := range e.paths {
		if other != p {
			kept = append(kept, other)
		}
	}
	e.paths = kept
	if e.selected != p {
		return
	}
	var next *path
	for _, other := range e.paths {
		if next == nil || other.heard > next.heard {
			next = other
		}
	}
	e.choose(next)
}

// closeLink forgets every path over a link, whichever shard has it. None is claimed any more.
func (c *common) closeLink(l *link) {
	l.closed.Store(true)
	for _, s := range c.shards {
		s.post(func() { s.forgetLink(l) })
	}
}

func (s *Shard) forgetLink(l *link) {
	for key, p := range s.paths {
		if key.via == l {
			s.forget(p)
		}
	}
}

// stalest is the path heard longest ago, never the selected one.
func (t *transport) stalest() *path {
	var oldest *path
	for _, p := range t.paths {
		if p != t.selected && (oldest == nil || p.heard < oldest.heard) {
			oldest = p
		}
	}
	return oldest
}
