package load

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// check is a connectivity check that waits for its response.
type check struct {
	id       [stun.TransactionIDSize]byte
	to       netip.AddrPort
	nominate bool
}

const (
	checkEvery = 50 * time.Millisecond
	maxChecks  = 128 // that wait
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

// checkCandidates is what is sent again and again until a pair works: checks to every candidate, then, where we decide,
// the nomination of the first that answered.
func (c *Client) checkCandidates() {
	switch {
	case c.selected.IsValid():
	case c.nominated.IsValid():
		c.check(c.nominated, true)
	default:
		for _, to := range c.remote.candidates {
			c.check(to, false)
		}
	}
}

func (c *Client) check(to netip.AddrPort, nominate bool) {
	role := roleAttr{stun.AttrICEControlling, c.tieBreaker}
	if c.remote.controlling {
		role.kind = stun.AttrICEControlled
	}
	setters := []stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.remote.ufrag + ":" + c.ufrag), role, priorityAttr(priority)}
	if nominate {
		setters = append(setters, flagAttr(stun.AttrUseCandidate))
	}
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(c.remote.pwd), stun.Fingerprint)...)
	if err != nil {
		return
	}
	if !c.connected() && len(c.checks) < maxChecks {
		c.checks = append(c.checks, check{m.TransactionID, to, nominate})
	}
	c.send(m.Raw, to)
}

// stun takes a STUN message. Once connected, responses to consent checks say nothing we want to know.
func (c *Client) stun(from netip.AddrPort, b []byte) {
	if c.connected() && b[0] != 0 { // a response's class has bits in the first byte
		return
	}
	m := stun.New()
	m.Raw = append(m.Raw[:0], b...)
	if m.Decode() != nil {
		return
	}
	switch m.Type {
	case stun.BindingRequest:
		c.checked(from, m)
	case stun.BindingSuccess:
		c.answered(from, m)
	case stun.BindingError:
		c.refused(m)
	}
}

// checked answers a check of a full ICE agent; one that decides says here which pair is used.
func (c *Client) checked(from netip.AddrPort, m *stun.Message) {
	integrity := stun.NewShortTermIntegrity(c.pwd)
	if integrity.Check(m) != nil {
		return
	}
	response, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, integrity, stun.Fingerprint)
	if err != nil {
		return
	}
	c.send(response.Raw, from)
	if c.connected() {
		return
	}
	if c.remote.controlling && m.Contains(stun.AttrUseCandidate) {
		c.selectPair(from)
	} else if !c.selected.IsValid() && !c.nominated.IsValid() {
		c.check(from, false) // a triggered check
	}
}

// answered takes a success response: the pair works.
func (c *Client) answered(from netip.AddrPort, m *stun.Message) {
	for _, sent := range c.checks {
		if sent.id != m.TransactionID || sent.to != from || stun.NewShortTermIntegrity(c.remote.pwd).Check(m) != nil {
			continue
		}
		switch {
		case c.remote.controlling || c.selected.IsValid():
		case sent.nominate:
			c.selectPair(from)
		case !c.nominated.IsValid():
			c.nominated = from
			c.check(from, true)
		}
		return
	}
}

// refused takes an error response; of those we know one cure: taking the other role.
func (c *Client) refused(m *stun.Message) {
	var code stun.ErrorCodeAttribute
	if code.GetFrom(m) == nil && code.Code == stun.CodeRoleConflict && !c.selected.IsValid() &&
		stun.NewShortTermIntegrity(c.remote.pwd).Check(m) == nil {
		c.remote.controlling = !c.remote.controlling
		c.nominated = netip.AddrPort{}
	}
}

// selectPair settles where we send, and lets DTLS begin if it is ours to begin.
func (c *Client) selectPair(to netip.AddrPort) {
	c.selected = to
	c.checks = nil
	if c.handshake == nil && c.remote.setup != "active" {
		c.shake(nil)
	}
}
