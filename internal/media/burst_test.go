package media_test

import (
	"slices"
	"testing"

	"tertulia/internal/media"
)

// log keeps what tracks hand over, in order.
type log struct {
	kind   string
	bursts *[]string
	sizes  [][]int
	padded []bool
}

func (l *log) Forward(burst []media.Packet) {
	*l.bursts = append(*l.bursts, l.kind)
	var sizes []int
	for _, p := range burst {
		sizes = append(sizes, len(p.Payload))
		l.padded = append(l.padded, p.Padded)
		if p.Padded && p.Payload[len(p.Payload)-1] != 1 {
			panic("padding of another length")
		}
	}
	l.sizes = append(l.sizes, sizes)
}

// published are two tracks of one turn, each with a sink.
type published struct {
	turn         media.Turn
	audio, video *media.Track
	heard, seen  *log
	order        []string
}

func newPublished() *published {
	p := &published{}
	p.audio, p.video = &media.Track{Kind: media.Audio, Turn: &p.turn}, &media.Track{Kind: media.Video, Turn: &p.turn}
	p.heard, p.seen = &log{kind: "audio", bursts: &p.order}, &log{kind: "video", bursts: &p.order}
	p.audio.Attach(p.heard)
	p.video.Attach(p.seen)
	return p
}

// packet has a payload of that size, with room for a byte of padding as the receive cache leaves it.
func packetOf(size int, timestamp uint32) *media.Packet {
	raw := make([]byte, size+1)
	raw[size] = 1
	return &media.Packet{Payload: raw[:size], Timestamp: timestamp}
}

func TestATurnSendsAudioFirst(t *testing.T) {
	p := newPublished()
	for range 3 {
		p.video.Publish(packetOf(1000, 1))
	}
	p.audio.Publish(packetOf(80, 1))
	if len(p.order) != 0 || p.turn.Empty() {
		t.Fatal("something left before the turn was flushed")
	}
	p.turn.Flush()
	if !slices.Equal(p.order, []string{"audio", "video"}) || len(p.seen.sizes[0]) != 3 || !p.turn.Empty() {
		t.Errorf("order %v, video %v", p.order, p.seen.sizes)
	}
	p.turn.Flush()
	if len(p.order) != 2 {
		t.Error("a turn was sent twice")
	}
	p.video.Publish(packetOf(1000, 2))
	p.turn.Flush()
	if len(p.seen.sizes) != 2 || len(p.seen.sizes[1]) != 1 {
		t.Errorf("the next turn sent %v", p.seen.sizes)
	}
}

// TestLongBurstsLeaveEarly: the receive cache must not go round under a burst.
func TestLongBurstsLeaveEarly(t *testing.T) {
	p := newPublished()
	for range 40 {
		p.video.Publish(packetOf(1000, 1))
		p.audio.Publish(packetOf(1000, 1))
	}
	p.turn.Flush()
	sum := func(l *log, longest int) (n int) {
		for _, burst := range l.sizes {
			n += len(burst)
			if len(burst) > longest {
				t.Errorf("a burst of %d packets of %s", len(burst), l.kind)
			}
		}
		return n
	}
	if sum(p.seen, 16) != 40 || sum(p.heard, 4) != 40 {
		t.Errorf("video %v, audio %v: want 40 packets each", p.seen.sizes, p.heard.sizes)
	}
}

// TestPadding: within a frame the packets become equal where one byte does it.
func TestPadding(t *testing.T) {
	for name, c := range map[string]struct{ sizes, want []int }{
		"steps by one":    {[]int{1100, 1100, 1101, 1101}, []int{1101, 1101, 1101, 1101}},
		"two steps":       {[]int{1099, 1100, 1101}, []int{1099, 1101, 1101}},
		"descending":      {[]int{1101, 1100}, []int{1101, 1100}},
		"far apart":       {[]int{1100, 1150}, []int{1100, 1150}},
		"never the empty": {[]int{0, 1}, []int{0, 1}},
	} {
		p := newPublished()
		for _, size := range c.sizes {
			p.video.Publish(packetOf(size, 7))
		}
		p.turn.Flush()
		if !slices.Equal(p.seen.sizes[0], c.want) {
			t.Errorf("%s: %v, want %v", name, p.seen.sizes[0], c.want)
		}
		for i, padded := range p.seen.padded {
			if padded != (c.want[i] != c.sizes[i]) {
				t.Errorf("%s: packet %d padded: %v", name, i, padded)
			}
		}
	}
}

func TestPaddingStaysWithinAFrame(t *testing.T) {
	p := newPublished()
	p.video.Publish(packetOf(1100, 1))
	p.video.Publish(packetOf(1101, 2))
	full := packetOf(1101, 2)
	full.Payload = slices.Clip(packetOf(1100, 2).Payload[:1100]) // no room behind it: the publisher's own padding is there
	p.video.Publish(full)
	p.video.Publish(packetOf(1101, 2))
	p.turn.Flush()
	if want := []int{1100, 1101, 1100, 1101}; !slices.Equal(p.seen.sizes[0], want) {
		t.Errorf("%v, want %v", p.seen.sizes[0], want)
	}
}

// TestANewSourceEndsTheBurst: what came before belongs to the numbers before.
func TestANewSourceEndsTheBurst(t *testing.T) {
	p := newPublished()
	p.video.Publish(packetOf(10, 1))
	generation := p.video.Generation
	p.video.Renew()
	if len(p.seen.sizes) != 1 || p.video.Generation != generation+1 {
		t.Errorf("bursts %v, generation %d", p.seen.sizes, p.video.Generation)
	}
	p.video.Publish(packetOf(10, 2))
	p.video.SetSource(&asked{})
	p.turn.Flush()
	if len(p.seen.sizes) != 2 {
		t.Errorf("bursts %v", p.seen.sizes)
	}
}

func TestPublishingAllocatesNothing(t *testing.T) {
	p := newPublished()
	p.video.Detach(p.seen)
	p.video.Attach(&counter{})
	packet := packetOf(1000, 1)
	step := func() {
		for range 8 {
			p.video.Publish(packet)
		}
		p.turn.Flush()
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations per turn", n)
	}
}

// TestMirrorsComeFirst: another shard can begin while this one is busy with its own viewers, and gets each packet once.
func TestMirrorsComeFirst(t *testing.T) {
	p := newPublished()
	mirror := &log{kind: "mirror", bursts: &p.order}
	p.video.Mirror(mirror)
	p.video.Publish(packetOf(1000, 1))
	p.turn.Cross()
	p.video.Publish(packetOf(1001, 1))
	p.turn.Cross()
	p.turn.Cross()
	p.turn.Flush()
	if !slices.Equal(p.order, []string{"mirror", "mirror", "video"}) {
		t.Errorf("order %v", p.order)
	}
	if len(mirror.sizes[0]) != 1 || len(mirror.sizes[1]) != 1 || len(p.seen.sizes[0]) != 2 {
		t.Errorf("the mirror got %v, the viewer %v", mirror.sizes, p.seen.sizes)
	}
	p.video.Unmirror(mirror)
	p.video.Detach(p.seen)
	p.video.Publish(packetOf(1000, 2))
	if !p.turn.Empty() {
		t.Error("a track without sinks waits")
	}
}
