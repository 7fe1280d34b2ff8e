package peer

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
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
