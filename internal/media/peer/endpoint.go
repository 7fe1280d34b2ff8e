package peer

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/media"
)

// EndpointConfig is what is known before the first description.
type EndpointConfig struct {
	Name     string // for logs, and the msid of what we send; letters, digits, "_" and "-"
	Loopback bool   // the client is on this machine: offer it loopback candidates as well
	// Reached is the address and port that the client's signalling came to, if they are known: candidates after ours, for
	// where a 1:1 NAT or a published port of a container leads here, media is likely to pass as well. We only name them.
	Reached netip.AddrPort
	// Event is told of every change of the endpoint; nil for nobody. It is called by the shard: it must neither block
	// nor call back.
	Event func(Event)
	// Tracks are what it will feed, of an endpoint it replaces: it is opened where they are.
	Tracks []*media.Track

	left func() // called by the shard when the endpoint is closed
}

// Endpoint is one WebRTC transport and the tracks on it. Its exported methods may be called from any goroutine except
// the shard's; its fields belong to the shard.
type Endpoint struct {
	transport // dtls.go, ice.go, transport.go: how packets travel
	streams   // rtp.go, rtcp.go: what they carry
	timer     // wheel.go: when the next tick is

	shard     *Shard
	config    EndpointConfig
	session   uint64 // of our descriptions
	localSDP  packed
	remoteSDP packed
	signalled []string
	closed    bool
}

const (
	consentFor = media.Time(30 * time.Second)
	sparse     = media.Time(time.Second)           // ticks of every endpoint: reports and consent
	frequent   = media.Time(20 * time.Millisecond) // of one that lacks packets or a key frame: NACK and PLI
	// proveWithin is how long a client with keys may take until we release its DTLS unproven.
	proveWithin = media.Time(30 * time.Second)
	// arrivalsEvery is how often the client learns when its packets arrived.
	arrivalsEvery = media.Time(100 * time.Millisecond)
)

// Open makes an endpoint; nothing is sent or accepted before its first description.
func (s *Shard) Open(ctx context.Context, config EndpointConfig) (*Endpoint, error) {
	var seed [12]byte
	_, _ = rand.Read(seed[:])
	e := newEndpoint(s, config)
	e.session, e.ssrc = binary.BigEndian.Uint64(seed[:8])>>2, binary.BigEndian.Uint32(seed[8:])|1
	err := s.Do(ctx, func() {
		e.consent, e.reported = s.now, e.beat(s.now)
		s.endpoints[e.ufrag] = e
		s.due.put(e, e.reported+sparse)
	})
	if err != nil {
		s.post(e.release) // the shard may still get to opening it
		return nil, fault.Wrap(fault.Of(err), err, "endpoint %s", config.Name)
	}
	return e, nil
}

func newEndpoint(s *Shard, config EndpointConfig) *Endpoint {
	if config.Event == nil {
		config.Event = func(Event) {}
	}
	if config.left == nil {
		config.left = func() {}
	}
	e := &Endpoint{shard: s, config: config}
	ufrag := s.ufragOf(s)
	e.transport = transport{endpoint: e, state: Opened, ufrag: ufrag, pwd: s.iceKey.password(ufrag)}
	e.streams = streams{endpoint: e, sources: map[uint32]*source{}}
	return e
}

// token makes n random characters that are legal in ICE credentials (RFC 8839 §5.4).
func token(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base32.StdEncoding.EncodeToString(b)[:n]
}

// Name is the configured one.
func (e *Endpoint) Name() string { return e.config.Name }

// Close says BYE and forgets the endpoint. Its published tracks stay, without a source.
func (e *Endpoint) Close(ctx context.Context) error {
	return e.shard.Do(ctx, e.release)
}

func (e *Endpoint) release() {
	if e.closed {
		return
	}
	e.closed = true
	e.bye()
	for _, sec := range e.sections {
		sec.release()
	}
	e.sections = nil
	for len(e.paths) > 0 {
		e.shard.forget(e.paths[0])
	}
	e.endDTLS()
	delete(e.shard.endpoints, e.ufrag)
	e.shard.due.remove(e)
	e.config.left()
}

// Signalled remembers a candidate of the client, for statistics only: media goes where verified checks come from.
func (e *Endpoint) Signalled(ctx context.Context, candidate string) error {
	if len(candidate) > 1024 {
		return fault.New(fault.TooLarge, "candidate: %d bytes, at most 1024 are accepted", len(candidate))
	}
	candidate = strings.Clone(candidate) // it is a part of a larger message
	return e.shard.Do(ctx, func() {
		if len(e.signalled) < 64 {
			e.signalled = append(e.signalled, candidate)
		}
	})
}

// tick does what is due and says when to come again.
func (e *Endpoint) tick(now media.Time) media.Time {
	switch {
	case e.state == Failed:
	case now-e.consent >= consentFor && e.state == Opened:
		e.lapse("no connectivity check ever came: the client cannot reach the media address")
	case now-e.consent >= consentFor:
		e.lapse("no connectivity check for 30 s: the client went away or its network changed")
	case e.state == Checking && now-e.checking >= consentFor:
		e.fail("connectivity checks come, but the DTLS handshake does not finish")
	}
	e.forsakeDTLS(now)
	beat := now-e.reported >= sparse
	if beat {
		e.reported = e.beat(now)
	}
	next := e.reported + sparse
	if e.state != Connected {
		return next
	}
	e.feedback(now)
	if beat {
		e.report(now)
		measure(e, now)
		offerAgain(e, now)
	}
	return min(next, e.wanting(now))
}

// beats is how many places a second has for reports: thousands that came together must not all report at once for
// ever, and each place in use wakes the shard.
const beats = 32

// beat is the latest time for a report of this endpoint.
func (e *Endpoint) beat(now media.Time) media.Time {
	return now - (now+media.Time(e.ssrc>>1%beats)*sparse/beats)%sparse
}

// hasten brings the next tick forward: something is to be told to the client.
func (e *Endpoint) hasten(at media.Time) {
	if e.state == Connected && at < e.due {
		e.shard.due.put(e, at)
	}
}

// wanted is what a receiver calls when it begins to lack something.
func (e *Endpoint) wanted() { e.hasten(e.shard.now + frequent) }
