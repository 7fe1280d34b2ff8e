package reach

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Transport is a way by which clients reach us.
type Transport string

// The transports.
const (
	UDP  Transport = "udp"  // media, checks and STUN on the media port
	TCP  Transport = "tcp"  // ICE-TCP
	TURN Transport = "turn" // to our own TURN, over any of the others
	TLS  Transport = "tls"  // a handshake with the front door
)

// maxNetworks bounds what is remembered of whom; the one not heard of for longest is forgotten, but only so often: looking
// for it takes 50 µs of a media shard, and strangers can invent addresses.
const (
	maxNetworks = 1024
	forgetEvery = 50 * time.Millisecond
)

// Seen notes which transports have been seen from outside this machine, and from which networks. The zero value is ready.
type Seen struct {
	own atomic.Pointer[[]netip.Addr]

	mu       sync.Mutex
	last     map[Transport]time.Time
	networks map[netip.Prefix]*network
	full     time.Time // until when no network is added to a full table
}

// network is what one of them has come by, and when.
type network struct {
	latest time.Time
	by     map[Transport]time.Time
	detour time.Time // since when it comes by TCP or TURN, without a pause
}

// Own says which addresses are this machine's: what comes from there is not from outside.
func (s *Seen) Own(own []netip.Addr) { s.own.Store(&own) }

// Note notes that something came by a transport.
func (s *Seen) Note(by Transport, from netip.Addr) { s.noteAt(by, from, time.Now()) }

func (s *Seen) noteAt(by Transport, from netip.Addr, now time.Time) {
	from = from.Unmap().WithZone("")
	if !from.IsValid() || from.IsLoopback() {
		return
	}
	if own := s.own.Load(); own != nil && slices.Contains(*own, from) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last, s.networks = map[Transport]time.Time{}, map[netip.Prefix]*network{}
	}
	s.last[by] = now
	prefix := networkOf(from)
	heard := s.networks[prefix]
	if heard == nil {
		if len(s.networks) >= maxNetworks {
			if now.Before(s.full) {
				return
			}
			s.full = now.Add(forgetEvery)
			s.forget()
		}
		heard = &network{by: map[Transport]time.Time{}}
		s.networks[prefix] = heard
	}
	if (by == TCP || by == TURN) && now.Sub(latest(heard.by[TCP], heard.by[TURN])) > detour {
		heard.detour = now
	}
	heard.by[by], heard.latest = now, now
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// networkOf is what is taken for one network: 24 bits of IPv4, 48 of IPv6.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	network, _ := a.Prefix(bits) // they fit
	return network
}

func (s *Seen) forget() {
	var oldest netip.Prefix
	var at time.Time
	for prefix, heard := range s.networks {
		if !oldest.IsValid() || heard.latest.Before(at) {
			oldest, at = prefix, heard.latest
		}
	}
	delete(s.networks, oldest)
}

// Ages returns how long ago each transport was last seen from outside; those never seen are absent.
func (s *Seen) Ages() map[Transport]time.Duration {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	ages := map[Transport]time.Duration{}
	for by, at := range s.last {
		ages[by] = now.Sub(at)
	}
	return ages
}

// blocked reports whether UDP looks blocked at this server: for a while nobody outside has come by UDP, but some do by TCP
// or TURN, and not only for a moment: browsers try TURN before anything else, and strangers look for open relays. One
// network alone may block UDP itself; it counts if it came by UDP before, or if nobody ever has.
func (s *Seen) blocked(now time.Time, within time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	udp, ever := s.last[UDP]
	if ever && now.Sub(udp) < within {
		return false
	}
	detours, turned := 0, false
	for _, heard := range s.networks {
		by := latest(heard.by[TCP], heard.by[TURN])
		if now.Sub(by) < within && by.Sub(heard.detour) >= lasting {
			detours++
			_, before := heard.by[UDP]
			turned = turned || before
		}
	}
	return detours > 1 || detours == 1 && (turned || !ever)
}

// Conn notes what comes over a connection, at most once a second.
func (s *Seen) Conn(by Transport, conn net.Conn) net.Conn {
	from, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // of a pipe: nobody
	return &noted{Conn: conn, seen: s, by: by, from: from.Addr()}
}

// noted is read by one goroutine at a time.
type noted struct {
	net.Conn
	seen *Seen
	by   Transport
	from netip.Addr
	next time.Time
}

func (n *noted) Read(b []byte) (int, error) {
	read, err := n.Conn.Read(b)
	if read > 0 {
		if now := time.Now(); now.After(n.next) {
			n.next = now.Add(time.Second)
			n.seen.noteAt(n.by, n.from, now)
		}
	}
	return read, err
}
