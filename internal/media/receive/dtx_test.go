package receive

import (
	"testing"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

// opus is a receiver of sound.
func opus(t *testing.T) *rig {
	t.Helper()
	return newRig(t, func(c *Config) {
		c.Track.Kind, c.Track.Codec = media.Audio, media.Codec{Name: "opus", ClockRate: 48000, Channels: 2}
		c.PLI = false
	})
}

func (g *rig) sound(now media.Time, sequence uint16) {
	g.t.Helper()
	if err := g.RTP(now, rtpPacket(ssrc, pt, sequence, uint32(now/ms)*48, 0xfc)); err != nil {
		g.t.Fatal(err)
	}
}

// TestDTX: in silence Opus sends a packet every 400 ms, and its numbers go on by one. None of that is loss, jitter or
// a new stream.
func TestDTX(t *testing.T) {
	g := opus(t)
	now, n := media.Time(0), uint16(65500)
	talk := func(packets int, every media.Time) {
		for range packets {
			g.sound(now, n)
			now += every
			n++
		}
	}
	var asked []rtcp.Packet
	for range 5 {
		talk(50, 20*ms)
		asked = g.Feedback(now, 1, asked)
		talk(20, 400*ms)
		asked = g.Feedback(now, 1, asked)
	}
	st := g.Stats()
	if len(asked) != 0 || st.Restarts != 0 || st.Suspicious != 0 || st.Lost != 0 || st.Packets != 350 {
		t.Errorf("asked for %v; %+v", asked, st)
	}
	if st.Jitter > 1e6 {
		t.Errorf("jitter %v of a steady stream", st.Jitter)
	}
	if report := g.Report(now); report.FractionLost != 0 || report.TotalLost != 0 {
		t.Errorf("report %+v", report)
	}
}

// TestLongSilence: a microphone muted for ten minutes goes on where it was; the pause is no jitter.
func TestLongSilence(t *testing.T) {
	g := opus(t)
	for i := range 10 {
		g.sound(media.Time(i)*20*ms, uint16(i))
	}
	back := 10 * 60 * 1000 * ms
	for i := range 10 {
		g.sound(back+media.Time(i)*20*ms, uint16(10+i))
	}
	st := g.Stats()
	if st.Packets != 20 || st.Restarts != 0 || st.Lost != 0 || st.Jitter > 1e6 {
		t.Errorf("%+v", st)
	}
	if g.track.Generation != 1 {
		t.Errorf("generation %d: viewers were told of a new stream", g.track.Generation)
	}
	equal(t, "the last packet", g.sink.sequences[19:], []uint64{19})
}

// TestLossBeforeSilence is not asked for after it: nobody waits for sound of ten minutes ago.
func TestLossBeforeSilence(t *testing.T) {
	g := opus(t)
	g.sound(0, 1)
	g.sound(10*60*1000*ms, 5)
	if asked := g.Feedback(10*60*1000*ms, 1, nil); len(asked) != 0 {
		t.Errorf("asked for %v", asked)
	}
	g.sound(10*60*1000*ms+20*ms, 7)
	if got := nacked(t, g.Feedback(10*60*1000*ms+20*ms, 9, nil)); len(got) != 1 || got[0] != 6 {
		t.Errorf("asked for %v, want 6", got)
	}
}

// TestAudioNeverAsksForKeyframes, whoever wishes one.
func TestAudioNeverAsksForKeyframes(t *testing.T) {
	g := opus(t)
	g.sound(0, 1)
	g.RequestKeyframe(0)
	if asked := g.Feedback(0, 1, nil); len(asked) != 0 {
		t.Errorf("asked for %v", asked)
	}
}

// TestCached gives viewers the publisher's packet, and nothing that was never there.
func TestCached(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 7, key...)
	raw, ok := g.Cached(1<<16 | 7)
	if !ok || string(raw[12:]) != string(key) {
		t.Errorf("cached %x, %v", raw, ok)
	}
	for _, n := range []uint64{0, 7, 1<<16 | 8, 2<<16 | 7} {
		if raw, ok := g.Cached(n); ok {
			t.Errorf("number %d is cached: %x", n, raw)
		}
	}
}

// TestDefaultCaches have the sizes the documentation says.
func TestDefaultCaches(t *testing.T) {
	for _, c := range []struct {
		packets int
		kind    media.Kind
		want    int
	}{{0, media.Video, 1024}, {0, media.Audio, 128}, {1, media.Video, 1}, {500, media.Video, 512}, {1 << 20, media.Audio, 16384}} {
		cache := newCache(c.packets, c.kind)
		if got := len(cache.slots); got != c.want {
			t.Errorf("%d packets of %s: %d slots, want %d", c.packets, c.kind, got, c.want)
		}
	}
}
