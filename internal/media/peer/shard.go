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
	Socket      socket.Conn // owned by the shard from New on: Run closes it
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
}

// Shard is one goroutine (that of Run) with a socket and all endpoints on it. Every field below inbox belongs to it.
type Shard struct {
	config      Config
	fingerprint sdp.Fingerprint
	iceKey      iceKey
	start       time.Time
	stopped     chan struct{} // closed when Run has ended
	tasks       sync.WaitGroup

	mu    sync.Mutex
	inbox []func()
	ended bool

	now       media.Time
	stopping  bool
	endpoints map[string]*Endpoint // by our ICE ufrag
	paths     map[pathKey]*path
	tcp       crowd
	due       wheel
	in        []socket.Message
	out       outbox
	counters  Counters
	handshake int // DTLS handshakes under way
	reflexive meter

	// Scratch of the packet path; valid within one packet.
	stun              *stun.Message
	answer            answer
	controlHeader     rtcp.Header
	header, outHeader rtp.Header
	plain             []byte
	build             []byte // where forwarders build packets
	compound          compound
}

// datagram is the largest we take or send: an Ethernet frame with room for SRTP's additions.
const datagram = 1600

// New checks the configuration and makes a shard; nothing runs until Run.
func New(config Config) (*Shard, error) {
	if config.Socket == nil || config.Addresses == nil || config.Log == nil {
		return nil, errors.New("peer.Config: Socket, Addresses and Log are required")
	}
	if len(config.Certificate.Certificate) == 0 {
		return nil, errors.New("peer.Config: Certificate is required")
	}
	if config.Port == 0 {
		config.Port = config.Socket.LocalAddr().Port()
	}
	private, err := x509.MarshalPKCS8PrivateKey(config.Certificate.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("peer.Config: Certificate: %w", err)
	}
	ice := sha256.Sum256(append([]byte("ICE passwords"), private...))
	s := &Shard{
		config: config, fingerprint: fingerprintOf(config.Certificate.Certificate[0]), iceKey: ice[:], start: time.Now(),
		stopped: make(chan struct{}), endpoints: map[string]*Endpoint{}, paths: map[pathKey]*path{},
		tcp: crowd{}, stun: stun.New(), plain: make([]byte, 0, datagram), build: make([]byte, datagram+512), compound: make(compound, 0, datagram),
		in: make([]socket.Message, socket.Batch),
	}
	s.out = outbox{socket: config.Socket, batch: make([]socket.Message, socket.Batch), dropped: &s.counters.SendDropped}
	return s, nil
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

// post hands fn to the shard without waiting; false after its end.
func (s *Shard) post(fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.inbox = append(s.inbox, fn)
	if len(s.inbox) == 1 {
		// Under the lock, so that it cannot come before the deadline the shard is about to set.
		_ = s.config.Socket.SetReadDeadline(time.Unix(1, 0))
	}
	return true
}
