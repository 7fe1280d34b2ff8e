package peer

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"tertulia/internal/media"
	"tertulia/internal/media/socket"
)

// seal makes an SRTP packet of the publisher's under any SSRC.
func (b *bench) seal(t testing.TB, h rtp.Header, payload []byte) []byte {
	t.Helper()
	h.Version = 2
	raw, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.far.EncryptRTP(nil, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// sealRTCP makes an SRTCP packet of the publisher's.
func (b *bench) sealRTCP(t testing.TB, packets ...rtcp.Packet) []byte {
	t.Helper()
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.far.EncryptRTCP(nil, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// TestSSRCsAreBounded: a client that is let in must not fill our memory by counting SSRCs up.
func TestSSRCsAreBounded(t *testing.T) {
	b := newBench(t, 1)
	e := b.shard.paths[b.key].endpoint
	const tried = 5000
	for i := range uint32(tried) {
		b.shard.packet(b.key, b.seal(t, rtp.Header{PayloadType: 20, SSRC: 1000 + i, SequenceNumber: 1}, []byte{1}))
		b.shard.packet(b.key, b.sealRTCP(t, &rtcp.ReceiverReport{SSRC: 1000 + i}))
	}
	if len(e.heardRTP) != maxSSRCs || len(e.heardRTCP) != maxSSRCs {
		t.Errorf("%d SSRCs of RTP and %d of RTCP are remembered, want %d each", len(e.heardRTP), len(e.heardRTCP), maxSSRCs)
	}
	for ssrc, want := range map[uint32]bool{1000: true, 1000 + maxSSRCs - 1: true, 1000 + maxSSRCs: false, 1000 + tried - 1: false} {
		if _, known := e.in.ROC(ssrc); known != want {
			t.Errorf("SSRC %d has a replay window: %v, want %v", ssrc, known, want)
		}
	}
	if b.shard.counters.UnknownSSRC < tried {
		t.Errorf("%d packets of unknown SSRCs counted", b.shard.counters.UnknownSSRC)
	}
}

// TestForgedSSRCsCostNothing: only what is authenticated is remembered.
func TestForgedSSRCsCostNothing(t *testing.T) {
	b := newBench(t, 0)
	e := b.shard.paths[b.key].endpoint
	for i := range uint32(200) {
		forged := b.seal(t, rtp.Header{PayloadType: 96, SSRC: 1000 + i}, []byte{1})
		forged[len(forged)-1] ^= 1
		b.shard.packet(b.key, forged)
		report := b.sealRTCP(t, &rtcp.ReceiverReport{SSRC: 1000 + i})
		report[len(report)-8] ^= 1
		b.shard.packet(b.key, report)
	}
	if len(e.heardRTP)+len(e.heardRTCP) != 0 || b.shard.counters.Forged != 400 {
		t.Errorf("%d and %d SSRCs remembered of 400 forged packets, %d of which counted", len(e.heardRTP), len(e.heardRTCP), b.shard.counters.Forged)
	}
}

// viewer opens what one viewer of a bench was sent, as a browser would: its own rollover counts, no packet twice.
type viewer struct {
	t        *testing.T
	keys     *srtp.Context
	endpoint *Endpoint
	opened   []rtp.Header
	failed   int
	reports  []rtcp.Packet
	indices  []uint32 // of SRTCP
}

func (b *bench) watch(t *testing.T) *viewer {
	t.Helper()
	v := &viewer{t: t, keys: keyed(t, srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))}
	for _, e := range b.shard.endpoints {
		if len(e.sections) > 0 && e.sections[0].source != nil {
			v.endpoint = e
		}
	}
	b.wire.take = func(m socket.Message) {
		if m.Remote == v.endpoint.selected.remote {
			v.take(m.Buf)
		}
	}
	return v
}

func (v *viewer) take(raw []byte) {
	if socket.Classify(raw) == socket.RTCP {
		plain, err := v.keys.DecryptRTCP(nil, raw, nil)
		if err != nil {
			v.t.Errorf("SRTCP: %v", err)
			return
		}
		packets, err := rtcp.Unmarshal(plain)
		if err != nil {
			v.t.Errorf("RTCP: %v", err)
		}
		v.reports = append(v.reports, packets...)
		v.indices = append(v.indices, binary.BigEndian.Uint32(raw[len(raw)-4:])&^(1<<31))
		return
	}
	if socket.Classify(raw) == socket.STUN {
		return
	}
	var h rtp.Header
	if _, err := v.keys.DecryptRTP(nil, raw, &h); err != nil {
		v.failed++
		return
	}
	v.opened = append(v.opened, h)
}

func (v *viewer) section() *section { return v.endpoint.sections[0] }

// send passes a number of packets through the shard, from the n-th on; each is a key frame.
func (b *bench) send(t *testing.T, from, count int) {
	t.Helper()
	for n := range count {
		b.shard.now += media.Time(time.Millisecond)
		b.shard.packet(b.key, b.packet(t, uint16(from+n)))
		b.shard.send()
	}
}

// TestRollover: more packets than 16 bits count, each opened by the viewer with its own rollover count.
func TestRollover(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	const count = 70000
	b.send(t, 1, count)
	if len(v.opened) != count || v.failed != 0 {
		t.Fatalf("the viewer opened %d of %d packets, %d failed", len(v.opened), count, v.failed)
	}
	if roc, _ := v.keys.ROC(v.section().send.SSRC); roc == 0 {
		t.Error("the numbers never went round")
	}
}

// TestRolloverOfRTX: the same for retransmissions, which have a count of their own.
func TestRolloverOfRTX(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	const count = 66000
	resent := 0
	for n := range count * 2 {
		b.send(t, n+1, 1)
		if n%2 == 0 {
			continue
		}
		last := v.opened[len(v.opened)-1]
		v.section().forwarder.NACK(b.shard.now, []rtcp.NackPair{{PacketID: last.SequenceNumber}})
		b.shard.send()
		if h := v.opened[len(v.opened)-1]; h.SSRC == v.section().send.RTX {
			resent++
		}
	}
	if resent != count || v.failed != 0 {
		t.Errorf("the viewer opened %d of %d retransmissions, %d failed", resent, count, v.failed)
	}
	if roc, _ := v.keys.ROC(v.section().send.RTX); roc != 1 {
		t.Errorf("RTX went round %d times, want once", roc)
	}
}

// TestRevivalAfterALongPause: a viewer without consent is not sent to, and its numbers must stand still meanwhile.
// Otherwise both ends would mistake a jump of half a cycle for old packets, and we would use nonces twice.
func TestRevivalAfterALongPause(t *testing.T) {
	for _, pause := range []int{100, 33000, 50000, 65535} {
		b := newBench(t, 1)
		v := b.watch(t)
		b.send(t, 1, 1000)
		v.endpoint.lapse("gone")
		b.send(t, 1001, pause)
		if len(v.opened) != 1000 {
			t.Fatalf("%d packets sent, of which %d without consent", len(v.opened), len(v.opened)-1000)
		}
		v.endpoint.checked(v.endpoint.selected, false)
		b.send(t, 1001+pause, 1000)
		if len(v.opened) != 2000 || v.failed != 0 {
			t.Fatalf("after a pause of %d the viewer opened %d of 1000 packets, %d failed", pause, len(v.opened)-1000, v.failed)
		}
		if before, after := v.opened[999], v.opened[1000]; after.SequenceNumber != before.SequenceNumber+1 {
			t.Errorf("number %d follows %d", after.SequenceNumber, before.SequenceNumber)
		}
	}
}

// TestSRTCPIndex counts up over all that is sent under an SSRC, and no index comes twice.
func TestSRTCPIndex(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	b.shard.packet(b.key, b.sealRTCP(t, &rtcp.SenderReport{SSRC: 1, NTPTime: 1 << 40, RTPTime: 1}))
	b.send(t, 1, 10)
	for range 300 {
		b.shard.now += sparse
		v.endpoint.consent = b.shard.now
		v.endpoint.tick(b.shard.now)
		b.shard.send()
	}
	if len(v.indices) != 300 || len(v.reports) != 600 {
		t.Fatalf("%d compounds with %d packets, want 300 of SR and SDES each", len(v.indices), len(v.reports))
	}
	for i := 1; i < len(v.indices); i++ {
		if v.indices[i] != v.indices[i-1]+1 {
			t.Fatalf("index %d follows %d", v.indices[i], v.indices[i-1])
		}
	}
}

// TestReplayedSRTCP: an RTCP packet of the client counts once.
func TestReplayedSRTCP(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	report := b.sealRTCP(t, &rtcp.PictureLossIndication{SenderSSRC: 9, MediaSSRC: v.section().send.SSRC})
	before := v.section().forwarder.Stats().KeyframeRequests
	for range 5 {
		b.shard.packet(v.endpoint.selected.pathKey, report)
	}
	if got := v.section().forwarder.Stats().KeyframeRequests - before; got != 1 || b.shard.counters.Replayed != 4 {
		t.Errorf("%d requests taken, %d replays counted; want 1 and 4", got, b.shard.counters.Replayed)
	}
}
