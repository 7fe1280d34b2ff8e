package peer

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/socket"
)

// Config is what a shard needs. Socket, Addresses, Certificate and Log are required.
type Config struct {
	Socket      socket.Conn // owned by the shard from New on: Run closes it; not for NewShards
	Addresses   func() socket.Addresses
	Port        uint16          // the port clients are told; 0 for the socket's own
	TCP         bool            // offer ICE-TCP on the same port; the front door hands connections to ServeTCP
	Certificate tls.Certificate // ECDSA P-256
	Log         *slog.Logger
}

// Event is what an endpoint does by itself.
type Event struct {
	Endpoint *Endpoint
	State    State // Connected or Failed
	Reason   string
	// Candidates are to be shown to the client of a connected endpoint, which may get on better with them; else empty.
	Candidates []Candidate
	// FrameRate is what a connected publisher's video has now, if it is news; else 0.
	FrameRate int
}

// Shard is one goroutine (that of Run) with a socket and all endpoints on it. Every field below mailbox belongs to it.
type Shard struct {
	*common
	config  Config
	index   int           // in common.shards
	stopped chan struct{} // closed when Run has ended
	tasks   sync.WaitGroup

	mailbox

	now       media.Time
	stopping  bool
	endpoints map[string]*Endpoint // by our ICE ufrag
	paths     map[pathKey]*path
	routes    routes
	mirrors   mirrors
	crossing  crossing
	due       wheel
	in        []socket.Message
	unread    int        // turns since the socket was last read waiting, while messages kept coming
	turn      media.Turn // what was received and is not forwarded yet
	out       outbox
	reader    *Shard // which other shard has read the datagram at hand; nil if this one did
	counters  Counters
	ways      Ways // that endpoints first connected by
	handshake int  // DTLS handshakes under way

	// Scratch of the packet path; valid within one packet.
	stun          *stun.Message
	answer        answer
	header        rtp.Header
	controlHeader rtcp.Header
	plain         []byte
	build         []byte // forwarders' scratch
	compound      compound
}

// common is what the shards of one port share. What changes in it has a lock of its own, off the packet path.
type common struct {
	shards      []*Shard
	fingerprint sdp.Fingerprint
	iceKey      iceKey
	start       time.Time
	tcp         crowd
	reflexive   meter
}

// datagram is the largest we take or send: an Ethernet frame with room for SRTP's additions.
const datagram = 1600

// New checks the configuration and makes a shard that has its port alone; nothing runs until Run.
func New(config Config) (*Shard, error) {
	shards, err := NewShards(config, []socket.Conn{config.Socket})
	if err != nil {
		return nil, err
	}
	return shards.shards[0], nil
}

// newCommon checks the configuration, to which it adds the port.
func newCommon(config *Config, conns []socket.Conn) (*common, error) {
	if len(conns) == 0 || slices.Contains(conns, nil) || config.Addresses == nil || config.Log == nil {
		return nil, errors.New("peer.Config: a socket, Addresses and Log are required")
	}
	if len(config.Certificate.Certificate) == 0 {
		return nil, errors.New("peer.Config: Certificate is required")
	}
	if config.Port == 0 {
		config.Port = conns[0].LocalAddr().Port()
	}
	private, err := x509.MarshalPKCS8PrivateKey(config.Certificate.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("peer.Config: Certificate: %w", err)
	}
	ice := sha256.Sum256(append([]byte("ICE passwords"), private...))
	// No reading of the clock is 0, which stands for never.
	start := time.Now().Add(-time.Nanosecond)
	return &common{fingerprint: fingerprintOf(config.Certificate.Certificate[0]), iceKey: ice[:], start: start}, nil
}

// add makes one shard more.
func (c *common) add(config Config, shards int) {
	s := &Shard{
		common: c, config: config, index: len(c.shards),
		stopped: make(chan struct{}), endpoints: map[string]*Endpoint{}, paths: map[pathKey]*path{},
		mailbox: mailbox{socket: config.Socket},
		stun:    stun.New(), plain: make([]byte, 0, datagram), build: make([]byte, datagram+512), compound: make(compound, 0, datagram),
		in: make([]socket.Message, socket.Batch),
	}
	s.routes = routes{shard: s, to: map[pathKey]*Shard{}}
	s.mirrors = mirrors{shard: s, of: map[*media.Track]*mirror{}}
	s.crossing = crossing{from: s, parcels: make([]*parcel, shards)}
	s.out = newOutbox(config.Socket, &s.counters.SendDropped)
	c.shards = append(c.shards, s)
}

func fingerprintOf(certificate []byte) sdp.Fingerprint {
	sum := sha256.Sum256(certificate)
	return sdp.Fingerprint{Algorithm: "sha-256", Value: colons(sum[:])}
}

func colons(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(parts, ":")
}

// Do runs fn in the shard's goroutine and waits for it. When ctx ends first, fn may still run later.
func (s *Shard) Do(ctx context.Context, fn func()) error {
	done := make(chan struct{})
	if !s.post(func() { fn(); close(done) }) {
		return errEnded
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return errEnded
	}
}

var errEnded = fault.New(fault.MediaFailed, "the media node is shutting down")
