package receive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"tertulia/internal/media"
)

const (
	ssrc, rtxSSRC = 0x1111, 0x2222
	pt, rtxPT     = 96, 97
	ms            = media.Time(time.Millisecond)
)

// sink keeps a copy of what a track publishes.
type sink struct {
	sequences []uint64
	keyframes []bool
	payloads  [][]byte
	raw       [][]byte
}

func (s *sink) Forward(burst []media.Packet) {
	for _, p := range burst {
		s.sequences = append(s.sequences, p.Sequence-1<<16)
		s.keyframes = append(s.keyframes, p.Keyframe)
		s.payloads = append(s.payloads, bytes.Clone(p.Payload))
		s.raw = append(s.raw, bytes.Clone(p.Raw))
	}
}

// rig is a VP8 receiver that feeds a track with one sink.
type rig struct {
	*Receiver
	track *media.Track
	sink  *sink
	t     *testing.T
}

func newRig(t *testing.T, change func(*Config)) *rig {
	track := &media.Track{Kind: media.Video, Codec: media.Codec{Name: "vp8", ClockRate: 90000}}
	cfg := Config{
		Track: track, SSRC: ssrc, RTXSSRC: rtxSSRC, PayloadType: pt, RTXPayloadType: rtxPT, NACK: true, PLI: true,
	}
	if change != nil {
		change(&cfg)
	}
	g := &rig{Receiver: New(cfg), track: track, sink: &sink{}, t: t}
	track.SetSource(g.Receiver)
	track.Attach(g.sink)
	return g
}

func (g *rig) original(now media.Time, sequence uint16, payload ...byte) {
	g.t.Helper()
	if err := g.RTP(now, rtpPacket(ssrc, pt, sequence, uint32(now/ms)*90, payload...)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) rtx(now media.Time, sequence, original uint16, payload ...byte) {
	g.t.Helper()
	body := append(binary.BigEndian.AppendUint16(nil, original), payload...)
	if err := g.RTP(now, rtpPacket(rtxSSRC, rtxPT, sequence, uint32(now/ms)*90, body...)); err != nil {
		g.t.Fatal(err)
	}
}

func rtpPacket(ssrc uint32, pt uint8, sequence uint16, timestamp uint32, payload ...byte) []byte {
	raw := []byte{0x80, pt}
	raw = binary.BigEndian.AppendUint16(raw, sequence)
	raw = binary.BigEndian.AppendUint32(raw, timestamp)
	raw = binary.BigEndian.AppendUint32(raw, ssrc)
	return append(raw, payload...)
}

var (
	key   = []byte{0x10, 0x00, 1}
	delta = []byte{0x10, 0x01, 2}
)

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestPacketsArePublishedInArrivalOrder(t *testing.T) {
	g := newRig(t, nil)
	for _, s := range []uint16{65534, 65535, 1, 0, 2, 1} { // reordered over the wrap, and one doubled
		g.original(0, s, delta...)
	}
	equal(t, "sequences", g.sink.sequences, []uint64{65534, 65535, 65537, 65536, 65538})
	if s := g.Stats(); s.Duplicates != 1 || s.Packets != 5 || s.Octets != 15 {
		t.Errorf("stats = %+v", s)
	}
}

func TestKeyframeIsMarked(t *testing.T) {
	g := newRig(t, nil)
	g.original(ms, 1, key...)
	g.original(2*ms, 2, delta...)
	g.original(3*ms, 3)
	equal(t, "keyframes", g.sink.keyframes, []bool{true, false, false})
	if s := g.Stats(); s.Keyframes != 1 || s.Padding != 1 || s.Latest != 2*ms {
		t.Errorf("stats = %+v", s)
	}
}

func TestRTXIsTheOriginal(t *testing.T) {
	g := newRig(t, func(c *Config) { c.RTXSSRC = 0 })
	g.LearnRTX(ssrc) // nonsense, to be ignored
	g.LearnRTX(rtxSSRC)
	g.original(0, 10, key...)
	g.original(0, 12, delta...)
	g.rtx(0, 900, 11, delta...)
	g.rtx(0, 901, 11, delta...) // twice
	g.original(0, 11, delta...) // late
	g.rtx(0, 902, 4000)         // never heard of
	g.rtx(0, 903, 13, delta...) // not sent yet as far as we know
	equal(t, "sequences", g.sink.sequences, []uint64{10, 12, 11})
	h, err := media.ParseHeader(g.sink.raw[2])
	if err != nil || h.SSRC != ssrc || h.PayloadType != pt || h.Sequence != 11 || !bytes.Equal(g.sink.payloads[2], delta) {
		t.Errorf("restored %+v with %x, %v", h, g.sink.payloads[2], err)
	}
	if s := g.Stats(); s.Recovered != 1 || s.Duplicates != 2 || s.Stray != 2 {
		t.Errorf("stats = %+v", s)
	}
}

func TestRTXProbesAndScraps(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 1, key...)
	if err := g.RTP(0, rtpPacket(rtxSSRC, rtxPT, 1, 0)); err != nil {
		t.Errorf("probe without payload: %v", err)
	}
	if err := g.RTP(0, rtpPacket(rtxSSRC, rtxPT, 1, 0, 1)); !errors.Is(err, media.ErrTruncated) {
		t.Errorf("half an original sequence number: %v", err)
	}
	equal(t, "sequences", g.sink.sequences, []uint64{1})
}

func TestForeignPacketsAreRefused(t *testing.T) {
	g := newRig(t, nil)
	for name, raw := range map[string][]byte{
		"another SSRC":                rtpPacket(0x3333, pt, 1, 0, key...),
		"another payload type":        rtpPacket(ssrc, 100, 1, 0, key...),
		"RTX type on the first SSRC":  rtpPacket(ssrc, rtxPT, 1, 0, key...),
		"media type on the RTX SSRC":  rtpPacket(rtxSSRC, pt, 1, 0, key...),
		"SSRC 0, as an RTX not known": rtpPacket(0, rtxPT, 1, 0, key...),
	} {
		if err := g.RTP(0, raw); !errors.Is(err, media.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := g.RTP(0, []byte{1}); !errors.Is(err, media.ErrShort) {
		t.Errorf("one byte: %v", err)
	}
	if s := g.Stats(); s.Foreign != 5 || s.Malformed != 1 || len(g.sink.raw) != 0 {
		t.Errorf("stats = %+v", s)
	}
}

func TestPaddingIsNotPayload(t *testing.T) {
	g := newRig(t, nil)
	raw := rtpPacket(ssrc, pt, 1, 0, 0x10, 0, 7, 0, 0, 3)
	raw[0] |= 0x20
	if err := g.RTP(0, raw); err != nil {
		t.Fatal(err)
	}
	if got := g.sink.payloads[0]; !bytes.Equal(got, []byte{0x10, 0, 7}) {
		t.Errorf("payload = %x", got)
	}
}

func TestOnlyTheTracksSourcePublishes(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 1, key...)
	g.track.SetSource(nil)
	generation := g.track.Generation
	g.original(0, 2, delta...)
	g.original(0, 40000, key...)
	g.original(0, 40001, key...) // a restart of a source that is none
	equal(t, "sequences", g.sink.sequences, []uint64{1})
	if g.track.Generation != generation {
		t.Error("a former source changed the track's generation")
	}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	g := newRig(t, nil)
	g.track.Detach(g.sink)
	raw := rtpPacket(ssrc, pt, 0, 0, make([]byte, 1100)...)
	number, now := uint16(0), media.Time(0)
	receive := func() {
		binary.BigEndian.PutUint16(raw[2:], number)
		number++
		now += ms
		if err := g.RTP(now, raw); err != nil {
			t.Fatal(err)
		}
	}
	for range 5000 { // the cache finds its size
		receive()
	}
	if n := testing.AllocsPerRun(5000, receive); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkRTP(b *testing.B) {
	track := &media.Track{Kind: media.Video, Codec: media.Codec{Name: "VP8", ClockRate: 90000}}
	r := New(Config{Track: track, SSRC: ssrc, PayloadType: pt, NACK: true, PLI: true})
	track.SetSource(r)
	raw := rtpPacket(ssrc, pt, 0, 0, make([]byte, 1100)...)
	now := media.Time(0)
	b.ReportAllocs()
	for i := uint16(0); b.Loop(); i++ {
		binary.BigEndian.PutUint16(raw[2:], i)
		now += 4 * ms
		_ = r.RTP(now, raw)
	}
}

func FuzzRTP(f *testing.F) {
	padded := rtpPacket(ssrc, pt, 3, 0, 1, 2, 0xff)
	padded[0] |= 0x20
	f.Add(rtpPacket(ssrc, pt, 1, 0, key...), rtpPacket(rtxSSRC, rtxPT, 1, 0, 0, 1, 2), []byte{1})
	f.Add(rtpPacket(ssrc, pt, 65535, 0, key...), rtpPacket(ssrc, pt, 5, 1<<31), padded)
	f.Fuzz(func(t *testing.T, first, second, third []byte) {
		g := newRig(t, nil)
		for i, raw := range [][]byte{first, second, third, first, second} {
			now := media.Time(i) * 700 * ms
			_ = g.RTP(now, raw)
			g.Feedback(now, 1, nil)
			g.Report(now)
		}
		seen := map[uint64]bool{}
		for i, s := range g.sink.sequences {
			if seen[s] {
				t.Fatalf("sequence %d was published twice", s)
			}
			seen[s] = true
			if h, err := media.ParseHeader(g.sink.raw[i]); err != nil || h.SSRC != ssrc || h.Sequence != uint16(s) {
				t.Fatalf("published %x: %+v, %v", g.sink.raw[i], h, err)
			}
		}
	})
}
