package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"tertulia/internal/media/socket"
)

// Shards are all shards of a node: one port, certificate and ICE key, and a socket for each.
type Shards struct {
	*common

	mu   sync.Mutex
	live []int // endpoints of each shard that groups have opened
}

// NewShards checks the configuration and makes a shard for each of the sockets, which are bound to one port; nothing
// runs until Run.
func NewShards(config Config, conns []socket.Conn) (*Shards, error) {
	c, err := newCommon(&config, conns)
	if err != nil {
		return nil, err
	}
	for _, conn := range conns {
		config.Socket = conn
		c.add(config, len(conns))
	}
	return &Shards{common: c, live: make([]int, len(conns))}, nil
}

// Run runs every shard until ctx ends or one of them fails, which ends the others.
func (s *Shards) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make([]error, len(s.shards))
	var running sync.WaitGroup
	for i, shard := range s.shards {
		running.Go(func() {
			defer cancel()
			failed[i] = shard.Run(ctx)
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

// Open opens an endpoint that belongs to no group, on the shard with the fewest.
func (s *Shards) Open(ctx context.Context, config EndpointConfig) (*Endpoint, error) {
	return s.Group().Open(ctx, config)
}

// Counters returns a snapshot of all shards together.
func (s *Shards) Counters(ctx context.Context) (Counters, error) {
	var sum Counters
	for _, shard := range s.shards {
		c, err := shard.Counters(ctx)
		if err != nil {
			return Counters{}, err
		}
		sum.add(&c)
	}
	return sum, nil
}

// Serves is Shard.Serves.
func (s *Shards) Serves(a netip.AddrPort) bool { return s.shards[0].Serves(a) }

// OpenRelay is Shard.OpenRelay. reply may be called by several shards at a time.
func (s *Shards) OpenRelay(address netip.AddrPort, reply func(from netip.AddrPort, b []byte)) *Relay {
	return s.reads(address).OpenRelay(address, reply)
}

// ServeTCP is Shard.ServeTCP.
func (s *Shards) ServeTCP(ctx context.Context, conn net.Conn) error {
	return s.reads(tcpAddr(conn.RemoteAddr())).ServeTCP(ctx, conn)
}

// reads is the shard that takes what comes over a link from an address, as the kernel would choose it for UDP. From
// there it is handed to the endpoint's as any datagram.
func (s *Shards) reads(a netip.AddrPort) *Shard {
	b, _ := a.MarshalBinary() // fails never
	return s.owner(b)
}
