package peer

import (
	"fmt"

	"github.com/pion/srtp/v3"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/seal"
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
	in       *srtp.Context
	out      *seal.Sealer
	profile  srtp.ProtectionProfile
	keyed    media.Time // when the keys came
	proven   bool       // the client has sent a packet under its keys

	packetsIn, bytesIn, packetsOut, bytesOut uint64

	met   bool // it has been connected
	notes      // for diagnosis
	again again
}

// connected is called when a consenting path and keys are both there.
func (t *transport) connected() {
	if t.state == Connected || t.lapsed || t.endpoint.closed || t.out == nil || t.selected == nil {
		return
	}
	t.state = Connected
	if !t.met {
		t.met = true
		t.endpoint.shard.ways.count(t.selected)
	}
	for _, sec := range t.endpoint.sections {
		sec.attach(t.endpoint.shard.now)
	}
	t.endpoint.shard.due.put(t.endpoint, t.endpoint.shard.now+frequent)
	t.endpoint.shard.config.Log.Debug("endpoint connected", "endpoint", t.endpoint.config.Name, "srtp", fmt.Sprint(t.profile))
	t.endpoint.config.Event(Event{Endpoint: t.endpoint, State: Connected})
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
	t.state, t.reason = Failed, reason
	for _, sec := range t.endpoint.sections {
		sec.pause()
	}
	t.endpoint.shard.config.Log.Info("endpoint failed", "endpoint", t.endpoint.config.Name, "reason", reason)
	t.endpoint.config.Event(Event{Endpoint: t.endpoint, State: Failed, Reason: reason})
}

// authenticated notes that the client has our keys: its handshake can be released.
func (t *transport) authenticated(p *path, n int) {
	p.heard = t.endpoint.shard.now
	t.heard = p.heard
	t.packetsIn++
	t.bytesIn += uint64(n)
	if !t.proven {
		t.proven, t.remote.Fingerprints = true, nil
		t.endDTLS()
	}
}

// egress is a transport as its forwarders see it: a forward.Out.
type egress struct{ *transport }

func (t egress) Room() []byte { return t.endpoint.shard.out.slot() }

// Send seals a packet into the batch. Without consent nothing is sent (RFC 7675 §5.1).
func (t egress) Send(header int, payload []byte, rollover uint32) {
	if t.state != Connected || t.selected == nil {
		return
	}
	t.sent(t.out.RTP(t.endpoint.shard.out.slot(), header, payload, rollover))
}

func (t *transport) sealRTCP(raw []byte) {
	t.sent(t.out.RTCP(t.endpoint.shard.out.slot(), raw))
}

// sent commits what was sealed into the latest slot: nothing, if it was too long for that.
func (t *transport) sent(n int) {
	if n == 0 {
		t.endpoint.shard.counters.SendDropped++
		return
	}
	t.packetsOut++
	t.bytesOut += uint64(n)
	t.endpoint.shard.out.commit(n, t.selected.pathKey)
}
