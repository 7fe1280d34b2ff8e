package peer_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// credentials of an endpoint, read from what it told its client.
type credentials struct{ ufrag, pwd string }

func credentialsOf(t *testing.T, ctx context.Context, e *peer.Endpoint) credentials {
	t.Helper()
	st := must[peer.Stats](t)(e.Stats(ctx))
	return credentials{attribute(t, st.LocalSDP, "ice-ufrag"), attribute(t, st.LocalSDP, "ice-pwd")}
}

func attribute(t *testing.T, sdp, key string) string {
	t.Helper()
	_, after, ok := strings.Cut(sdp, "a="+key+":")
	if !ok {
		t.Fatalf("no a=%s in\n%s", key, sdp)
	}
	value, _, _ := strings.Cut(after, "\r\n")
	return value
}

// raw is an attribute as it stands in a message.
type raw stun.RawAttribute

func (r raw) AddTo(m *stun.Message) error {
	m.Add(r.Type, r.Value)
	return nil
}

// request makes a connectivity check.
func (c credentials) request(t *testing.T, attributes ...stun.Setter) []byte {
	t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.ufrag + ":test")}, attributes...)
	setters = append(setters, stun.NewShortTermIntegrity(c.pwd), stun.Fingerprint)
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

var (
	nominate    = raw{Type: stun.AttrUseCandidate}
	controlling = raw{Type: stun.AttrICEControlling, Value: make([]byte, 8)}
	controlled  = raw{Type: stun.AttrICEControlled, Value: make([]byte, 8)}
)

// talk is a bare UDP socket that speaks with the server.
type talk struct {
	t *testing.T
	net.Conn
}

func (s *server) talk(to netip.AddrPort) talk {
	s.t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return talk{s.t, conn}
}

// ask sends a request and returns the response.
func (c talk) ask(request []byte) *stun.Message {
	c.t.Helper()
	if _, err := c.Write(request); err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, 1500)
	n, err := c.Read(b)
	if err != nil {
		c.t.Fatal(err)
	}
	m := &stun.Message{Raw: b[:n]}
	if err := m.Decode(); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// receiving opens an endpoint for a client offer that nobody's transport stands behind.
func (s *server) receiving(ctx context.Context, name string) (*peer.Endpoint, credentials) {
	s.t.Helper()
	e := must[*peer.Endpoint](s.t)(s.Open(ctx, peer.EndpointConfig{Name: name, Loopback: true}))
	offer := testkit.NewClient(s.t, testkit.ClientConfig{}).PublishOffer(testkit.VP8)
	offer = strings.ReplaceAll(offer, "a=ice-ufrag:"+attribute(s.t, offer, "ice-ufrag"), "a=ice-ufrag:test")
	must[peer.Description](s.t)(e.AcceptPublish(ctx, offer, peer.PublishOptions{}))
	return e, credentialsOf(s.t, ctx, e)
}

func TestSpoofedCheck(t *testing.T) {
	s, tp, ctx := tapped(t)
	alice := testkit.NewClient(t, testkit.ClientConfig{})
	publisher, _ := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	before := must[peer.Stats](t)(publisher.Stats(ctx))
	check, _ := tp.latest(socket.STUN)
	_, mallory := s.receiving(ctx, "mallory")

	c := s.talk(tp.LocalAddr())
	wrong := mallory
	wrong.pwd = "not the password at all"
	for _, b := range [][]byte{
		wrong.request(t, nominate),
		append([]byte{0x80, 96}, make([]byte, 40)...), // media of an unknown address
		append([]byte{22, 254, 253}, make([]byte, 40)...),
	} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	// A request that is genuine, but comes from an address another endpoint is using.
	tp.add(socket.Message{Buf: mallory.request(t, nominate), Remote: check.Remote, Local: check.Local})
	if m := c.ask(mallory.request(t, nominate)); m.Type != stun.BindingSuccess {
		t.Fatalf("a verified request was answered with %v", m.Type)
	}
	count := must[peer.Counters](t)(s.Counters(ctx))
	if count.Unauthenticated != 3 || count.AddressHeld != 1 {
		t.Errorf("unauthenticated %d, held %d; want 3, 1", count.Unauthenticated, count.AddressHeld)
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)
	s.until(ctx, publisher, func(st peer.Stats) bool { return st.PacketsIn > before.PacketsIn+20 })
}

// until looks at an endpoint until ok holds.
func (s *server) until(ctx context.Context, e *peer.Endpoint, ok func(peer.Stats) bool) peer.Stats {
	s.t.Helper()
	for {
		st, err := e.Stats(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		if ok(st) {
			return st
		}
	}
}

func TestUncoveredAttributes(t *testing.T) {
	s, tp, ctx := tapped(t)
	e, own := s.receiving(ctx, "alice")
	first, second := s.talk(tp.LocalAddr()), s.talk(tp.LocalAddr())
	first.ask(own.request(t, nominate))
	second.ask(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(own.ufrag+":test"),
		stun.NewShortTermIntegrity(own.pwd), nominate).Raw)
	if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "udp "+first.LocalAddr().String() {
		t.Errorf("a nomination behind MESSAGE-INTEGRITY was believed: %s", st.RemoteCandidate)
	}
}

func TestRoleConflict(t *testing.T) {
	s, tp, ctx := tapped(t)
	_, own := s.receiving(ctx, "alice")
	m := s.talk(tp.LocalAddr()).ask(own.request(t, controlled))
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(m); err != nil || code.Code != stun.CodeRoleConflict {
		t.Errorf("a controlled agent is answered %v %v, want 487", m, err)
	}
	if err := stun.NewShortTermIntegrity(own.pwd).Check(m); err != nil {
		t.Errorf("the answer is not authentic: %v", err)
	}
}

func TestNewestNominationWins(t *testing.T) {
	s, tp, ctx := tapped(t)
	e, own := s.receiving(ctx, "alice")
	first, second := s.talk(tp.LocalAddr()), s.talk(tp.LocalAddr())
	for _, step := range []struct {
		from talk
		use  bool
		want talk
	}{
		{first, false, first}, {second, false, first}, {second, true, second}, {first, false, second}, {first, true, first},
	} {
		attributes := []stun.Setter{controlling}
		if step.use {
			attributes = append(attributes, nominate)
		}
		m := step.from.ask(own.request(t, attributes...))
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(m); err != nil || mapped.String() != step.from.LocalAddr().String() {
			t.Errorf("mapped address %v, want %v (%v)", mapped, step.from.LocalAddr(), err)
		}
		if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "udp "+step.want.LocalAddr().String() {
			t.Errorf("selected %s, want %s", st.RemoteCandidate, step.want.LocalAddr())
		}
	}
}

func TestAddressesAreBounded(t *testing.T) {
	s, tp, ctx := tapped(t)
	e, own := s.receiving(ctx, "alice")
	first := s.talk(tp.LocalAddr())
	first.ask(own.request(t, nominate))
	for range 40 {
		s.talk(tp.LocalAddr()).ask(own.request(t))
	}
	if st := must[peer.Stats](t)(e.Stats(ctx)); st.RemoteCandidate != "udp "+first.LocalAddr().String() {
		t.Errorf("40 more addresses displaced the selected one: %s", st.RemoteCandidate)
	}
}

func TestAddressRequest(t *testing.T) {
	s, tp, ctx := tapped(t)
	c := s.talk(tp.LocalAddr())
	var mapped stun.XORMappedAddress
	m := c.ask(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw)
	if err := mapped.GetFrom(m); err != nil || mapped.String() != c.LocalAddr().String() {
		t.Errorf("mapped address %v (%v), want %v", mapped, err, c.LocalAddr())
	}
	for range 100 {
		if _, err := c.Write(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw); err != nil {
			t.Fatal(err)
		}
	}
	for must[peer.Counters](t)(s.Counters(ctx)).RateLimited == 0 {
		if ctx.Err() != nil {
			t.Fatal("100 address requests in a row were all answered")
		}
	}
}

func TestReplayedMedia(t *testing.T) {
	s, tp, ctx := tapped(t)
	tp.double = true
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)
	s.subscribe(ctx, "bob_alice", bob, tracks)
	bob.WaitPackets(ctx, "video", 60)
	if count := must[peer.Counters](t)(s.Counters(ctx)); count.Replayed < 50 || count.Forged != 0 {
		t.Errorf("replayed %d, forged %d; want 50 or more, and 0", count.Replayed, count.Forged)
	}
	seen := map[uint16]bool{}
	for _, h := range bob.Headers("video") {
		if seen[h.SequenceNumber] {
			t.Fatalf("sequence number %d came twice", h.SequenceNumber)
		}
		seen[h.SequenceNumber] = true
	}
}

func TestGarbage(t *testing.T) {
	s, tp, ctx := tapped(t)
	alice, bob := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)
	s.subscribe(ctx, "bob_alice", bob, tracks)
	bob.WaitPackets(ctx, "video", 5)

	// From everywhere, and from alice's own address: every first byte, many lengths; and packets of hers, damaged.
	mine, _ := tp.latest(socket.RTP)
	for first := range 256 {
		for _, n := range []int{0, 1, 3, 12, 20, 200, 1500} {
			b := bytes.Repeat([]byte{byte(first)}, n)
			tp.add(socket.Message{Buf: b, Remote: mine.Remote, Local: mine.Local})
			tp.add(socket.Message{Buf: b, Remote: netip.MustParseAddrPort("192.0.2.1:9"), Local: mine.Local})
		}
		for _, class := range []socket.Class{socket.STUN, socket.DTLS, socket.RTP, socket.RTCP} {
			if m, ok := tp.latest(class); ok {
				m.Buf = bytes.Clone(m.Buf)
				m.Buf[(8+first)%len(m.Buf)] ^= 0x55
				tp.add(m)
			}
		}
	}
	bob.WaitPackets(ctx, "video", 60)
	bob.WaitPackets(ctx, "audio", 10)
	count := must[peer.Counters](t)(s.Counters(ctx))
	if count.Malformed == 0 || count.Unauthenticated == 0 || count.Forged == 0 {
		t.Errorf("garbage went uncounted: %+v", count)
	}
}

// TestChecksWithoutHandshake runs in fake time: a client whose DTLS is blocked is told apart from one that is gone.
func TestChecksWithoutHandshake(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab, s *server) {
		drop := func(d dropArgs) bool { return socket.Classify(d.Bytes) == socket.DTLS }
		l.drop.Store(&drop)
		alice := l.client(testkit.ClientConfig{})
		e, _ := s.publish(ctx, "alice", alice, peer.PublishOptions{})
		if event := s.await(ctx, e, 1); event.State != peer.Failed || !strings.Contains(event.Reason, "DTLS") {
			t.Errorf("event %+v, want a failure that names DTLS", event)
		}
		l.drop.Store(nil)
		if event := s.await(ctx, e, 2); event.State != peer.Connected {
			t.Errorf("event %+v once DTLS passes, want connected", event)
		}
	})
}
