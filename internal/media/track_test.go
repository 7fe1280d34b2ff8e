package media_test

import (
	"testing"

	"tertulia/internal/media"
)

// counter counts packets, and leaves the track at its first if it is told to.
type counter struct {
	packets int
	leaves  *media.Track
}

func (c *counter) Forward(burst []media.Packet) {
	c.packets += len(burst)
	if c.leaves != nil {
		c.leaves.Detach(c)
	}
}

func TestPublishReachesEverySinkOnce(t *testing.T) {
	track := &media.Track{}
	stays, leaves, last := &counter{}, &counter{leaves: track}, &counter{}
	for _, s := range []*counter{stays, leaves, last, stays} {
		track.Attach(s)
	}
	track.Publish(&media.Packet{})
	track.Publish(&media.Packet{})
	if stays.packets != 2 || leaves.packets != 1 || last.packets != 2 {
		t.Errorf("packets = %d, %d, %d", stays.packets, leaves.packets, last.packets)
	}
	track.Detach(leaves) // again
	track.Detach(last)
	track.Publish(&media.Packet{})
	if stays.packets != 3 || last.packets != 2 {
		t.Errorf("packets after the last left = %d, %d", stays.packets, last.packets)
	}
}

// asked is a source that counts requests.
type asked struct{ keyframes int }

func (a *asked) RequestKeyframe(media.Time)                  { a.keyframes++ }
func (a *asked) Cached(uint64) ([]byte, bool)                { return nil, false }
func (a *asked) ClockAt() (uint64, uint32, media.Time, bool) { return 0, 0, 0, false }

func TestSourceComesAndGoes(t *testing.T) {
	track, source := &media.Track{}, &asked{}
	track.RequestKeyframe(0) // nobody to ask
	track.SetSource(source)
	track.RequestKeyframe(0)
	track.SetSource(nil)
	track.RequestKeyframe(0)
	if source.keyframes != 1 || track.Generation != 2 || track.Source() != nil {
		t.Errorf("%d requests, generation %d, source %v", source.keyframes, track.Generation, track.Source())
	}
}

func TestKindIsNamed(t *testing.T) {
	if media.Audio.String() != "audio" || media.Video.String() != "video" || media.Kind(0).String() != "unknown" {
		t.Error("a kind has another name")
	}
}
