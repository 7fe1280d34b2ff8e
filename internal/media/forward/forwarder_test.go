package forward

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"tertulia/internal/media"
)

const ms = media.Time(time.Millisecond)

// source is a media.Source under the test's thumb.
type source struct {
	asked  []media.Time
	cached map[uint64][]byte
	ntp    uint64
	rtp    uint32
	at     media.Time
	clock  bool
}

func (s *source) RequestKeyframe(now media.Time) { s.asked = append(s.asked, now) }

func (s *source) Cached(sequence uint64) ([]byte, bool) {
	raw, ok := s.cached[sequence]
	return raw, ok
}

func (s *source) ClockAt() (uint64, uint32, media.Time, bool) { return s.ntp, s.rtp, s.at, s.clock }

// rig is a forwarder whose track is fed by hand.
type rig struct {
	*Forwarder
	t      *testing.T
	track  *media.Track
	source *source
	sent   []rtp.Packet
	raw    [][]byte
}

func newRig(t *testing.T, codec string, change func(*Config)) *rig {
	g := &rig{t: t, track: &media.Track{Kind: media.Video, Codec: media.Codec{Name: codec, ClockRate: 90000}}}
	if codec == "opus" {
		g.track.Kind, g.track.Codec.ClockRate = media.Audio, 48000
	}
	cfg := Config{
		Track: g.track, SSRC: 0xaaaa, RTXSSRC: 0xbbbb, PayloadType: 100, RTXPayloadType: 101, NACK: true,
		Out: PlainOut(func(raw []byte) {
			var p rtp.Packet
			if err := p.Unmarshal(bytes.Clone(raw)); err != nil {
				t.Fatal(err)
			}
			g.sent, g.raw = append(g.sent, p), append(g.raw, bytes.Clone(raw))
		}),
	}
	if change != nil {
		change(&cfg)
	}
	g.connect()
	g.Forwarder = New(cfg)
	g.track.Attach(g.Forwarder)
	return g
}

// connect gives the track a new source.
func (g *rig) connect() {
	g.source = &source{cached: map[uint64][]byte{}}
	g.track.SetSource(g.source)
}

// publish sends a packet from the source and returns what reached the viewer: none or one.
func (g *rig) publish(now media.Time, sequence uint64, timestamp uint32, keyframe bool, payload ...byte) *rtp.Packet {
	g.t.Helper()
	raw := binary.BigEndian.AppendUint16([]byte{0x80, 0x80 | 96}, uint16(sequence))
	raw = binary.BigEndian.AppendUint32(raw, timestamp)
	raw = append(binary.BigEndian.AppendUint32(raw, 0x5555), payload...)
	return g.publishRaw(now, sequence, timestamp, keyframe, raw, len(raw)-len(payload))
}

func (g *rig) publishRaw(now media.Time, sequence uint64, timestamp uint32, keyframe bool, raw []byte, header int) *rtp.Packet {
	g.t.Helper()
	g.source.cached[sequence] = raw
	before := len(g.sent)
	p := media.Packet{
		Raw: raw, Payload: raw[header:], Sequence: sequence, Timestamp: timestamp, Marker: true, Keyframe: keyframe,
		Level: media.Silence, Arrival: now,
	}
	h, err := media.ParseHeader(raw)
	if err != nil {
		g.t.Fatal(err)
	}
	if level := h.Extension(g.track.AudioLevelExt); len(level) > 0 {
		p.Level = level[0]
	}
	g.track.Publish(&p)
	switch len(g.sent) - before {
	case 0:
		return nil
	case 1:
		return &g.sent[before]
	}
	g.t.Fatalf("packet %d went out %d times", sequence, len(g.sent)-before)
	return nil
}

func TestVideoStartsAtAKeyframe(t *testing.T) {
	g := newRig(t, "VP8", nil)
	if g.publish(10*ms, 100000, 0, false, 1) != nil || g.publish(20*ms, 100001, 0, false, 1) != nil {
		t.Error("sent before a key frame")
	}
	if g.publish(30*ms, 100002, 0, true) != nil {
		t.Error("started with a packet without payload")
	}
	if len(g.source.asked) != 1 || g.source.asked[0] != 10*ms {
		t.Errorf("asked for a key frame at %v, want once at 10 ms", g.source.asked)
	}
	p := g.publish(40*ms, 100003, 777, true, 0x10, 0, 5)
	if p == nil {
		t.Fatal("a key frame was not sent")
	}
	if p.SSRC != 0xaaaa || p.PayloadType != 100 || !p.Marker || p.Timestamp != 777 || !bytes.Equal(p.Payload, []byte{0x10, 0, 5}) {
		t.Errorf("sent %v", p)
	}
	if p.SequenceNumber >= 1<<15 {
		t.Errorf("started at %d, not in the lower half", p.SequenceNumber)
	}
	if s := g.Stats(); s.Waiting != 3 || s.Packets != 1 || s.Starts != 1 || s.Octets != 3 {
		t.Errorf("stats = %+v", s)
	}
	g.KeyframeRequested(50 * ms)
	if len(g.source.asked) != 2 || g.Stats().KeyframeRequests != 1 {
		t.Error("the viewer's PLI was not passed on")
	}
}

func TestAudioStartsAtOnce(t *testing.T) {
	g := newRig(t, "opus", nil)
	if g.publish(0, 70000, 5, true, 1, 2) == nil {
		t.Error("the first audio packet was not sent")
	}
}

// start publishes a key frame with in and returns the offset of the numbers that followed.
func (g *rig) start(in uint64) (offset uint16) {
	g.t.Helper()
	p := g.publish(0, in, 0, true, 0x10, 0, 1)
	if p == nil {
		g.t.Fatal("not started")
	}
	return p.SequenceNumber - uint16(in)
}

func TestGapsAndOrderAreKept(t *testing.T) {
	g := newRig(t, "VP8", nil)
	offset := g.start(65535 + 1<<16)
	for _, in := range []uint64{1, 5, 4, 2, 7} {
		p := g.publish(0, 2<<16+in, 0, false, 1)
		if p == nil || p.SequenceNumber != uint16(in)+offset {
			t.Fatalf("packet %d went out as %v, want %d", in, p, uint16(in)+offset)
		}
	}
	if g.publish(0, 65534+1<<16, 0, false, 1) != nil {
		t.Error("sent a packet from before the start")
	}
	if s := g.Stats(); s.Late != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestPaddingIsLeftOut(t *testing.T) {
	g := newRig(t, "VP8", nil)
	const base = 5 << 16
	offset := g.start(base)
	number := func(p *rtp.Packet) int {
		if p == nil {
			return -1
		}
		return int(p.SequenceNumber - offset)
	}
	for _, c := range []struct {
		in      uint64
		padding bool
		want    int
	}{
		{1, false, 1},
		{2, true, -1}, {3, true, -1}, // left out
		{4, false, 2},
		{7, true, -1}, // 5 and 6 are missing
		{9, false, 6}, // 8 is, too
		{5, false, 3}, // and comes late
		{8, false, 5},
		{6, true, 4},   // late: the viewer waits for it
		{3, true, -1},  // doubled
		{7, false, -1}, // never happens; its place is taken
		{10, false, 7},
	} {
		payload := []byte{1}
		if c.padding {
			payload = nil
		}
		if got := number(g.publish(0, base+c.in, 0, false, payload...)); got != c.want {
			t.Fatalf("packet %d went out as %d, want %d", c.in, got, c.want)
		}
	}
}

func TestManyBurstsOfPadding(t *testing.T) {
	g := newRig(t, "VP8", nil)
	offset := g.start(1 << 16)
	for i := range uint64(100) {
		g.publish(0, 1<<16+2*i+1, 0, false)
		if p := g.publish(0, 1<<16+2*i+2, 0, false, 1); p == nil || p.SequenceNumber-offset != uint16(i+1) {
			t.Fatalf("after %d bursts: %v", i+1, p)
		}
	}
	if g.publish(0, 1<<16+3, 0, false, 1) != nil {
		t.Error("sent a packet whose place nobody knows any more")
	}
}

// A publisher that reconnects has other numbers throughout; the viewer must not notice.
func TestSourceChangeHasNoSeam(t *testing.T) {
	g := newRig(t, "VP8", nil)
	g.publish(0, 100000, 4000000000, true, 0x90, 0xe0, 0xff, 0xfe, 0xff, 0, 0x10) // picture id 32766, TL0 255
	last := g.publish(0, 100001, 4000003000, false, 0x90, 0xe0, 0xff, 0xff, 0xff, 0, 0x11)
	g.connect()
	if g.publish(990*ms, 1<<16, 50, false, 0x90, 0xe0, 0x80, 0x08, 0x06, 0, 0x11) != nil {
		t.Error("sent before the new source's key frame")
	}
	if len(g.source.asked) != 1 {
		t.Error("the new source was not asked for a key frame")
	}
	p := g.publish(1000*ms, 1<<16+1, 70, true, 0x90, 0xe0, 0x80, 0x09, 0x07, 0, 0x10)
	if p == nil {
		t.Fatal("not started again")
	}
	if p.SequenceNumber != last.SequenceNumber+1 || p.Timestamp != last.Timestamp+90000 {
		t.Errorf("went on from %d at %d with %d at %d", last.SequenceNumber, last.Timestamp, p.SequenceNumber, p.Timestamp)
	}
	if want := []byte{0x90, 0xe0, 0x80, 0x00, 0x00, 0, 0x10}; !bytes.Equal(p.Payload, want) {
		t.Errorf("payload %x, want %x", p.Payload, want)
	}
	p = g.publish(1033*ms, 1<<16+2, 70+3000, false, 0x90, 0xe0, 0x80, 0x0a, 0x07, 0, 0x11)
	if want := []byte{0x90, 0xe0, 0x80, 0x01, 0x00, 0, 0x11}; p.Timestamp != last.Timestamp+93000 || !bytes.Equal(p.Payload, want) {
		t.Errorf("then %d, %x", p.Timestamp, p.Payload)
	}
	if g.Stats().Starts != 2 {
		t.Errorf("stats = %+v", g.Stats())
	}
}

func TestRestartOfASourceRebases(t *testing.T) {
	g := newRig(t, "opus", nil)
	first := *g.publish(0, 1<<16, 100, true, 1)
	g.track.Renew() // as receive does when the numbers jump
	p := g.publish(20*ms, 9<<16, 5, true, 1)
	if p.SequenceNumber != first.SequenceNumber+1 || p.Timestamp != first.Timestamp+960 {
		t.Errorf("%v after %v", p, first)
	}
}

func TestOversizePacketsDoNotPanic(t *testing.T) {
	g := newRig(t, "VP8", func(c *Config) { c.Buffer = make([]byte, 10) })
	p := g.publish(0, 1<<16, 0, true, make([]byte, media.MaxPacketSize-12)...)
	if p == nil || len(p.Payload) != media.MaxPacketSize-12 {
		t.Error("the largest packet was not sent whole")
	}
}

func TestForwardingAllocatesNothing(t *testing.T) {
	for _, asIs := range []bool{false, true} {
		f, p := benchForwarder(asIs)
		f.Forward(p)
		p[0].Keyframe = false
		if n := testing.AllocsPerRun(1000, func() {
			p[0].Sequence++
			f.Forward(p)
		}); n != 0 {
			t.Errorf("%v allocations per packet", n)
		}
	}
}

func BenchmarkForward(b *testing.B) {
	f, p := benchForwarder(false)
	f.Forward(p)
	p[0].Keyframe = false
	b.ReportAllocs()
	for b.Loop() {
		p[0].Sequence++
		f.Forward(p)
	}
}

// nowhere is an Out that takes packets and drops them.
type nowhere struct{ room [2048]byte }

func (o *nowhere) Room() []byte             { return o.room[:] }
func (o *nowhere) Send(int, []byte, uint32) {}

func benchForwarder(asIs bool) (*Forwarder, []media.Packet) {
	track := &media.Track{Kind: media.Video, Codec: media.Codec{Name: "VP8", ClockRate: 90000}}
	transport := uint16(0)
	cfg := Config{
		Track: track, SSRC: 1, RTXSSRC: 2, PayloadType: 96, RTXPayloadType: 97, MID: "1", MIDExt: 4,
		AbsSendTimeExt: 2, TransportCCExt: 3, NACK: true, Out: &nowhere{},
		TransportSequence: &transport,
	}
	if asIs {
		cfg.RTXSSRC = 0
	}
	raw := make([]byte, 1112)
	raw[0] = 0x80
	return New(cfg), []media.Packet{{Raw: raw, Payload: raw[12:], Sequence: 1 << 16, Keyframe: true, Arrival: 1}}
}

// TestPause: a viewer that could not be sent to goes on at a key frame, with the next number and a later timestamp.
func TestPause(t *testing.T) {
	g := newRig(t, "VP8", nil)
	before := *g.publish(0, 1<<16, 9000, true, 0x10)
	g.track.Detach(g.Forwarder)
	g.Pause()
	if g.publish(10*ms, 1<<16+1, 9900, false, 1) != nil {
		t.Error("sent while detached")
	}
	g.track.Attach(g.Forwarder)
	if g.publish(20*ms, 1<<16+50000, 90000, false, 1) != nil {
		t.Error("went on without a key frame")
	}
	if len(g.source.asked) != 1 {
		t.Errorf("asked %d times for a key frame", len(g.source.asked))
	}
	after := g.publish(1000*ms, 1<<16+50001, 99000, true, 0x10)
	if after.SequenceNumber != before.SequenceNumber+1 || after.Timestamp-before.Timestamp != 90000 {
		t.Errorf("number %d after %d, timestamp moved by %d", after.SequenceNumber, before.SequenceNumber, after.Timestamp-before.Timestamp)
	}
	if g.Stats().Starts != 2 {
		t.Errorf("%d starts", g.Stats().Starts)
	}
}
