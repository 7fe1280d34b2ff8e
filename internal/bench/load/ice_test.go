package load

import (
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

// role is what a check says the client is.
func role(t *testing.T, m *stun.Message) stun.AttrType {
	t.Helper()
	controlling, controlled := m.Contains(stun.AttrICEControlling), m.Contains(stun.AttrICEControlled)
	if controlling == controlled {
		t.Fatalf("controlling: %v, controlled: %v", controlling, controlled)
	}
	if controlling {
		return stun.AttrICEControlling
	}
	return stun.AttrICEControlled
}

// TestChecksAreComplete: what RFC 8445 §7.2.4 wants of a check, under the server's password.
func TestChecksAreComplete(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.client.checkCandidates()
	m := s.one()
	if m.Type != stun.BindingRequest {
		t.Errorf("the check is %s", m.Type)
	}
	ok(t, stun.NewShortTermIntegrity(serverPwd).Check(m))
	ok(t, stun.Fingerprint.Check(m))
	var name stun.Username
	ok(t, name.GetFrom(m))
	if want := "server:" + s.client.ufrag; name.String() != want {
		t.Errorf("the user is %s, want %s", name, want)
	}
	if p, err := m.Get(stun.AttrPriority); err != nil || len(p) != 4 {
		t.Errorf("priority %x, %v", p, err)
	}
	if role(t, m) != stun.AttrICEControlling || m.Contains(stun.AttrUseCandidate) {
		t.Error("a first check of who decides neither asks for the pair nor says it is controlled")
	}
	if tie, err := m.Get(stun.AttrICEControlling); err != nil || len(tie) != 8 {
		t.Errorf("tie breaker %x, %v", tie, err)
	}
}

// TestWeNominate: the candidate that answers first is asked for, again and again until it confirms; then DTLS begins.
func TestWeNominate(t *testing.T) {
	s := newStage(t, Config{}, false)
	second := s.socket()
	s.client.remote.candidates = append(s.client.remote.candidates, addressOf(second))
	s.client.checkCandidates()
	first, other := s.one(), checks(t, second)[0]
	s.reply(second, other, serverPwd, stun.BindingSuccess)
	if s.client.nominated != addressOf(second) || s.client.selected.IsValid() {
		t.Fatalf("nominated %s, selected %s", s.client.nominated, s.client.selected)
	}
	s.reply(s.server, first, serverPwd, stun.BindingSuccess) // too late
	if s.client.nominated != addressOf(second) {
		t.Errorf("nominated %s after a second answer", s.client.nominated)
	}
	s.client.checkCandidates() // the nomination may have been lost
	asked := checks(t, second)
	if len(asked) != 2 || !asked[0].Contains(stun.AttrUseCandidate) || !asked[1].Contains(stun.AttrUseCandidate) {
		t.Fatalf("%d nominations", len(asked))
	}
	if asked[0].TransactionID == asked[1].TransactionID {
		t.Error("both nominations have one transaction")
	}
	s.reply(second, asked[0], serverPwd, stun.BindingSuccess)
	if s.client.selected != addressOf(second) || s.client.handshake == nil {
		t.Fatalf("selected %s, handshake %v", s.client.selected, s.client.handshake)
	}
	begun := s.client.handshake
	s.reply(second, asked[1], serverPwd, stun.BindingSuccess)
	if s.client.handshake != begun {
		t.Error("the second confirmation begins a second handshake")
	}
	if s.client.checkCandidates(); len(heard(t, s.server)) != 0 {
		t.Error("candidates are checked after one was selected")
	}
}

// TestForgedResponses: wrong password, wrong address, unknown transaction, no integrity.
func TestForgedResponses(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.client.checkCandidates()
	m := s.one()
	s.reply(s.server, m, "a guess", stun.BindingSuccess)
	s.reply(s.socket(), m, serverPwd, stun.BindingSuccess)
	unknown := stun.New()
	unknown.TransactionID = stun.NewTransactionID()
	s.reply(s.server, unknown, serverPwd, stun.BindingSuccess)
	bare, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess)
	ok(t, err)
	s.say(s.server, bare.Raw)
	s.say(s.server, m.Raw[:len(m.Raw)-5])
	if s.client.nominated.IsValid() || s.client.selected.IsValid() {
		t.Fatalf("nominated %s, selected %s", s.client.nominated, s.client.selected)
	}
	s.reply(s.server, m, "a guess", stun.BindingError, stun.CodeRoleConflict)
	if s.client.remote.controlling {
		t.Error("a forged role conflict has turned the roles")
	}
	s.reply(s.server, m, serverPwd, stun.BindingSuccess)
	if s.client.nominated != s.address() {
		t.Error("the true response was not taken")
	}
}

// TestRoleConflict: however many checks are refused, the role is changed once; and back if that was wrong, too.
func TestRoleConflict(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.client.checkCandidates()
	s.client.checkCandidates()
	refused := checks(t, s.server)
	for _, m := range refused {
		s.reply(s.server, m, serverPwd, stun.BindingError, stun.CodeRoleConflict)
	}
	if !s.client.remote.controlling {
		t.Fatal("two refusals have turned the role twice, or never")
	}
	s.client.checkCandidates()
	m := s.one()
	if role(t, m) != stun.AttrICEControlled {
		t.Error("the next check is in the old role")
	}
	s.reply(s.server, m, serverPwd, stun.BindingError, stun.CodeStaleNonce)
	if !s.client.remote.controlling {
		t.Error("another error has turned the role")
	}
	s.reply(s.server, m, serverPwd, stun.BindingError, stun.CodeRoleConflict)
	if s.client.remote.controlling {
		t.Error("a conflict in the new role is not heard")
	}
	s.client.selected = s.address()
	s.reply(s.server, refused[0], serverPwd, stun.BindingError, stun.CodeRoleConflict)
	if s.client.remote.controlling {
		t.Error("the role changes though a pair is in use")
	}
}

// TestLateServer: a server that answers after hundreds of checks is heard, and what is remembered has a limit.
func TestLateServer(t *testing.T) {
	s := newStage(t, Config{}, false)
	var all []*stun.Message
	for range 3 * maxChecks {
		s.client.checkCandidates()
		all = append(all, s.one())
		if len(s.client.checks) > maxChecks {
			t.Fatalf("%d checks are remembered", len(s.client.checks))
		}
	}
	s.reply(s.server, all[0], serverPwd, stun.BindingSuccess)
	if s.client.nominated.IsValid() {
		t.Error("the first of all checks is remembered")
	}
	s.reply(s.server, all[len(all)-1], serverPwd, stun.BindingSuccess)
	if s.client.nominated != s.address() {
		t.Error("the latest check is not remembered")
	}
}

// TestFullServer: one that checks us is answered, checked in turn, and decides if it has offered.
func TestFullServer(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.client.remote.controlling, s.client.remote.candidates = true, nil
	ask := func(pwd string, more ...stun.Setter) {
		t.Helper()
		setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(s.client.ufrag + ":server")}, more...)
		m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...)
		ok(t, err)
		s.say(s.server, m.Raw)
	}
	ask("a guess", flagAttr(stun.AttrUseCandidate))
	if s.client.selected.IsValid() || len(heard(t, s.server)) != 0 {
		t.Fatal("a check under a wrong password is taken")
	}
	ask(s.client.pwd)
	all := checks(t, s.server)
	if len(all) != 2 || all[0].Type != stun.BindingSuccess || all[1].Type != stun.BindingRequest {
		t.Fatalf("%d messages: want a response and a triggered check", len(all))
	}
	ok(t, stun.NewShortTermIntegrity(s.client.pwd).Check(all[0]))
	var mapped stun.XORMappedAddress
	ok(t, mapped.GetFrom(all[0]))
	if at := s.address(); mapped.Port != int(at.Port()) || !mapped.IP.Equal(at.Addr().AsSlice()) {
		t.Errorf("the server is told it is %s, it is %s", &mapped, at)
	}
	if role(t, all[1]) != stun.AttrICEControlled || all[1].Contains(stun.AttrUseCandidate) {
		t.Error("who is controlled decides")
	}
	s.reply(s.server, all[1], serverPwd, stun.BindingSuccess)
	if s.client.nominated.IsValid() || s.client.selected.IsValid() {
		t.Error("who is controlled has selected a pair")
	}
	ask(s.client.pwd, flagAttr(stun.AttrUseCandidate))
	if s.client.selected != s.address() || s.client.handshake == nil {
		t.Errorf("selected %s, handshake %v", s.client.selected, s.client.handshake)
	}
	if s.client.checks != nil {
		t.Error("checks are remembered for nothing")
	}
}

// TestConsent: once connected, checks go on, in their role, and the server's are answered; responses change nothing.
func TestConsent(t *testing.T) {
	s := newStage(t, Config{Reports: -1}, false)
	s.key(gcm)
	if next := s.client.tick(0); next != s.client.config.Consent {
		t.Errorf("the next tick is in %v", next)
	}
	m := s.one()
	if !m.Contains(stun.AttrUseCandidate) {
		t.Error("who decides says so in each check")
	}
	s.reply(s.server, m, serverPwd, stun.BindingSuccess)
	s.reply(s.server, m, serverPwd, stun.BindingError, stun.CodeRoleConflict)
	if s.client.remote.controlling || len(s.client.checks) != 0 {
		t.Error("a response to a consent check has changed something")
	}
	if s.client.tick(s.client.config.Consent / 2); len(heard(t, s.server)) != 0 {
		t.Error("a check before its time")
	}
	if s.client.tick(s.client.config.Consent); len(heard(t, s.server)) != 1 {
		t.Error("no check when it is due")
	}
}

// TestGivesUp says what was missing, and closes nothing.
func TestGivesUp(t *testing.T) {
	for want, prepare := range map[string]func(c *Client){
		"no candidate of [127.0.0.1:9] answered":      func(c *Client) {},
		"the server has not begun its DTLS handshake": func(c *Client) { c.selected = c.remote.candidates[0] },
		"the DTLS handshake does not finish":          func(c *Client) { c.remote.setup = "passive"; c.selectPair(c.remote.candidates[0]) },
	} {
		s := newStage(t, Config{}, false)
		s.client.remote.candidates = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}
		s.client.remote.setup = "active"
		prepare(s.client)
		s.client.tick(connectWithin + 1)
		err := s.client.Connected(t.Context())
		if err == nil || err.Error() != "client "+s.client.ufrag+": "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
