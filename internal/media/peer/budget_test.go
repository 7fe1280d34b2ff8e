package peer

import (
	"io"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"tertulia/internal/media"
)

// The most an endpoint that watches audio and video may hold once its client is known. RSS is some two and a half times
// the heap (GOGC), and its budget is 40 KiB.
const (
	mostHeap    = 14 << 10
	mostObjects = 70
)

// TestEndpointBudget counts what real endpoints with real guests hold: bytes, objects, goroutines, and nothing of DTLS.
func TestEndpointBudget(t *testing.T) {
	certificate := selfSigned(t)
	h := openHall(t, fingerprintOf(certificate.Certificate[0]).Value)
	visit := func(n int) {
		g, err := enter(h.config.Socket.LocalAddr(), h.seat(t, n), certificate)
		if err != nil {
			t.Fatal(err)
		}
		for !h.proven(t, n+1) { // a report may come before the server has the keys
			if err := g.report(); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	visit(0) // what all have in common
	const many = 60
	h.tasks.Wait()
	before, running := kept(), runtime.NumGoroutine()
	for n := range many {
		visit(n + 1)
	}
	h.tasks.Wait() // handshakes, which are over
	after := kept()
	heap, objects := (int64(after.heap)-int64(before.heap))/many, (int64(after.object)-int64(before.object))/many
	t.Logf("%d bytes and %d objects per endpoint", heap, objects)
	if heap > mostHeap || objects > mostObjects {
		t.Errorf("%d bytes and %d objects per endpoint, at most %d and %d", heap, objects, mostHeap, mostObjects)
	}
	if heap < 2<<10 {
		t.Errorf("%d bytes per endpoint: that cannot be all", heap)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); runtime.NumGoroutine() > running+2; { // the last guest's may be on their way out
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d endpoints have %d goroutines", many, runtime.NumGoroutine()-running)
		}
	}
}

// proven tells whether at least n endpoints have heard a packet under their keys.
func (h *hall) proven(t testing.TB, n int) bool {
	t.Helper()
	have := 0
	if err := h.Do(t.Context(), func() {
		for _, e := range h.endpoints {
			if e.proven && e.state == Connected && e.dtls == nil {
				have++
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	return have >= n
}

// TestUnprovenDTLSIsReleased after a while, though the client goes on with its checks; and its late hellos start nothing.
func TestUnprovenDTLSIsReleased(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	ended := 0
	e.proven, e.keyed = false, b.shard.now
	e.dtls = &handshake{end: func() { ended++ }}
	for now := e.keyed; now < e.keyed+2*proveWithin; now += sparse {
		b.shard.now, e.consent = now, now
		e.tick(now)
		if early := now-e.keyed < proveWithin; early != (e.dtls != nil) || early == (ended > 0) {
			t.Fatalf("after %d s: there %v, ended %d times", (now-e.keyed)/second, e.dtls != nil, ended)
		}
	}
	e.remote.Fingerprints = append(e.remote.Fingerprints, b.shard.fingerprint)
	b.shard.packet(at(1), hello)
	if e.dtls != nil || ended != 1 || e.state != Connected {
		t.Errorf("a late hello: %v, ended %d times, state %s", e.dtls, ended, e.state)
	}
}

// TestProvenDTLSIsGarbage: the first packet under the keys frees the handshake and all it held.
func TestProvenDTLSIsGarbage(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	v.endpoint.proven = false
	conn := new(dtls.Conn)
	gone := weak.Make(conn)
	v.endpoint.dtls = &handshake{end: func() { runtime.KeepAlive(conn) }}
	runtime.GC()
	if gone.Value() == nil {
		t.Fatal("it is gone before the proof")
	}
	b.shard.packet(v.endpoint.selected.pathKey, b.packet(t, 1))
	runtime.GC()
	if !v.endpoint.proven || gone.Value() != nil {
		t.Errorf("proven %v, gone %v", v.endpoint.proven, gone.Value() == nil)
	}
}

// TestSilentPublisherRests: one from which nothing comes ticks once a second; a wish, a loss or an arrival wakes it in
// time, and when that is done it rests again.
func TestSilentPublisherRests(t *testing.T) {
	b := newBench(t, 1)
	b.watch(t)
	publisher := b.shard.paths[b.key].endpoint
	b.from(t, 1, 1, 1)
	settle := func(most int) (ticks int) { // lets 3 s pass and counts
		t.Helper()
		for end := b.shard.now + 3*second; ; ticks++ {
			at, ok := b.shard.due.next()
			if !ok || at > end || ticks > 1000 {
				b.shard.now = end
				if ticks > most || !ok {
					t.Fatalf("%d ticks in 3 s, want %d at most", ticks, most)
				}
				return ticks
			}
			b.shard.now = at
			publisher.consent = at
			b.shard.due.run(at)
		}
	}
	b.shard.due.put(publisher, b.shard.now)
	settle(6)
	if n := settle(4); n < 3 {
		t.Errorf("%d ticks in 3 s: reports are missing", n)
	}

	delay := func() media.Time { return publisher.due - b.shard.now }
	numbered := func(h *rtp.Header) {
		if err := h.SetExtension(3, []byte{0, 2}); err != nil {
			t.Fatal(err)
		}
	}
	b.from(t, 1, 2, 1, numbered)
	if d := delay(); d > arrivalsEvery {
		t.Errorf("arrivals are told in %d ms", d/1e6)
	}
	settle(6)
	b.from(t, 1, 10, 1)
	if d := delay(); d > frequent {
		t.Errorf("a loss is told in %d ms", d/1e6)
	}
	b.shard.now += 3 * second
	b.shard.due.run(b.shard.now) // asked for once more, and given up
	b.from(t, 1, 11, 1)          // a key frame
	settle(8)
	for _, sec := range publisher.sections {
		sec.receiver.RequestKeyframe(b.shard.now)
	}
	if d := delay(); d > frequent {
		t.Errorf("a wish for a key frame is told in %d ms", d/1e6)
	}
}

// TestProofThatOvertakes: the first report of a client that came before its keys were taken proves them all the same;
// one is kept, and none without a handshake.
func TestProofThatOvertakes(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, at(1))
	in := e.in
	e.in, e.proven = nil, false
	report := b.sealRTCP(t, &rtcp.ReceiverReport{SSRC: 1})
	b.shard.packet(at(1), report)
	if e.proof != nil || b.shard.counters.BeforeKeys != 1 {
		t.Fatalf("kept without a handshake: %v, %d dropped", e.proof != nil, b.shard.counters.BeforeKeys)
	}
	e.dtls = &handshake{end: func() {}}
	b.shard.packet(at(1), report)
	b.shard.packet(at(1), report)
	if e.proof == nil || b.shard.counters.BeforeKeys != 2 {
		t.Fatalf("kept: %v, %d dropped", e.proof != nil, b.shard.counters.BeforeKeys)
	}
	e.in = in
	e.prove()
	if !e.proven || e.dtls != nil || e.proof != nil || e.packetsIn != 1 {
		t.Errorf("proven %v, DTLS there %v, report there %v, %d packets", e.proven, e.dtls != nil, e.proof != nil, e.packetsIn)
	}

	// A handshake that fails leaves nothing.
	e.in, e.proven, e.out = nil, false, nil
	e.dtls = &handshake{end: func() {}}
	b.shard.packet(at(1), report)
	e.shaken(nil, stateOfNobody, io.EOF)
	if e.proof != nil || e.proven {
		t.Errorf("after a failure: proven %v, report there %v", e.proven, e.proof != nil)
	}
}
