package receive

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"tertulia/internal/media"
)

func put(c *cache, now media.Time, sequence uint64, size int) []byte {
	raw := rtpPacket(ssrc, pt, uint16(sequence), 0, bytes.Repeat([]byte{byte(sequence)}, size)...)
	h, err := media.ParseHeader(raw)
	if err != nil {
		panic(err)
	}
	c.put(now, sequence, h, raw[:h.HeaderLen], raw[h.HeaderLen:])
	return raw
}

func TestCacheGivesBackWhatWasPut(t *testing.T) {
	for name, every := range map[string]media.Time{"slow": 40 * ms, "fast, so that it grows": ms / 4} {
		c := newCache(0, media.Video)
		random := rand.New(rand.NewPCG(1, 2))
		want := map[uint64][]byte{}
		for i := range uint64(20000) {
			sequence := 1<<16 + i
			want[sequence] = put(&c, media.Time(i)*every, sequence, random.IntN(1400))
			probe := sequence - random.Uint64N(1500)
			got, ok := c.get(probe)
			if ok && !bytes.Equal(got, want[probe]) {
				t.Fatalf("%s: packet %d is not what was put", name, probe)
			}
			if age := sequence - probe; !ok && want[probe] != nil && age < 40 {
				t.Fatalf("%s: packet %d is gone after %d others", name, probe, age)
			}
		}
		if len(c.ring) > c.limit {
			t.Errorf("%s: ring of %d bytes, limit %d", name, len(c.ring), c.limit)
		}
	}
}

// A second of any stream that the limit allows for stays there.
func TestCacheKeepsASecond(t *testing.T) {
	for _, bitrate := range []int{100_000, 2_000_000, 6_000_000} {
		c := newCache(0, media.Video)
		perSecond := bitrate / 8 / 1000
		for i := range uint64(10 * perSecond) {
			put(&c, media.Time(i)*1000*ms/media.Time(perSecond), 1<<16+i, 1000-12)
		}
		if _, ok := c.get(1<<16 + uint64(9*perSecond+1)); !ok {
			t.Errorf("at %d bit/s a packet of a second ago is gone; the ring has %d bytes", bitrate, len(c.ring))
		}
		if bitrate == 100_000 && len(c.ring) != videoRing {
			t.Errorf("a thumbnail's ring has grown to %d bytes", len(c.ring))
		}
	}
}

func TestCacheForgets(t *testing.T) {
	c := newCache(16, media.Audio)
	if c.ring != nil {
		t.Error("a ring before the first packet")
	}
	if _, ok := c.get(1 << 16); ok {
		t.Error("a packet was found in an empty cache")
	}
	put(&c, 0, 1<<16, 100)
	if _, ok := c.get(0); ok {
		t.Error("a packet was found under 0")
	}
	put(&c, 0, 1<<16+16, 100)
	if _, ok := c.get(1 << 16); ok {
		t.Error("a packet is found after its slot was taken")
	}
	for i := range uint64(12) {
		put(&c, media.Time(i)*1000*ms, 1<<16+17+i, 1400)
	}
	if _, ok := c.get(1<<16 + 16); ok {
		t.Error("a packet is found after the ring went round")
	}
	if !c.seen(1<<16 + 16) {
		t.Error("a packet whose bytes are gone was forgotten: it would be taken twice")
	}
}
