package turn

import (
	"context"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// allocation is a relayed address and what may pass through it. No socket stands behind it.
type allocation struct {
	server  *Server
	out     outlet
	user    string
	key     stun.MessageIntegrity // of the request that made it
	relay   netip.AddrPort
	expires time.Time // of the connection's goroutine
	media   Relay

	mu          sync.Mutex // guards what follows from toClient; no call leaves this package while it is held
	ended       bool
	permissions map[netip.Addr]time.Time // until when
	channels    map[uint16]*channel
	byPeer      map[netip.AddrPort]*channel
	indication  *stun.Message       // scratch
	head        [channelHeader]byte // scratch
}

type channel struct {
	number  uint16
	peer    netip.AddrPort
	expires time.Time
}

func newAllocation(s *Server, out outlet, user string, key stun.MessageIntegrity, relay netip.AddrPort, expires time.Time) *allocation {
	a := &allocation{
		server: s, out: out, user: user, key: key, relay: relay, expires: expires,
		permissions: map[netip.Addr]time.Time{},
		channels:    map[uint16]*channel{},
		byPeer:      map[netip.AddrPort]*channel{},
		indication:  stun.New(),
	}
	a.media = s.config.OpenRelay(relay, a.toClient)
	return a
}

func (a *allocation) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

// permit notes hosts that are known to be our media; there are no more of them than we have addresses.
func (a *allocation) permit(until time.Time, peers ...netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, peer := range peers {
		a.permissions[peer] = until
	}
}

// bind makes or refreshes a channel, and the permission for its host; the code is 0 if that was possible.
func (a *allocation) bind(number uint16, peer netip.AddrPort, now time.Time) stun.ErrorCode {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n, c := range a.channels {
		if now.After(c.expires) {
			delete(a.channels, n)
			delete(a.byPeer, c.peer)
		}
	}
	c := a.channels[number]
	switch {
	case c != a.byPeer[peer]: // the number has another peer, or the peer another number
		return stun.CodeBadRequest
	case c == nil && len(a.channels) >= a.server.config.Limits.Channels:
		return stun.CodeInsufficientCapacity
	case c == nil:
		c = &channel{number: number, peer: peer}
		a.channels[number], a.byPeer[peer] = c, c
	}
	c.expires = now.Add(channelLifetime)
	a.permissions[peer.Addr()] = now.Add(permissionLifetime)
	return 0
}

// bound is the peer of a channel.
func (a *allocation) bound(number uint16) (peer netip.AddrPort, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.channels[number]
	if c == nil || time.Now().After(c.expires) {
		return netip.AddrPort{}, false
	}
	return c.peer, true
}

func (a *allocation) permitted(peer netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.permissions[peer])
}

// channelData relays a packet the client sent on a channel (RFC 8656 §12.6).
func (c *conn) channelData(ctx context.Context, number uint16, packet []byte) {
	if c.allocation == nil {
		return
	}
	if peer, ok := c.allocation.bound(number); ok {
		c.toMedia(ctx, peer, packet)
	}
}

// send relays a packet the client sent in a Send indication (RFC 8656 §11.2); without permission it is dropped, as
// indications have no answer.
func (c *conn) send(ctx context.Context, m *stun.Message) {
	if c.allocation == nil {
		return
	}
	peer, ok := peerOf(m)
	packet, err := m.Get(stun.AttrData)
	if !ok || err != nil || !c.allocation.permitted(peer.Addr()) {
		return
	}
	if !c.server.isMedia(peer) {
		c.server.refused.Add(1)
		return
	}
	c.toMedia(ctx, peer, packet)
}

func (c *conn) toMedia(ctx context.Context, peer netip.AddrPort, packet []byte) {
	if c.allocation.media.Packet(ctx, peer, packet) == nil {
		c.server.toMedia.Add(1)
	} else {
		c.server.dropped.Add(1)
	}
}

// toClient relays a packet from our media: on the peer's channel if it has one, else in a Data indication if there is
// permission (RFC 8656 §11.3, §12.7).
func (a *allocation) toClient(from netip.AddrPort, packet []byte) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if a.write(from, packet, time.Now()) {
		a.server.fromMedia.Add(1)
	} else {
		a.server.dropped.Add(1)
	}
}

func (a *allocation) write(from netip.AddrPort, packet []byte, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || len(packet) > maxFrame {
		return false
	}
	if c := a.byPeer[from]; c != nil && now.Before(c.expires) {
		binary.BigEndian.PutUint16(a.head[:], c.number)
		binary.BigEndian.PutUint16(a.head[2:], uint16(len(packet)))
		return a.out.put(a.head[:], packet)
	}
	if !now.Before(a.permissions[from.Addr()]) {
		return false
	}
	err := a.indication.Build(stun.TransactionID, stun.NewType(stun.MethodData, stun.ClassIndication),
		addAddress{stun.AttrXORPeerAddress, from}, stun.RawAttribute{Type: stun.AttrData, Value: packet})
	return err == nil && a.out.put(a.indication.Raw, nil)
}
