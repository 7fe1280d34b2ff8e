package peer

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pion/srtp/v3"

	"tertulia/internal/fault"
	"tertulia/internal/media"
	"tertulia/internal/media/congestion"
	"tertulia/internal/media/receive"
	"tertulia/internal/media/sdp"
)

// State is where an endpoint's transport stands.
//
//	Opened ──check──▶ Checking ──keys──▶ Connected
//	  └───────────────────┴─30 s without a check─┴──▶ Failed ──check──▶ Checking; Connected at once if it has keys
//	                      └─30 s without keys───────▶ Failed ──keys───▶ Connected
//	                      └─a wrong certificate─────▶ Failed for good
type State string

const (
	Opened    State = "new"
	Checking  State = "checking"
	Connected State = "connected"
	Failed    State = "failed"
)

// EndpointConfig is what is known before the first description.
type EndpointConfig struct {
	Name     string // for logs, and the msid of what we send; letters, digits, "_" and "-"
	Loopback bool   // the client is on this machine: offer it loopback candidates as well
}

// Endpoint is one WebRTC transport and the tracks on it. Its exported methods may be called from any goroutine except
// the shard's; its fields belong to the shard.
type Endpoint struct {
	shard  *Shard
	config EndpointConfig

	ufrag, pwd string
	session    uint64
	state      State
	refused    string // why the transport failed for good
	closed     bool
	lapsed     bool       // consent expired: the next verified check revives it
	checking   media.Time // since when checks come
	remote     sdp.Transport
	localSDP   string
	remoteSDP  string
	signalled  []string

	paths    []*path
	selected *path
	consent  media.Time // when a verified check last came, or the endpoint was opened

	dtls     *handshake
	early    [][]byte // DTLS that came before the description that lets us verify it
	attempts int
	in, out  *srtp.Context
	profile  srtp.ProtectionProfile
	proven   bool // the client has sent a packet under its keys

	sections   []*section
	sources    map[uint32]*source
	undeclared int
	arrivals   *congestion.Arrivals
	transportN uint16 // transport-wide sequence number of what we send
	ssrc       uint32 // our identity in RTCP
	maxKbps    int    // what the client may send us; 0 unlimited
	rsize      bool
	reported   media.Time // when the latest report was sent
	told       media.Time // when arrival times were last sent
	receiving  bool       // the client publishes here

	due   media.Time
	place int

	packetsIn, bytesIn, packetsOut, bytesOut uint64
}

// source is a known SSRC of the client and who takes its packets.
type source struct {
	section  *section
	receiver *receive.Receiver
}

const (
	consentFor = media.Time(30 * time.Second)
	sparse     = media.Time(time.Second)           // ticks of an endpoint that only sends: reports and consent
	frequent   = media.Time(20 * time.Millisecond) // of one that receives: NACK and PLI
	// arrivalsEvery is how often the client learns when its packets arrived.
	arrivalsEvery = media.Time(100 * time.Millisecond)
)

// Open makes an endpoint; nothing is sent or accepted before its first description.
func (s *Shard) Open(ctx context.Context, config EndpointConfig) (*Endpoint, error) {
	var seed [12]byte
	_, _ = rand.Read(seed[:])
	e := &Endpoint{
		shard: s, config: config, state: Opened, place: -1, ufrag: token(8), pwd: token(32),
		session: binary.BigEndian.Uint64(seed[:8]) >> 2, ssrc: binary.BigEndian.Uint32(seed[8:]) | 1,
		sources: map[uint32]*source{},
	}
	err := s.Do(ctx, func() {
		e.consent, e.reported = s.now, s.now
		s.endpoints[e.ufrag] = e
		s.due.put(e, s.now+sparse)
	})
	if err != nil {
		s.post(e.release) // the shard may still get to opening it
		return nil, fault.Wrap(fault.Of(err), err, "endpoint %s", config.Name)
	}
	return e, nil
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
}

// Signalled remembers a candidate of the client, for statistics only: media goes where verified checks come from.
func (e *Endpoint) Signalled(ctx context.Context, candidate string) error {
	if len(candidate) > 1024 {
		return fault.New(fault.TooLarge, "candidate: %d bytes, at most 1024 are accepted", len(candidate))
	}
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
	if e.state == Connected {
		e.feedback(now)
		if now-e.reported >= sparse {
			e.reported = now
			e.report(now)
		}
		if e.receiving {
			return now + frequent
		}
	}
	return now + sparse
}

// connected is called when a consenting path and keys are both there.
func (e *Endpoint) connected() {
	if e.state == Connected || e.lapsed || e.closed || e.out == nil || e.selected == nil {
		return
	}
	e.state = Connected
	for _, sec := range e.sections {
		sec.attach(e.shard.now)
	}
	e.shard.due.put(e, e.shard.now+frequent)
	e.shard.config.Log.Debug("endpoint connected", "endpoint", e.config.Name, "srtp", fmt.Sprint(e.profile))
	e.shard.config.Event(Event{e, Connected, ""})
}

// lapse fails an endpoint until the next verified check.
func (e *Endpoint) lapse(reason string) {
	e.lapsed = true
	e.fail(reason)
}

func (e *Endpoint) fail(reason string) {
	if e.state == Failed || e.closed {
		return
	}
	e.state = Failed
	e.shard.config.Log.Info("endpoint failed", "endpoint", e.config.Name, "reason", reason)
	e.shard.config.Event(Event{e, Failed, reason})
}
