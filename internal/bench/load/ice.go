package load

import (
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

// check is a connectivity check that waits for its response.
type check struct {
	id         [stun.TransactionIDSize]byte
	to         netip.AddrPort
	nominate   bool
	controlled bool // the role it was sent in
}

const (
	checkEvery = 50 * time.Millisecond
	maxChecks  = 128 // that wait; the oldest are forgotten
	priority   = 2130706431
)

// Attributes of RFC 8445 §16.1.
type (
	priorityAttr uint32
	roleAttr     struct {
		kind       stun.AttrType
		tieBreaker uint64
	}
	flagAttr stun.AttrType
)

func (p priorityAttr) AddTo(m *stun.Message) error {
	m.Add(stun.AttrPriority, []byte{byte(p >> 24), byte(p >> 16), byte(p >> 8), byte(p)})
	return nil
}

func (r roleAttr) AddTo(m *stun.Message) error {
	var b [8]byte
	for i := range b {
		b[i] = byte(r.tieBreaker >> (56 - 8*i))
	}
	m.Add(r.kind, b[:])
	return nil
}

func (f flagAttr) AddTo(m *stun.Message) error {
	m.Add(stun.AttrType(f), nil)
	return nil
}

// agent is a client's ICE.
type agent struct {
	client *Client

	checks     []check
	nominated  netip.AddrPort // we have asked the server to use it
	selected   netip.AddrPort
	tieBreaker uint64
	consentAt  time.Duration // when the next check is due once connected
}

// checkCandidates is what is sent again and again until a pair works: checks to every candidate, then, where we decide,
// the nomination of the first that answered.
func (a *agent) checkCandidates() {
	switch {
	case a.selected.IsValid():
	case a.nominated.IsValid():
		a.check(a.nominated, true)
	default:
		for _, to := range a.client.remote.candidates {
			a.check(to, false)
		}
	}
}

func (a *agent) check(to netip.AddrPort, nominate bool) {
	role := roleAttr{stun.AttrICEControlling, a.tieBreaker}
	if a.client.remote.controlling {
		role.kind = stun.AttrICEControlled
	}
	setters := []stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(a.client.remote.ufrag + ":" + a.client.ufrag), role, priorityAttr(priority)}
	if nominate {
		setters = append(setters, flagAttr(stun.AttrUseCandidate))
	}
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(a.client.remote.pwd), stun.Fingerprint)...)
	if err != nil {
		return
	}
	if !a.client.connected() {
		if len(a.checks) == maxChecks {
			a.checks = slices.Delete(a.checks, 0, 1)
		}
		a.checks = append(a.checks, check{m.TransactionID, to, nominate, a.client.remote.controlling})
	}
	a.client.send(m.Raw, to)
}

// stun takes a STUN message. Once connected, responses to consent checks say nothing we want to know.
func (a *agent) stun(from netip.AddrPort, b []byte) {
	if a.client.connected() && b[0] != 0 { // a response's class has bits in the first byte
		return
	}
	m := stun.New()
	m.Raw = append(m.Raw[:0], b...)
	if m.Decode() != nil {
		return
	}
	switch m.Type {
	case stun.BindingRequest:
		a.checked(from, m)
	case stun.BindingSuccess:
		a.answered(from, m)
	case stun.BindingError:
		a.refused(from, m)
	}
}

// checked answers a check of a full ICE agent; one that decides says here which pair is used.
func (a *agent) checked(from netip.AddrPort, m *stun.Message) {
	integrity := stun.NewShortTermIntegrity(a.client.pwd)
	if integrity.Check(m) != nil {
		return
	}
	response, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, integrity, stun.Fingerprint)
	if err != nil {
		return
	}
	a.client.send(response.Raw, from)
	if a.client.connected() {
		return
	}
	if a.client.remote.controlling && m.Contains(stun.AttrUseCandidate) {
		a.selectPair(from)
	} else if !a.selected.IsValid() && !a.nominated.IsValid() {
		a.check(from, false) // a triggered check
	}
}

// sent is the check a message responds to, if it is authentic.
func (a *agent) sent(from netip.AddrPort, m *stun.Message) (check, bool) {
	for _, c := range a.checks {
		if c.id == m.TransactionID && c.to == from {
			return c, stun.NewShortTermIntegrity(a.client.remote.pwd).Check(m) == nil
		}
	}
	return check{}, false
}

// answered takes a success response: the pair works.
func (a *agent) answered(from netip.AddrPort, m *stun.Message) {
	sent, ok := a.sent(from, m)
	switch {
	case !ok || a.client.remote.controlling || a.selected.IsValid():
	case sent.nominate:
		a.selectPair(from)
	case !a.nominated.IsValid():
		a.nominated = from
		a.check(from, true)
	}
}

// refused takes an error response; of those we know one cure: taking the other role, once for all checks sent in the one
// that is refused (RFC 8445 §7.2.5.1).
func (a *agent) refused(from netip.AddrPort, m *stun.Message) {
	var code stun.ErrorCodeAttribute
	if code.GetFrom(m) != nil || code.Code != stun.CodeRoleConflict || a.selected.IsValid() {
		return
	}
	if sent, ok := a.sent(from, m); ok && sent.controlled == a.client.remote.controlling {
		a.client.remote.controlling = !a.client.remote.controlling
		a.nominated = netip.AddrPort{}
	}
}

// selectPair settles where we send, and lets DTLS begin if it is ours to begin.
func (a *agent) selectPair(to netip.AddrPort) {
	a.selected = to
	a.checks = nil
	if a.client.handshake == nil && a.client.remote.setup != "active" {
		a.client.shake(nil)
	}
}
