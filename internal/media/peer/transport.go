package peer

import (
	"fmt"

	"github.com/pion/srtp/v3"

	"tertulia/internal/media"
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

// transport is the ICE, DTLS and SRTP of an endpoint.
type transport struct {
	endpoint *Endpoint

	ufrag, pwd string
	remote     sdp.Transport
	state      State
	refused    string     // why it failed for good
	lapsed     bool       // consent expired: the next verified check revives it
	checking   media.Time // since when checks come
	consent    media.Time // when a verified check last came, or the endpoint was opened

	paths    []*path
	selected *path

	dtls     *handshake
	early    [][]byte // DTLS that came before the description that lets us verify it
	proof    []byte   // SRTCP that came before the keys it proves were taken
	attempts int
	in, out  *srtp.Context
	profile  srtp.ProtectionProfile
	keyed    media.Time // when the keys came
	proven   bool       // the client has sent a packet under its keys

	packetsIn, bytesIn, packetsOut, bytesOut uint64
}

// connected is called when a consenting path and keys are both there.
func (t *transport) connected() {
	if t.state == Connected || t.lapsed || t.endpoint.closed || t.out == nil || t.selected == nil {
		return
	}
	t.state = Connected
	for _, sec := range t.endpoint.sections {
		sec.attach(t.endpoint.shard.now)
	}
	t.endpoint.shard.due.put(t.endpoint, t.endpoint.shard.now+frequent)
	t.endpoint.shard.config.Log.Debug("endpoint connected", "endpoint", t.endpoint.config.Name, "srtp", fmt.Sprint(t.profile))
	t.endpoint.config.Event(Event{t.endpoint, Connected, ""})
}

// lapse fails an endpoint until the next verified check.
func (t *transport) lapse(reason string) {
	t.lapsed = true
	t.fail(reason)
}

func (t *transport) fail(reason string) {
	if t.state == Failed || t.endpoint.closed {
		return
	}
	t.state = Failed
	for _, sec := range t.endpoint.sections {
		sec.pause()
	}
	t.endpoint.shard.config.Log.Info("endpoint failed", "endpoint", t.endpoint.config.Name, "reason", reason)
	t.endpoint.config.Event(Event{t.endpoint, Failed, reason})
}

// authenticated notes that the client has our keys: its handshake can be released.
func (t *transport) authenticated(p *path, n int) {
	p.heard = t.endpoint.shard.now
	t.packetsIn++
	t.bytesIn += uint64(n)
	if !t.proven {
		t.proven, t.remote.Fingerprints = true, nil
		t.endDTLS()
	}
}

// sendRTP encrypts a packet of a forwarder into the batch. Without consent nothing is sent (RFC 7675 §5.1).
func (t *transport) sendRTP(raw []byte) {
	if t.state != Connected || t.selected == nil {
		return
	}
	s := t.endpoint.shard
	if len(raw) > datagram-64 {
		s.counters.SendDropped++
		return
	}
	slot := s.out.slot()
	sealed, err := t.out.EncryptRTP(slot[:0], raw, &s.outHeader)
	if err != nil {
		s.counters.SendDropped++
		return
	}
	t.sent(sealed)
}

func (t *transport) sealRTCP(raw []byte) {
	if len(raw) > datagram-64 {
		t.endpoint.shard.counters.SendDropped++
		return
	}
	sealed, err := t.out.EncryptRTCP(t.endpoint.shard.out.slot()[:0], raw, nil)
	if err != nil {
		t.endpoint.shard.counters.SendDropped++
		return
	}
	t.sent(sealed)
}

// sent commits what stands in the latest slot.
func (t *transport) sent(sealed []byte) {
	t.packetsOut++
	t.bytesOut += uint64(len(sealed))
	t.endpoint.shard.out.commit(len(sealed), t.selected.pathKey)
}
