package peer

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"tertulia/internal/media/socket"
)

// idler is a connected endpoint that carries no media, and what its client sends.
type idler struct {
	bench    *bench
	endpoint *Endpoint
	key      pathKey
	check    []byte
	reports  [][]byte // of a second each
}

func newIdler(t testing.TB, seconds int) *idler {
	t.Helper()
	b := newBench(t, 1)
	i := &idler{bench: b, key: pathKey{remote: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), 1)}}
	i.endpoint = b.shard.paths[i.key].endpoint
	e := i.endpoint
	i.check = stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(e.ufrag+":test"),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.NewShortTermIntegrity(e.pwd), stun.Fingerprint).Raw
	far := keyed(t)
	raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 9, Reports: []rtcp.ReceptionReport{{SSRC: e.sections[0].send.SSRC}}}})
	if err != nil {
		t.Fatal(err)
	}
	for range seconds {
		sealed, err := far.EncryptRTCP(nil, raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		i.reports = append(i.reports, sealed)
	}
	return i
}

// second is what one endpoint costs in a second: its client's report, two of five seconds a check, and a tick.
func (i *idler) second() {
	i.bench.shard.packet(i.key, i.reports[0])
	i.reports = i.reports[1:]
	if len(i.reports)%5 < 2 {
		i.bench.shard.packet(i.key, i.check)
	}
	i.pass()
}

// pass lets a second pass.
func (i *idler) pass() {
	s := i.bench.shard
	s.now += second
	s.due.put(i.endpoint, s.now)
	s.due.run(s.now + wheelStep)
	s.out.flush()
}

// least is how many allocations f makes at the least: pion/stun takes its hashes from a sync.Pool, which loses some on
// purpose when the race detector watches.
func least(f func()) float64 {
	fewest := testing.AllocsPerRun(1, f)
	for range 100 {
		fewest = min(fewest, testing.AllocsPerRun(1, f))
	}
	return fewest
}

// TestIdleAllocates: an endpoint without media costs no memory as time goes by. pion/srtp takes 16 bytes to open a
// report.
func TestIdleAllocates(t *testing.T) {
	const seconds = 202 // least's
	i := newIdler(t, seconds+10)
	for range 5 {
		i.second()
	}
	i.bench.wire.sent = 0
	if n := least(i.second); n > 1 {
		t.Errorf("%v allocations per second", n)
	}
	if i.bench.wire.sent < seconds*2/5-5 || i.endpoint.packetsIn < seconds {
		t.Fatalf("%d answers to checks, %d reports taken", i.bench.wire.sent, i.endpoint.packetsIn)
	}
	if n := least(i.pass); n > 0 {
		t.Errorf("%v allocations per tick", n)
	}
	// Two hashes are pion/stun's: it takes nothing for them, except when the race detector watches.
	key, request := stun.NewShortTermIntegrity(i.endpoint.pwd), &stun.Message{Raw: slices.Clone(i.check)}
	if err := request.Decode(); err != nil {
		t.Fatal(err)
	}
	hash := least(func() { _ = key.Check(request) })
	if n := least(func() { i.bench.shard.packet(i.key, i.check); i.bench.shard.out.flush() }); n > 2*hash {
		t.Errorf("%v allocations per check, of which %v are the hashes'", n, 2*hash)
	}
	if c := i.bench.shard.counters; c != (Counters{}) {
		t.Errorf("refused: %+v", c)
	}
}

// TestAnswersAreAuthentic: what grant writes is what pion/stun reads, for both families.
func TestAnswersAreAuthentic(t *testing.T) {
	for _, from := range []string{"192.0.2.77:65535", "[2001:db8::77]:1"} {
		b := newBench(t, 0)
		e := b.endpoint(t, at(1))
		var got *stun.Message
		b.wire.take = func(m socket.Message) {
			got = &stun.Message{Raw: slices.Clone(m.Buf)}
		}
		request := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(e.ufrag+":test"),
			stun.NewShortTermIntegrity(e.pwd), stun.Fingerprint)
		for range 2 { // the second finds the traces of the first
			b.shard.packet(pathKey{remote: netip.MustParseAddrPort(from)}, request.Raw)
		}
		b.shard.out.flush()
		var mapped stun.XORMappedAddress
		if got == nil || got.Decode() != nil || got.Type != stun.BindingSuccess || got.TransactionID != request.TransactionID {
			t.Fatalf("the answer is %v", got)
		}
		if err := mapped.GetFrom(got); err != nil || mapped.String() != from {
			t.Errorf("mapped address %v (%v), want %s", mapped, err, from)
		}
		if err := stun.NewShortTermIntegrity(e.pwd).Check(got); err != nil {
			t.Error(err)
		}
		if err := stun.Fingerprint.Check(got); err != nil {
			t.Error(err)
		}
	}
}

// TestReportsAllocate, those of a viewer and those of a publisher, no more than pion/srtp does to seal one.
func TestReportsAllocate(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	b.from(t, 1, 1, 3)
	publisher := b.shard.paths[b.key].endpoint
	publisher.sections[0].receiver.SenderReport(b.shard.now, 1<<60, 1000, 0)
	b.shard.out.flush()
	sent := b.wire.sent
	for _, e := range []*Endpoint{publisher, v.endpoint} {
		e.report(b.shard.now)
	}
	b.shard.out.flush()
	if b.wire.sent != sent+2 {
		t.Fatalf("%d reports sent, want 2", b.wire.sent-sent)
	}
	b.wire.take = nil // it decrypts, which allocates
	for name, e := range map[string]*Endpoint{"publisher": publisher, "viewer": v.endpoint} {
		if n := testing.AllocsPerRun(100, func() { e.report(b.shard.now); b.shard.out.flush() }); n > 1 {
			t.Errorf("a report of the %s: %v allocations", name, n)
		}
	}
}

// BenchmarkIdle is the part of an idle second that is not the socket's.
func BenchmarkIdle(b *testing.B) {
	i := newIdler(b, 100000)
	all := i.reports
	b.ReportAllocs()
	for b.Loop() {
		if len(i.reports) == 0 {
			b.StopTimer()
			i = newIdler(b, len(all))
			b.StartTimer()
		}
		i.second()
	}
}
