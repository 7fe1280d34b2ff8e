package peer

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media"
)

// check gives the shard a verified check for an endpoint.
func (b *bench) check(t *testing.T, e *Endpoint, from pathKey, attributes ...stun.Setter) {
	t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(e.ufrag + ":far")}, attributes...)
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(e.pwd), stun.Fingerprint)...)
	if err != nil {
		t.Fatal(err)
	}
	b.shard.packet(from, m.Raw)
}

func at(port uint16) pathKey {
	return pathKey{remote: netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), port)}
}

const second = media.Time(time.Second)

// TestAddressThatChanged: a NAT gives the client another port, and Firefox does not nominate a pair twice.
func TestAddressThatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		silent media.Time // of the old address, before the new one is heard
		want   uint16
	}{
		"both alive":         {2 * second, 1},
		"the old one silent": {held, 2},
	} {
		b := newBench(t, 0)
		e := b.endpoint(t, at(1))
		b.check(t, e, at(1), stun.RawAttribute{Type: stun.AttrUseCandidate})
		b.shard.now += c.silent
		b.check(t, e, at(2))
		if got := e.selected.remote.Port(); got != c.want {
			t.Errorf("%s: selected port %d, want %d", name, got, c.want)
		}
	}
}

// TestNetworkSwitch: a client that nominates from another network is followed at once, and back.
func TestNetworkSwitch(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	b.send(t, 1, 10)
	old, other := v.endpoint.selected.pathKey, at(7)
	for i, to := range []pathKey{other, old, other} {
		b.check(t, v.endpoint, to, stun.RawAttribute{Type: stun.AttrUseCandidate})
		b.shard.send()
		before := len(v.opened)
		b.send(t, 20+10*i, 10)
		if v.endpoint.selected.pathKey != to || len(v.opened) != before+10 {
			t.Errorf("selected %v, want %v; %d of 10 packets went there", v.endpoint.selected.remote, to.remote, len(v.opened)-before)
		}
	}
	if v.failed != 0 {
		t.Errorf("%d packets did not open: the keys go with the endpoint, not with the address", v.failed)
	}
}

// TestHeldAddress: an address in use goes to another endpoint only when its owner is silent.
func TestHeldAddress(t *testing.T) {
	b := newBench(t, 0)
	alice, mallory := b.endpoint(t, at(1)), b.endpoint(t, at(2))
	b.shard.now += held - 1
	b.check(t, mallory, at(1))
	if b.shard.paths[at(1)].endpoint != alice || b.shard.counters.AddressHeld != 1 {
		t.Error("an address in use was given away")
	}
	b.shard.now++
	b.check(t, mallory, at(1))
	if b.shard.paths[at(1)].endpoint != mallory || alice.selected != nil || len(alice.paths) != 0 {
		t.Error("a silent address was not given away as a whole")
	}
}

// TestMoves: a NAT that forgets its client shows by the silence before the client is heard from elsewhere; the latest
// moves are remembered. What happens before the keys is no move.
func TestMoves(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	b.check(t, e, at(1), stun.RawAttribute{Type: stun.AttrUseCandidate})
	if f := snapshot(e); f.Moved != 0 {
		t.Fatalf("%d moves of one that stayed", f.Moved)
	}
	for i := range 6 {
		b.shard.now += 30*second + media.Time(i)*second
		b.check(t, e, at(uint16(i+2)))
	}
	b.shard.now += 5 * second
	f := snapshot(e)
	if f.Moved != 6 || len(f.Moves) != maxMoves {
		t.Fatalf("%d moves, %d remembered", f.Moved, len(f.Moves))
	}
	last := f.Moves[maxMoves-1]
	if last.Silence != 35*time.Second || last.At != 5*time.Second || last.From != "udp 198.51.100.1:6" || last.To != "udp 198.51.100.1:7" {
		t.Errorf("the last move: %+v", last)
	}
	if first := f.Moves[0]; first.Silence != 32*time.Second {
		t.Errorf("the first one remembered: %+v", first)
	}

	// A connection that ended, and the next one.
	one, two := at(9), at(10)
	nobody := func(pathKey, []byte) {}
	one.via, two.via = &link{protocol: "tcp", send: nobody}, &link{protocol: "tcp", send: nobody}
	b.check(t, e, one, stun.RawAttribute{Type: stun.AttrUseCandidate})
	for len(e.paths) > 0 {
		b.shard.forget(e.paths[0])
	}
	b.shard.now += 2 * second
	b.check(t, e, two)
	f = snapshot(e)
	if last := f.Moves[maxMoves-1]; last.From != "tcp 198.51.100.1:9" || last.To != "tcp 198.51.100.1:10" || last.Silence != 2*time.Second {
		t.Errorf("over a new connection: %+v", last)
	}

	early := b.endpoint(t, at(20))
	early.out = nil
	b.check(t, early, at(21), stun.RawAttribute{Type: stun.AttrUseCandidate})
	if f := snapshot(early); f.Moved != 0 || !f.Paths[1].Selected {
		t.Errorf("before the keys: %+v", f)
	}
}

func TestForgottenPathsFallBack(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	for port := range uint16(5) {
		b.shard.now += second
		b.check(t, e, at(port+1))
	}
	for _, want := range []uint16{5, 4, 3, 2} {
		b.shard.forget(e.selected)
		if got := e.selected.remote.Port(); got != want {
			t.Fatalf("fell back to port %d, want %d: the one heard last", got, want)
		}
	}
	b.shard.forget(e.selected)
	if e.selected != nil || len(e.paths) != 0 || len(b.shard.paths) != 1 { // the publisher's
		t.Errorf("%d paths left", len(b.shard.paths))
	}
	egress{&e.transport}.Send(12, make([]byte, 100), 0) // has nowhere to go
}

// TestStrangersCredentials: a check with another remote fragment is not of this client, as in an attempt to restart ICE.
func TestStrangersCredentials(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	e.remote.Ufrag = "far"
	before := b.shard.counters.Unauthenticated
	for _, user := range []string{e.ufrag + ":restarted", e.ufrag, e.ufrag + ":", e.ufrag + ":far:far"} {
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(user), stun.NewShortTermIntegrity(e.pwd), stun.Fingerprint)
		b.shard.packet(at(9), m.Raw)
	}
	if got := b.shard.counters.Unauthenticated - before; got != 4 || b.shard.paths[at(9)] != nil {
		t.Errorf("%d of 4 refused", got)
	}
	b.check(t, e, at(9))
	if b.shard.paths[at(9)] == nil {
		t.Error("the client's own check was refused")
	}
}

// TestOnlyRequestsAreAnswered: indications and stray responses must not make two servers talk to each other.
func TestOnlyRequestsAreAnswered(t *testing.T) {
	b := newBench(t, 0)
	for _, kind := range []stun.MessageType{
		stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.BindingSuccess, stun.BindingError,
		stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewType(stun.MethodSend, stun.ClassIndication),
	} {
		b.shard.packet(at(1), stun.MustBuild(stun.TransactionID, kind, stun.Fingerprint).Raw)
	}
	b.shard.send()
	if b.wire.sent != 0 || b.shard.counters.Malformed != 3 {
		t.Errorf("%d answers, %d counted; want none, 3", b.wire.sent, b.shard.counters.Malformed)
	}
}

func TestMeter(t *testing.T) {
	var m meter
	one := netip.MustParseAddr("192.0.2.1")
	allowed := 0
	for range 100 {
		if m.allow(0, one) {
			allowed++
		}
	}
	if allowed != perAddress {
		t.Errorf("%d answers in a second, want %d", allowed, perAddress)
	}
	if !m.allow(second, one) {
		t.Error("refused in the next second")
	}
	a := netip.MustParseAddr("10.0.0.0")
	for range maxAddresses * 2 {
		m.allow(second, a)
		a = a.Next()
	}
	if len(m.counts) != maxAddresses {
		t.Errorf("%d addresses remembered, want %d", len(m.counts), maxAddresses)
	}
}

// TestRefusedStaysRefused: after a wrong certificate nothing but a new endpoint helps, not even a pause.
func TestRefusedStaysRefused(t *testing.T) {
	b := newBench(t, 0)
	var told []State
	e := b.endpoint(t, at(1))
	e.config.Event = func(event Event) { told = append(told, event.State) }
	e.state, e.out = Checking, nil
	e.lapse("gone")
	e.shaken(nil, stateOfNobody, errFingerprint)
	b.check(t, e, at(1))
	if e.state != Failed || e.refused == "" || len(told) != 1 {
		t.Errorf("state %s (%s), events %v", e.state, e.refused, told)
	}
	e.dtlsPacket([]byte{22, 254, 253, 0})
	if e.dtls != nil {
		t.Error("another handshake was begun")
	}
}
