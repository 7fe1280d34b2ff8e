package app

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"tertulia/internal/media/peer"
)

// relayWithin is how long a relayed packet may wait for the shard before it is lost, as it would be on a full socket.
const relayWithin = time.Second

// relays joins turn's allocations to the shard; it is turn's Media.
type relays struct {
	shard *peer.Shard

	mu   sync.Mutex
	open map[netip.AddrPort]*peer.Relay
}

func newRelays(shard *peer.Shard) *relays {
	return &relays{shard: shard, open: map[netip.AddrPort]*peer.Relay{}}
}

// FromRelay hands a packet over and waits until it is taken: the client's own connection is what slows down.
func (r *relays) FromRelay(relay, to netip.AddrPort, packet []byte, reply func(from netip.AddrPort, packet []byte)) {
	r.mu.Lock()
	link := r.open[relay]
	if link == nil {
		link = r.shard.OpenRelay(relay, reply)
		r.open[relay] = link
	}
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), relayWithin)
	defer cancel()
	_ = link.Packet(ctx, to, packet) // a packet that is not taken is a packet lost
}

// ForgetRelay ends the paths over a relayed address.
func (r *relays) ForgetRelay(relay netip.AddrPort) {
	r.mu.Lock()
	link := r.open[relay]
	delete(r.open, relay)
	r.mu.Unlock()
	if link != nil {
		link.Close()
	}
}
