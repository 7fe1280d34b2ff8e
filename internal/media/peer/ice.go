package peer

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media"
)

// check answers a STUN message as an ICE-lite agent that is always controlled (RFC 8445 §7.3, RFC 8489).
func (s *Shard) check(from pathKey, b []byte) {
	m := s.stun
	m.Raw = append(m.Raw[:0], b...)
	decoded := m.Decode() == nil
	if decoded && m.Type.Class == stun.ClassIndication {
		return // a keep-alive
	}
	if !decoded || m.Type != stun.BindingRequest {
		s.counters.Malformed++
		return
	}
	username, err := m.Get(stun.AttrUsername)
	if err != nil {
		s.reflect(from, m)
		return
	}
	local, remote, _ := bytes.Cut(username, []byte(":"))
	if owner := s.owner(local); owner != s {
		s.routes.misdirected(from, m, b, owner)
		return
	}
	e := s.endpoints[string(local)]
	if e == nil {
		s.disown(from, m, string(local))
		return
	}
	if !authentic(m, s.answer.integrity(e.pwd)) {
		e.mistaken(true)
		return
	}
	if e.remote.Ufrag != "" && string(remote) != e.remote.Ufrag {
		e.mistaken(false)
		return
	}
	if m.Contains(stun.AttrICEControlled) {
		s.respond(from, m, stun.BindingError, stun.CodeRoleConflict, stun.NewShortTermIntegrity(e.pwd), stun.Fingerprint)
		return
	}
	p := s.claim(from, e)
	if p == nil {
		return
	}
	s.grant(from, m, e.pwd)
	e.checked(p, m.Contains(stun.AttrUseCandidate))
}

// authentic verifies a request with our password before anything in it is believed. Attributes behind
// MESSAGE-INTEGRITY are not covered by it; decoding has dropped them (RFC 8489 §14.5).
func authentic(m *stun.Message, key stun.MessageIntegrity) bool {
	if key.Check(m) != nil {
		return false
	}
	return !m.Contains(stun.AttrFingerprint) || stun.Fingerprint.Check(m) == nil
}

// disown tells a client whose endpoint is no more, after a restart of this process above all, that its checks are in
// vain: browsers then fail their transport at once instead of after ICE's timeouts, and the SDK reconnects the stream.
// The password follows from the username fragment, so nothing need be remembered, and nobody else is answered.
func (s *Shard) disown(from pathKey, m *stun.Message, ufrag string) {
	pwd := s.iceKey.password(ufrag)
	if !authentic(m, s.answer.integrity(pwd)) {
		s.counters.Unauthenticated++
		return
	}
	s.counters.Disowned++
	s.respond(from, m, stun.BindingError, stun.CodeForbidden, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
}

// iceKey is what ICE passwords are made with; it is as long-lived as the certificate.
type iceKey []byte

// password is the one that goes with a username fragment of ours.
func (k iceKey) password(ufrag string) string {
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(ufrag))
	return base32.StdEncoding.EncodeToString(mac.Sum(nil))[:32]
}

// checked notes a verified check: it is consent to send (RFC 7675), and it may nominate its path. Where the selected
// path is silent it is selected without: the client's address has changed under it (a NAT that forgot it), and Firefox
// does not nominate anew.
func (t *transport) checked(p *path, nominated bool) {
	now := t.endpoint.shard.now
	t.consent, t.verified = now, now
	p.checks++
	p.nominated = p.nominated || nominated
	if p != t.selected && (t.selected == nil || nominated || now-t.selected.heard >= held) {
		t.choose(p)
	}
	if t.state == Opened || t.lapsed && t.refused == "" {
		t.state, t.lapsed, t.checking = Checking, false, now
		t.connected()
	}
}

// reflect is a plain STUN server for clients that only ask for their address; rate-limited per address.
func (s *Shard) reflect(from pathKey, m *stun.Message) {
	if !s.reflexive.allow(s.now, from.remote.Addr()) {
		s.counters.RateLimited++
		return
	}
	s.respond(from, m, stun.BindingSuccess, mapped(from.remote), stun.Fingerprint)
}

func mapped(a netip.AddrPort) *stun.XORMappedAddress {
	return &stun.XORMappedAddress{IP: a.Addr().AsSlice(), Port: int(a.Port())}
}

func (s *Shard) respond(to pathKey, request *stun.Message, kind stun.MessageType, setters ...stun.Setter) {
	id := stun.NewTransactionIDSetter(request.TransactionID)
	response, err := stun.Build(append([]stun.Setter{id, kind}, setters...)...)
	if err != nil {
		s.counters.Malformed++
		return
	}
	s.out.transmit(response.Raw, to)
}

// meter allows each address a few answers per second, and a bounded number of addresses. All shards share it.
type meter struct {
	mu     sync.Mutex
	second media.Time
	counts map[netip.Addr]int
}

const (
	perAddress   = 20
	maxAddresses = 4096
)

func (m *meter) allow(now media.Time, a netip.Addr) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if second := now / media.Time(time.Second); m.counts == nil || second > m.second {
		m.second, m.counts = second, map[netip.Addr]int{}
	}
	if m.counts[a] >= perAddress || m.counts[a] == 0 && len(m.counts) >= maxAddresses {
		return false
	}
	m.counts[a]++
	return true
}
