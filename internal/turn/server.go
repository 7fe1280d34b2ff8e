package turn

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tertulia/internal/fault"
)

// Relay is the media side of one allocation; peer.Relay is one. It is called from the goroutine of the client's
// connection.
type Relay interface {
	// Packet takes what the client sent from its relayed address to one of our media addresses. The packet is valid
	// during the call, which may wait: the client is not read meanwhile. An error drops the packet.
	Packet(ctx context.Context, to netip.AddrPort, packet []byte) error
	// Close says that the relayed address is no more.
	Close()
}

// Limits bound what clients may hold; a zero field takes the default.
type Limits struct {
	Allocations int           // on this server; 10,000
	PerUser     int           // allocations of one credential, that is of one OpenVidu connection: one for each of its PeerConnections, URLs and interfaces; 256
	PerAddress  int           // allocations of one client address (of one /64 for IPv6); 2,048, for an office behind one NAT
	Channels    int           // of one allocation; 64
	Queue       int           // bytes waiting for one client before packets to it are dropped; 256 KiB
	Unallocated time.Duration // life of a connection without an allocation; 30 s
	Write       time.Duration // how long a client may take no byte before its connection is closed; 10 s
}

// Config is what a server needs.
type Config struct {
	Realm  string // "" is "tertulia"
	Secret string // credentials are made of it: at least 16 bytes; shared by the servers that accept each other's
	// Previous are secrets whose credentials are accepted as well, see [Server.Rekey].
	Previous []string
	Node     string // name of this node; a credential is good on its node only
	// MediaAddresses are the addresses our media answers on, every one that is offered as a candidate. It is called
	// for requests and for packets outside channels, and must be cheap.
	MediaAddresses func() []netip.AddrPort
	// OpenRelay joins a new allocation to our media. reply sends packets of our media address from to the client: it
	// may be called from any goroutine, never blocks, copies the packet, and drops it when the client reads too
	// slowly or is gone.
	OpenRelay func(relay netip.AddrPort, reply func(from netip.AddrPort, packet []byte)) Relay
	Limits    Limits
	Log       *slog.Logger // nil discards
}

// Stats are counters since New, except Connections and Allocations, which are current.
type Stats struct {
	Connections, Allocations int64
	Unauthorized             uint64 // requests with a wrong or expired credential
	Refused                  uint64 // peers that are not our media
	OverQuota                uint64 // allocations refused by Limits
	Malformed                uint64 // connections closed for what they sent
	ToMedia, FromMedia       uint64 // packets that arrived
	Dropped                  uint64 // packets that media or a client did not take
}

// Server answers STUN and TURN on connections it is given; it runs nothing of its own.
type Server struct {
	config Config
	keys   atomic.Pointer[[]key] // the first is in force

	mu         sync.Mutex              // of what follows, and of changes of the keys
	relays     map[netip.AddrPort]bool // relayed addresses in use
	perUser    map[string]int
	perAddress map[netip.Addr]int
	lastPort   uint16

	connections, allocations               atomic.Int64
	unauthorized, refused, overQuota       atomic.Uint64
	malformed, toMedia, fromMedia, dropped atomic.Uint64
}

// New checks config and starts nothing. Errors are of kind Invalid.
func New(config Config) (*Server, error) {
	if config.MediaAddresses == nil || config.OpenRelay == nil {
		return nil, fault.New(fault.Invalid, "turn.Config lacks MediaAddresses or OpenRelay; give both")
	}
	if config.Realm == "" {
		config.Realm = "tertulia"
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	config.Limits.fill()
	s := &Server{
		config:     config,
		relays:     map[netip.AddrPort]bool{},
		perUser:    map[string]int{},
		perAddress: map[netip.Addr]int{},
		lastPort:   firstPort,
	}
	if err := s.Rekey(config.Secret, config.Previous...); err != nil {
		return nil, err
	}
	return s, nil
}

func (l *Limits) fill() {
	for field, value := range map[*int]int{
		&l.Allocations: 10_000, &l.PerUser: 256, &l.PerAddress: 2048, &l.Channels: 64, &l.Queue: 256 << 10,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if l.Unallocated == 0 {
		l.Unallocated = 30 * time.Second
	}
	if l.Write == 0 {
		l.Write = 10 * time.Second
	}
}

// ServeConn answers one TCP or TLS connection until the client or ctx ends it, then closes it and returns when
// nothing of it runs any more. The error says why we ended it; nil when the client or ctx did.
func (s *Server) ServeConn(ctx context.Context, stream net.Conn) error {
	s.connections.Add(1)
	defer s.connections.Add(-1)
	defer context.AfterFunc(ctx, func() { _ = stream.Close() })()

	out := newOutbox(s.config.Limits.Queue)
	c := newConn(s, addressOf(stream.RemoteAddr()), out)
	var writing sync.WaitGroup
	writing.Go(func() { out.writeTo(stream, s.config.Limits.Write) })
	err := c.serve(ctx, stream)
	c.release()
	out.close()
	writing.Wait()
	_ = stream.Close() // a second close, or of a connection the client has left
	if err != nil {
		s.malformed.Add(1)
		s.config.Log.Debug("TURN connection closed", "client", c.client, "error", err)
	}
	return err
}

// Stats returns the counters of now.
func (s *Server) Stats() Stats {
	return Stats{
		Connections: s.connections.Load(), Allocations: s.allocations.Load(),
		Unauthorized: s.unauthorized.Load(), Refused: s.refused.Load(), OverQuota: s.overQuota.Load(),
		Malformed: s.malformed.Load(), ToMedia: s.toMedia.Load(), FromMedia: s.fromMedia.Load(), Dropped: s.dropped.Load(),
	}
}
