package peer

import (
	"context"
	"net/netip"

	"tertulia/internal/fault"
)

// Relay is the media side of a TURN allocation: its packets reach a shard in memory, no socket is opened.
type Relay struct {
	shard   *Shard
	address netip.AddrPort
	link    *link
}

// OpenRelay makes a relay with its relayed transport address, which must be unique among open relays. reply is called
// by shards, several at a time, with what one of our media addresses (from) sends to the relay; it must copy b and must not block.
func (s *Shard) OpenRelay(address netip.AddrPort, reply func(from netip.AddrPort, b []byte)) *Relay {
	send := func(to pathKey, b []byte) { reply(netip.AddrPortFrom(to.local, s.config.Port), b) }
	return &Relay{shard: s, address: address, link: &link{protocol: "relay", send: send}}
}

// Packet hands over what the allocation's client sends to a peer, and waits until it is taken. Peers other than our
// media addresses are refused with unsupported.
func (r *Relay) Packet(ctx context.Context, to netip.AddrPort, b []byte) error {
	if !r.shard.Serves(to) {
		return fault.New(fault.Unsupported, "relay to %s: only this server's media addresses are relayed to", to)
	}
	if len(b) > datagram {
		return fault.New(fault.TooLarge, "relay: %d bytes, at most %d are accepted", len(b), datagram)
	}
	key := pathKey{remote: r.address, local: to.Addr().Unmap(), via: r.link}
	// The shard must not find b reused: ctx ends the caller's connection, but not this wait, which is short.
	return r.shard.Do(context.WithoutCancel(ctx), func() { r.shard.packet(key, b) })
}

// Close forgets every path over the relay.
func (r *Relay) Close() {
	r.shard.closeLink(r.link)
}
