package peer

import (
	"strings"
	"testing"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
)

var stateOfNobody dtls.State

// from publishes count packets of an SSRC, each a key frame, 10 ms apart; n is the first number.
func (b *bench) from(t *testing.T, ssrc uint32, n uint16, count int, extensions ...func(*rtp.Header)) {
	t.Helper()
	for range count {
		b.shard.now += second / 100
		h := rtp.Header{PayloadType: 96, SSRC: ssrc, SequenceNumber: n, Timestamp: uint32(n) * 900, Marker: true}
		for _, set := range extensions {
			set(&h)
		}
		b.shard.packet(b.key, b.seal(t, h, []byte{0x90, 0x80, 0x80, byte(n), 0, 1, 2, 3}))
		b.shard.send()
		n++
	}
}

// contiguous fails the test where the viewer's stream has a seam.
func (v *viewer) contiguous(t *testing.T, want int) {
	t.Helper()
	if len(v.opened) != want {
		t.Fatalf("the viewer was sent %d packets, want %d", len(v.opened), want)
	}
	for i := 1; i < len(v.opened); i++ {
		a, b := v.opened[i-1], v.opened[i]
		if b.SequenceNumber != a.SequenceNumber+1 || int32(b.Timestamp-a.Timestamp) <= 0 || b.SSRC != a.SSRC {
			t.Fatalf("packet %d: number %d after %d, timestamp %d after %d", i, b.SequenceNumber, a.SequenceNumber, b.Timestamp, a.Timestamp)
		}
	}
}

// TestSSRCChanges without a word, and back; the viewer sees one stream.
func TestSSRCChanges(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	b.from(t, 1, 100, 20)
	b.from(t, 50, 40000, 20)
	v.contiguous(t, 40)
	b.from(t, 1, 120, 3) // late ones
	v.contiguous(t, 40)
	b.from(t, 50, 40020, 5)
	v.contiguous(t, 45)
	b.shard.now += handover
	b.from(t, 1, 123, 20)
	v.contiguous(t, 65)
	e := b.shard.paths[b.key].endpoint
	if sec := e.sections[0]; b.track.Source() != media.Source(sec.receiver) || sec.receiver != e.sources[1].receiver {
		t.Error("reports and the track follow different receivers")
	}
}

// TestSSRCChangesAreBounded: at most two receivers, with their caches, stay per section, and the changes have an end.
func TestSSRCChangesAreBounded(t *testing.T) {
	b := newBench(t, 1)
	e := b.shard.paths[b.key].endpoint
	for i := range uint32(40) {
		b.from(t, 50+i, uint16(1000*i), 2)
		receivers := map[any]bool{}
		for _, src := range e.sources {
			receivers[src.receiver] = true
		}
		if len(receivers) > 2 {
			t.Fatalf("after %d changes %d receivers are kept", i+1, len(receivers))
		}
	}
	if e.undeclared != maxUndeclared || b.shard.counters.UnknownSSRC == 0 {
		t.Errorf("%d SSRCs learned, %d packets of unknown ones", e.undeclared, b.shard.counters.UnknownSSRC)
	}
}

// TestMIDTellsTheSection, and a payload type that is no section's is nobody's.
func TestMIDTellsTheSection(t *testing.T) {
	b := newBench(t, 1)
	v := b.watch(t)
	mid := func(value string) func(*rtp.Header) {
		return func(h *rtp.Header) { _ = h.SetExtension(4, []byte(value)) }
	}
	b.from(t, 60, 1, 1, mid("0"), func(h *rtp.Header) { h.PayloadType = 20 })
	b.from(t, 61, 1, 1, func(h *rtp.Header) { h.PayloadType = 21 })
	if b.shard.counters.UnknownSSRC != 2 {
		t.Errorf("%d packets of nobody, want 2", b.shard.counters.UnknownSSRC)
	}
	b.from(t, 62, 1, 3, mid("0"))
	v.contiguous(t, 3)
	b.from(t, 63, 4, 3, mid("9")) // another's MID, but the payload type is ours
	v.contiguous(t, 6)
}

// TestRTXIsLearned by payload type, only once there is something to repair.
func TestRTXIsLearned(t *testing.T) {
	b := newBench(t, 1)
	e := b.shard.paths[b.key].endpoint
	sec := e.sections[0]
	sec.receiver, e.sources = nil, map[uint32]*source{}
	rtx := func(h *rtp.Header) { h.PayloadType = 97 }
	b.from(t, 70, 1, 1, rtx)
	if len(e.sources) != 0 {
		t.Fatal("RTX without an original was learned")
	}
	b.from(t, 71, 1, 2)
	b.from(t, 72, 1, 1, rtx)
	if src := e.sources[72]; src == nil || !src.repair || src.receiver != sec.receiver {
		t.Errorf("the SSRC of RTX is %+v", src)
	}
}

// TestSenderReportOfRTX says nothing about the stream's clock.
func TestSenderReportOfRTX(t *testing.T) {
	b := newBench(t, 1)
	b.from(t, 1, 1, 2)
	b.shard.packet(b.key, b.sealRTCP(t, &rtcp.SenderReport{SSRC: 2, NTPTime: 5, RTPTime: 5}))
	if _, _, _, ok := b.track.Source().ClockAt(); ok {
		t.Error("the clock was taken from RTX")
	}
	b.shard.packet(b.key, b.sealRTCP(t, &rtcp.SenderReport{SSRC: 1, NTPTime: 7, RTPTime: 8}))
	if ntp, stamp, _, ok := b.track.Source().ClockAt(); !ok || ntp != 7 || stamp != 8 {
		t.Errorf("clock %d %d %v", ntp, stamp, ok)
	}
}

const answered = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" +
	"a=fingerprint:sha-256 AA:BB\r\na=setup:active\r\na=group:BUNDLE 1\r\n"

// TestAdopt: of an offer of ours holds what the answer repeats.
func TestAdopt(t *testing.T) {
	full := "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=mid:1\na=recvonly\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\n" +
		"a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\na=extmap:4 " + sdp.ExtMID + "\n"
	for name, c := range map[string]struct {
		answer string
		ok     bool
		rtx    uint8
		nack   bool
	}{
		"all of it":       {full, true, 97, true},
		"no RTX":          {strings.ReplaceAll(full, "rtx/90000", "ulpfec/90000"), true, 0, true},
		"RTX elsewhere":   {strings.ReplaceAll(strings.ReplaceAll(full, ":97", ":98"), " 97", " 98"), true, 0, true},
		"no NACK":         {strings.Replace(full, "a=rtcp-fb:96 nack\n", "", 1), true, 97, false},
		"inactive":        {strings.Replace(full, "recvonly", "inactive", 1), false, 0, false},
		"rejected":        {strings.Replace(full, "video 9", "video 0", 1), false, 0, false},
		"another codec":   {strings.Replace(full, "VP8", "VP9", 1), false, 0, false},
		"another payload": {strings.ReplaceAll(strings.ReplaceAll(full, ":96", ":100"), " 96", " 100"), false, 0, false},
	} {
		d, err := sdp.Parse(answered + c.answer)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sec := &section{kind: "video", mid: "1", codec: sdp.Default("video"), send: sdp.Stream{SSRC: 1, RTX: 2}}
		ok := sec.adopt(&d.Sections[0])
		if ok != c.ok {
			t.Errorf("%s: adopted %v", name, ok)
		}
		if ok && (sec.codec.RTX != c.rtx || (sec.send.RTX != 0) != (c.rtx != 0) || sec.codec.Has("nack") != c.nack || sec.midExt != 4) {
			t.Errorf("%s: %+v", name, sec)
		}
	}
}
