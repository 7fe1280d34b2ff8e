package load_test

import (
	"math"
	"testing"

	"tertulia/internal/bench/load"
)

// TestShapesAreWhatTheySay: recorded rates within a tenth, frames whole, rounds closed.
func TestShapesAreWhatTheySay(t *testing.T) {
	for _, kbps := range load.Rates {
		burst := must[load.Shape](t)(load.LoadShape("burst", kbps))
		even := must[load.Shape](t)(load.LoadShape("even", kbps))
		for _, s := range []load.Shape{burst, even} {
			if math.Abs(s.Kbps()/float64(kbps)-1) > 0.1 {
				t.Errorf("%s at %d kbit/s has %.0f", s.Name, kbps, s.Kbps())
			}
			p := s.Tracks[0].Packets
			if p[0].At != 0 || !p[len(p)-1].Marker || p[len(p)-1].At >= s.Length || s.Length.Seconds() < 9 || s.Length.Seconds() > 11 {
				t.Errorf("%s at %d kbit/s: from %v to %v in a round of %v", s.Name, kbps, p[0].At, p[len(p)-1].At, s.Length)
			}
		}
		if a, b := burst.Kbps(), even.Kbps(); math.Abs(a-b) > 1 {
			t.Errorf("burst has %.0f kbit/s, the same packets even %.0f", a, b)
		}
		p := even.Tracks[0].Packets
		step := p[1].At
		for i := 1; i < len(p); i++ {
			if d := p[i].At - p[i-1].At; d < step-1 || d > step+1 {
				t.Fatalf("even steps of %v and %v", step, d)
			}
		}
		if burst.PerFrame() < 1 || burst.PerSecond() < 10 {
			t.Errorf("%d kbit/s: %.2f packets a frame, %.0f a second", kbps, burst.PerFrame(), burst.PerSecond())
		}
	}
}

func TestShapesOfSound(t *testing.T) {
	audio := must[load.Shape](t)(load.LoadShape("audio", 0))
	if n := audio.PerSecond(); n < 49 || n > 51 || audio.PerFrame() != 0 {
		t.Errorf("%.1f packets of Opus a second", n)
	}
	tiles := must[load.Shape](t)(load.LoadShape("tiles", 400))
	video := must[load.Shape](t)(load.LoadShape("burst", 400))
	if len(tiles.Tracks) != 2 || math.Abs(tiles.Kbps()-video.Kbps()-audio.Kbps()) > 10 {
		t.Errorf("tiles have %.0f kbit/s, video %.0f and audio %.0f", tiles.Kbps(), video.Kbps(), audio.Kbps())
	}
	for _, track := range tiles.Tracks {
		if last := track.Packets[len(track.Packets)-1]; last.At >= tiles.Length || track.Kind == "video" && !last.Marker {
			t.Errorf("%s ends at %v of %v with marker %v", track.Kind, last.At, tiles.Length, last.Marker)
		}
	}
}

func TestUnknownShapes(t *testing.T) {
	for _, c := range []struct {
		name string
		kbps int
	}{{"burst", 300}, {"square", 400}, {"", 0}} {
		if _, err := load.LoadShape(c.name, c.kbps); err == nil {
			t.Errorf("%q at %d kbit/s is there", c.name, c.kbps)
		}
	}
}
