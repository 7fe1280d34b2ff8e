package receive

import (
	"bytes"
	"reflect"
	"testing"

	"tertulia/internal/media"
)

// tee gives a mirror what a rig's track publishes.
type tee struct {
	*Mirror
	from *media.Track
	now  media.Time
}

func (t *tee) Forward(burst []media.Packet) {
	for i := range burst {
		t.Take(t.now, &burst[i], StateOf(t.from))
	}
}

// newTee mirrors a rig; the mirror's track has a sink of its own. asked counts requests for key frames.
func newTee(g *rig) (m *tee, track *media.Track, seen *sink, asked *int) {
	track, seen, asked = &media.Track{Kind: g.track.Kind, Codec: g.track.Codec}, &sink{}, new(int)
	m = &tee{Mirror: NewMirror(track, 64, func() { *asked++ }), from: g.track}
	track.Attach(seen)
	g.track.Mirror(m)
	return m, track, seen, asked
}

func TestMirrorRepeats(t *testing.T) {
	g := newRig(t, nil)
	m, track, seen, _ := newTee(g)
	g.track.AudioLevelExt = 5
	for n := range uint16(40) {
		g.original(media.Time(n)*ms, 65520+n, 0x10, 0, byte(n&1), byte(n))
	}
	if !reflect.DeepEqual(seen, g.sink) || len(seen.sequences) != 40 {
		t.Errorf("the mirror published %v, the receiver %v", seen.sequences, g.sink.sequences)
	}
	for i, sequence := range seen.sequences {
		raw, ok := m.Cached(sequence + 1<<16)
		if !ok || !bytes.Equal(raw, seen.raw[i]) {
			t.Fatalf("packet %d: cached %x, %v; want %x", i, raw, ok, seen.raw[i])
		}
	}
	if track.AudioLevelExt != 5 || track.Source() != media.Source(m.Mirror) {
		t.Errorf("audio level %d, source %v", track.AudioLevelExt, track.Source())
	}
}

// probe keeps the last packet whole.
type probe struct{ media.Packet }

func (s *probe) Forward(burst []media.Packet) { s.Packet = burst[len(burst)-1] }

// TestMirrorLosesNothingOfAPacket: whatever a packet is told with here arrives there, but for the time of arrival.
func TestMirrorLosesNothingOfAPacket(t *testing.T) {
	sent := media.Packet{
		Raw:      append(rtpPacket(ssrc, pt, 7, 8, key...), 0, 0, 3),
		Sequence: 1<<16 + 7, Timestamp: 8, Marker: true, Keyframe: true, Level: 9, Arrival: 1,
	}
	sent.Raw[0] |= 0x20 // padding
	sent.Payload = sent.Raw[12 : len(sent.Raw)-3]
	track := &media.Track{Kind: media.Video}
	got := &probe{}
	m := NewMirror(track, 0, nil)
	track.Attach(got)
	m.Take(9, &sent, State{generation: 1})
	want := sent
	want.Arrival = 9
	if !reflect.DeepEqual(got.Packet, want) {
		t.Errorf("%+v, want %+v", got.Packet, want)
	}
	if &got.Raw[0] == &sent.Raw[0] {
		t.Error("the bytes are not the mirror's own")
	}
	for i := range reflect.TypeFor[media.Packet]().NumField() {
		name := reflect.TypeFor[media.Packet]().Field(i).Name
		if reflect.ValueOf(sent).Field(i).IsZero() && name != "Padded" { // that is made anew on the way out
			t.Errorf("the test does not set Packet.%s: set it, and carry it in Take", name)
		}
	}
	m.Take(9, &media.Packet{Raw: []byte{1}}, State{generation: 1})
	if got.Sequence != sent.Sequence {
		t.Error("what is not RTP was published")
	}
}

// TestMirrorFollowsSources: numbers that begin anew do so for the viewers, and old packets are not resent as new ones.
func TestMirrorFollowsSources(t *testing.T) {
	g := newRig(t, nil)
	m, track, seen, _ := newTee(g)
	g.original(0, 100, key...)
	g.original(0, 101, key...)
	before := track.Generation
	g.original(0, 102, key...)
	if track.Generation != before {
		t.Error("the generation changed without a new source")
	}
	second := New(Config{Track: g.track, SSRC: ssrc, PayloadType: pt})
	g.track.SetSource(second)
	if err := second.RTP(0, rtpPacket(ssrc, pt, 101, 1, 0x10, 0, 0, 77)); err != nil {
		t.Fatal(err)
	}
	if track.Generation != before+1 || len(seen.sequences) != 4 {
		t.Errorf("generation %d after %d, %d packets", track.Generation, before, len(seen.sequences))
	}
	for sequence, want := range map[uint64]bool{100: false, 101: true, 102: false} {
		raw, ok := m.Cached(1<<16 + sequence)
		if ok != want || ok && raw[len(raw)-1] != 77 {
			t.Errorf("packet %d is cached: %v, %x", sequence, ok, raw)
		}
	}
}

func TestMirrorTellsTheClock(t *testing.T) {
	g := newRig(t, nil)
	m, _, _, asked := newTee(g)
	g.original(1*ms, 1, key...)
	if _, _, _, ok := m.ClockAt(); ok {
		t.Error("a clock before the first sender report")
	}
	g.SenderReport(2*ms, 1<<40, 90, 0)
	g.original(3*ms, 2, key...)
	if ntp, stamp, arrival, ok := m.ClockAt(); !ok || ntp != 1<<40 || stamp != 90 || arrival != 2*ms {
		t.Errorf("clock %d %d %v %v", ntp, stamp, arrival, ok)
	}
	m.RequestKeyframe(4 * ms)
	if *asked != 1 {
		t.Errorf("%d key frames asked for", *asked)
	}
	// A track without source has no clock.
	g.track.SetSource(nil)
	if s := StateOf(g.track); s.clock.known {
		t.Errorf("state %+v", s)
	}
}

// TestMirrorOfSound asks for no key frames.
func TestMirrorOfSound(t *testing.T) {
	m := NewMirror(&media.Track{Kind: media.Audio}, 0, func() { t.Error("a key frame of sound") })
	m.RequestKeyframe(0)
}

func TestMirrorAllocatesNothing(t *testing.T) {
	track := &media.Track{Kind: media.Video}
	m := NewMirror(track, 64, nil)
	track.Attach(&probe{})
	p := &media.Packet{Raw: rtpPacket(ssrc, pt, 1, 1, make([]byte, 1000)...)}
	step := func() {
		p.Sequence++
		m.Take(0, p, State{generation: 1})
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}
