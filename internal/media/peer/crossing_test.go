package peer

import (
	"context"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
	"tertulia/internal/media/socket"
)

// wide is a bench on several shards: the publisher is on the first.
type wide []*bench

// newWide makes a shard for each number of viewers.
func newWide(t testing.TB, viewers ...int) wide {
	t.Helper()
	w := wide{newBench(t, viewers[0])}
	first := w[0].shard
	first.crossing.parcels = make([]*parcel, len(viewers))
	for i, count := range viewers[1:] {
		b := &bench{wire: &nowhere{}, far: w[0].far, key: w[0].key, track: w[0].track}
		config := first.config
		config.Socket = b.wire
		first.common.add(config, len(viewers))
		b.shard = first.shards[i+1]
		b.shard.now = first.now
		w = append(w, b)
		for n := range count {
			b.view(t, pathKey{remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 3, byte(i)}), uint16(n+1))})
		}
	}
	w.settle()
	return w
}

// view makes a viewer of the track on the bench's shard.
func (b *bench) view(t testing.TB, key pathKey) *Endpoint {
	t.Helper()
	e, codec := b.endpoint(t, key), sdp.Default("video")
	e.pwd = b.shard.iceKey.password(e.ufrag)
	sec := &section{endpoint: e, kind: "video", mid: "0", codec: codec, midExt: 4, timeExt: 2, transportExt: 3, source: b.track}
	sec.send = stream(e, codec)
	e.sections = []*section{sec}
	sec.attach(b.shard.now)
	return e
}

// end is what Run does at the end of a batch.
func (b *bench) end() {
	b.shard.runInbox()
	b.shard.send()
}

// settle lets all shards work until nothing is on its way.
func (w wide) settle() {
	for range 4 {
		for _, b := range w {
			b.end()
		}
	}
}

// later moves the clock of all shards.
func (w wide) later(d time.Duration) {
	for _, b := range w {
		b.shard.now += media.Time(d)
	}
}

// TestAPacketCrossesOnce for all viewers of a shard, in one parcel per batch.
func TestAPacketCrossesOnce(t *testing.T) {
	w := newWide(t, 10, 30, 20)
	for n := range uint16(8) {
		w[0].shard.packet(w[0].key, w[0].packet(t, n+1))
	}
	w[0].shard.send()
	for i, b := range w[1:] {
		if p := b.shard.waiting; len(p) != 1 || len(p[0].packets) != 8 || len(p[0].datagrams) != 0 {
			t.Fatalf("shard %d was handed %d parcels", i+1, len(p))
		}
	}
	w.settle()
	for i, viewers := range []int{10, 30, 20} {
		if got := w[i].wire.sent; got != 8*viewers {
			t.Errorf("shard %d sent %d datagrams to %d viewers, want 8 to each", i, got, viewers)
		}
	}
	if c := w[0].shard.counters; c.HandedOver != 16 || c.HandOverDropped != 0 {
		t.Errorf("%d packets handed over, %d dropped; want 16", c.HandedOver, c.HandOverDropped)
	}
}

// TestHandOverAllocatesNothing: what a packet to two shards costs is what it costs on one, and viewers cost none.
func TestHandOverAllocatesNothing(t *testing.T) {
	const runs = 200
	perPacket := func(viewers ...int) float64 {
		w := newWide(t, viewers...)
		packets := make([][]byte, runs+60)
		for i := range packets {
			packets[i] = w[0].packet(t, uint16(i))
		}
		next := 0
		step := func() {
			w[0].shard.packet(w[0].key, packets[next])
			for _, b := range w {
				b.end()
			}
			next++
		}
		for range 50 {
			step()
		}
		return testing.AllocsPerRun(runs, step)
	}
	one, two := perPacket(1), perPacket(50, 50)
	t.Logf("allocations per packet: %v on one shard, %v on two with 50 viewers each", one, two)
	if two > one {
		t.Errorf("%v allocations per packet on two shards, %v on one", two, one)
	}
}

// TestDatagramsCrossWithoutAllocation, those of an endpoint whose packets another shard reads.
func TestDatagramsCrossWithoutAllocation(t *testing.T) {
	w := newWide(t, 0, 0)
	key := pathKey{remote: netip.MustParseAddrPort("192.0.2.99:1")}
	w[1].shard.routes.to[key] = w[0].shard
	b := append([]byte{0x80, 96}, make([]byte, 1000)...)
	step := func() {
		for range 16 {
			w[1].shard.packet(key, b)
		}
		w[1].end()
		w[0].end()
	}
	for range 20 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations for 16 datagrams", n)
	}
	if got := w[0].shard.counters.Unauthenticated; got != 16*121 {
		t.Errorf("%d datagrams came, want %d", got, 16*121)
	}
}

// TestASlowShardLosesPackets rather than that others wait for it or fill its memory; then it goes on.
func TestASlowShardLosesPackets(t *testing.T) {
	loseToASlowShard(t, 8)  // many parcels
	loseToASlowShard(t, 80) // large ones
}

func loseToASlowShard(t *testing.T, batch uint16) {
	w := newWide(t, 1, 1)
	n := uint16(0)
	slow := w[1].shard
	for w[0].shard.counters.HandOverDropped == 0 {
		n++
		w[0].shard.packet(w[0].key, w[0].packet(t, n))
		if n%batch == 0 {
			w[0].shard.send()
		}
		if slow.weight > maxWaiting || len(slow.waiting) > maxWaitingParcels {
			t.Fatalf("%d bytes in %d parcels wait", slow.weight, len(slow.waiting))
		}
	}
	if got := w[0].shard.counters.HandOverDropped; got != uint64(batch) {
		t.Errorf("%d packets dropped of a parcel of %d", got, batch)
	}
	w[0].shard.send()
	if w[0].wire.sent != int(n) {
		t.Errorf("the viewer of the fast shard was sent %d of %d packets", w[0].wire.sent, n)
	}
	w.settle()
	before := w[1].wire.sent
	if before < 1000 || len(slow.spare) > maxSpare || slow.weight != 0 {
		t.Errorf("the slow shard has sent %d packets, %d parcels are spare, %d bytes wait", before, len(slow.spare), slow.weight)
	}
	for range 10 {
		n++
		w[0].shard.packet(w[0].key, w[0].packet(t, n))
		w.settle()
	}
	if got := w[1].wire.sent - before; got != 10 {
		t.Errorf("%d of 10 packets were sent afterwards", got)
	}
}

// TestEmptyParcelsHoldNothing: mirrors and links that have ended are let go.
func TestEmptyParcelsHoldNothing(t *testing.T) {
	w := newWide(t, 0, 1)
	key := pathKey{via: &link{}}
	w[0].shard.routes.to[key] = w[1].shard
	w[0].shard.packet(w[0].key, w[0].packet(t, 1))
	w[0].shard.packet(key, append([]byte{0x80, 96}, make([]byte, 100)...))
	w.settle()
	if len(w[1].shard.spare) == 0 {
		t.Fatal("no parcel was kept")
	}
	for _, p := range w[1].shard.spare {
		for _, d := range p.datagrams[:cap(p.datagrams)] {
			if d.from.via != nil {
				t.Error("a link is kept")
			}
		}
		for _, h := range p.packets[:cap(p.packets)] {
			if h.mirror != nil || h.packet.Raw != nil {
				t.Error("a mirror is kept")
			}
		}
	}
}

// TestNothingCrossesTwice, even where two shards believe that the other one has an endpoint.
func TestNothingCrossesTwice(t *testing.T) {
	w := newWide(t, 0, 0)
	key := pathKey{remote: netip.MustParseAddrPort("203.0.113.5:5")}
	w[0].shard.routes.to[key], w[1].shard.routes.to[key] = w[1].shard, w[0].shard
	w[0].shard.packet(key, append([]byte{0x80, 96}, make([]byte, 100)...))
	w.settle()
	if a, b := w[0].shard.counters, w[1].shard.counters; a.HandedOver != 1 || b.HandedOver != 0 || b.Unauthenticated != 1 {
		t.Errorf("%d crossed, and %d back", a.HandedOver, b.HandedOver)
	}
}

// TestAFullParcelLeavesEarly, in order with the next.
func TestAFullParcelLeavesEarly(t *testing.T) {
	w := newWide(t, 0, 1)
	v := w[1].watch(t)
	const count = 3 * parcelRoom / 1000
	for n := range uint16(count) {
		w[0].shard.packet(w[0].key, w[0].packet(t, n+1))
	}
	w.settle()
	v.contiguous(t, count)
}

// TestAnEndedShardTakesNothing, and what waited for it is let go.
func TestAnEndedShardTakesNothing(t *testing.T) {
	w := newWide(t, 0, 1)
	w[0].shard.packet(w[0].key, w[0].packet(t, 1))
	w[0].shard.send()
	ended := w[1].shard
	ended.mailbox.end()
	w[0].shard.packet(w[0].key, w[0].packet(t, 2))
	w[0].shard.send()
	if w[0].shard.counters.HandOverDropped != 1 || len(ended.waiting) != 0 || ended.post(func() { t.Error("ran after the end") }) {
		t.Errorf("%d dropped, %d wait", w[0].shard.counters.HandOverDropped, len(ended.waiting))
	}
	ended.runInbox()
}

// TestAMirrorIsLeftWithPacketsOnTheirWay: they find nobody, and the next viewer begins with a mirror of its own.
func TestAMirrorIsLeftWithPacketsOnTheirWay(t *testing.T) {
	w := newWide(t, 0, 2)
	w[0].shard.packet(w[0].key, w[0].packet(t, 1))
	w.settle()
	w[0].shard.packet(w[0].key, w[0].packet(t, 2))
	w[0].shard.send()
	for _, e := range w[1].shard.endpoints {
		e.state = Failed // no BYE
		e.release()
	}
	if len(w[1].shard.mirrors.of) != 0 {
		t.Error("the mirror outlives its viewers")
	}
	w.settle()
	w[0].shard.packet(w[0].key, w[0].packet(t, 3))
	w[0].shard.send()
	if sent := w[1].wire.sent; sent != 2 || len(w[1].shard.waiting) != 0 {
		t.Errorf("%d packets sent, want the first to two viewers; %d parcels wait", sent, len(w[1].shard.waiting))
	}
	w[1].view(t, pathKey{remote: netip.MustParseAddrPort("192.0.2.77:1")})
	w.settle()
	w[0].shard.packet(w[0].key, w[0].packet(t, 4))
	w.settle()
	if sent := w[1].wire.sent; sent != 3 {
		t.Errorf("%d packets sent, want one more", sent)
	}
}

// TestReportsAgreeAcrossShards: the viewers of both shards are told the publisher's clock, each on its own timeline, so
// that sound and picture stay in step whichever track crosses.
func TestReportsAgreeAcrossShards(t *testing.T) {
	w := newWide(t, 1, 1)
	here, there := w[0].watch(t), w[1].watch(t)
	w[0].shard.packet(w[0].key, w[0].sealRTCP(t, &rtcp.SenderReport{SSRC: 1, NTPTime: 77 << 32, RTPTime: 3000}))
	w[0].shard.packet(w[0].key, w[0].packet(t, 1)) // its timestamp is 3000
	w.settle()
	w.later(time.Duration(sparse))
	var reports []*rtcp.SenderReport
	for i, v := range []*viewer{here, there} {
		v.endpoint.tick(w[i].shard.now)
		w[i].end()
		if len(v.reports) == 0 || len(v.opened) != 1 {
			t.Fatalf("viewer %d was sent %d reports and %d packets", i, len(v.reports), len(v.opened))
		}
		r := v.reports[0].(*rtcp.SenderReport)
		if got := r.RTPTime - v.opened[0].Timestamp; got != 90000 {
			t.Errorf("viewer %d: a second after the packet its timestamp is %d further", i, got)
		}
		reports = append(reports, r)
	}
	if a, b := reports[0].NTPTime, reports[1].NTPTime; a != b || a != 78<<32 {
		t.Errorf("clocks %x and %x, want %x", a, b, uint64(78<<32))
	}
}

// TestNACKIsAnsweredHere: the viewer's own shard resends, without a word to the publisher's.
func TestNACKIsAnsweredHere(t *testing.T) {
	w := newWide(t, 0, 1)
	v := w[1].watch(t)
	for n := range uint16(10) {
		w[0].shard.packet(w[0].key, w[0].packet(t, n+1))
	}
	w.settle()
	lost := v.opened[4]
	nack := w[1].sealRTCP(t, &rtcp.TransportLayerNack{MediaSSRC: lost.SSRC, Nacks: []rtcp.NackPair{{PacketID: lost.SequenceNumber}}})
	w[1].shard.packet(v.endpoint.selected.pathKey, nack)
	w[1].shard.send()
	if len(v.opened) != 11 || v.opened[10].SSRC != v.section().send.RTX || v.opened[10].Timestamp != lost.Timestamp {
		t.Errorf("%d packets sent, the last %+v", len(v.opened), v.opened[len(v.opened)-1])
	}
}

// TestWishesForKeyFramesCrossOnce at a time, whatever the viewers send.
func TestWishesForKeyFramesCrossOnce(t *testing.T) {
	w := newWide(t, 0, 5)
	w[0].shard.packet(w[0].key, w[0].packet(t, 1))
	w.settle()
	in := w[0].shard.paths[w[0].key].endpoint.sections[0]
	w.later(time.Second)
	for range 10 {
		for _, e := range w[1].shard.endpoints {
			pli := w[1].sealRTCP(t, &rtcp.PictureLossIndication{MediaSSRC: e.sections[0].send.SSRC})
			w[1].shard.packet(e.selected.pathKey, pli)
		}
	}
	if got := len(w[0].shard.inbox); got != 1 {
		t.Errorf("%d requests are on their way, want 1", got)
	}
	w.settle()
	if got := in.receiver.Feedback(w[0].shard.now, 9, nil); len(got) != 1 {
		t.Errorf("the publisher is told %v, want a PLI", got)
	}
}

// TestMirrorsFollowTheSource: an SSRC that changes is a new source on the other shard, too.
func TestMirrorsFollowTheSource(t *testing.T) {
	w := newWide(t, 0, 1)
	v := w[1].watch(t)
	w[0].from(t, 1, 100, 20)
	w.settle()
	w[0].from(t, 50, 40000, 20)
	w.settle()
	v.contiguous(t, 40)
}

// TestCountersAddUp, every one of them.
func TestCountersAddUp(t *testing.T) {
	var one, sum Counters
	v := reflect.ValueOf(&one).Elem()
	for i := range v.NumField() {
		v.Field(i).SetUint(uint64(i + 1))
	}
	sum.add(&one)
	sum.add(&one)
	for i := range v.NumField() {
		if got := reflect.ValueOf(sum).Field(i).Uint(); got != 2*uint64(i+1) {
			t.Errorf("%s: %d, want %d", v.Type().Field(i).Name, got, 2*(i+1))
		}
	}
}

// BenchmarkForward200On2 is BenchmarkForward200 with half of the viewers on another shard; both shards' work counts.
func BenchmarkForward200On2(b *testing.B) { benchmarkWide(b, 100, 100) }

// BenchmarkForward200On1 is the same with all of them on one.
func BenchmarkForward200On1(b *testing.B) { benchmarkWide(b, 200) }

func benchmarkWide(b *testing.B, viewers ...int) {
	b.ReportAllocs()
	w := newWide(b, viewers...)
	packets := make([][]byte, 8000)
	for i := range packets {
		packets[i] = w[0].packet(b, uint16(i))
	}
	total := 0
	for _, n := range viewers {
		total += n
	}
	b.ResetTimer()
	for i := range b.N {
		if i%len(packets) == 0 && i > 0 {
			b.StopTimer()
			w = newWide(b, viewers...)
			b.StartTimer()
		}
		w[0].shard.packet(w[0].key, packets[i%len(packets)])
		for _, s := range w {
			s.end()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(total), "ns/forwarded")
}

// sleeper is a socket that nothing comes to; what is sent is only noted.
type sleeper struct {
	socket.Conn
	sent chan struct{}
}

func (s *sleeper) WriteBatch([]socket.Message) int { s.sent <- struct{}{}; return 0 }

// BenchmarkHandOver is the way of a packet through a shard that sleeps when it comes: hand-over, wake-up, mirror, viewer.
func BenchmarkHandOver(b *testing.B) {
	w := newWide(b, 0, 1)
	conn, err := socket.Listen(b.Context(), "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &sleeper{Conn: conn, sent: make(chan struct{}, 8)}
	far := w[1].shard
	far.config.Socket, far.mailbox.socket = s, s
	far.out.socket = s
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- far.Run(ctx) }()
	b.ResetTimer()
	for i := range b.N {
		w[0].shard.packet(w[0].key, w[0].packet(b, uint16(i))) // sealing it counts, too
		w[0].end()
		<-s.sent
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
