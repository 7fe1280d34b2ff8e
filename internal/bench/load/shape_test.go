package load_test

import (
	"math"
	"testing"
	"time"

	"tertulia/internal/bench/load"
)

// TestShapesHaveTheirRate: a recording is what it says, within a tenth.
func TestShapesHaveTheirRate(t *testing.T) {
	for _, kbps := range load.Rates {
		for _, name := range []string{"burst", "even"} {
			s := must[load.Shape](t)(load.LoadShape(name, kbps))
			if rate := s.Kbps(); math.Abs(rate-float64(kbps)) > 0.1*float64(kbps) {
				t.Errorf("%s at %d kbit/s has %.0f", name, kbps, rate)
			}
			if len(s.Tracks) != 1 || s.Length < 8*time.Second || s.PerSecond() <= 0 {
				t.Errorf("%s at %d: %d tracks, %v", name, kbps, len(s.Tracks), s.Length)
			}
		}
	}
	if s := must[load.Shape](t)(load.LoadShape("audio", 0)); s.PerSecond() < 45 || s.PerSecond() > 55 || s.PerFrame() != 0 {
		t.Errorf("Opus comes %.1f times a second", s.PerSecond())
	}
	if s := must[load.Shape](t)(load.LoadShape("tiles", 400)); len(s.Tracks) != 2 {
		t.Errorf("tiles have %d tracks", len(s.Tracks))
	}
	for _, c := range []struct {
		name string
		kbps int
	}{{"burst", 500}, {"square", 400}} {
		if _, err := load.LoadShape(c.name, c.kbps); err == nil {
			t.Errorf("%s at %d kbit/s was found", c.name, c.kbps)
		}
	}
}

// TestBurstsAreWhatTheBudgetsAssume: a frame of 2 Mbit/s is several packets within a millisecond, and inside it sizes go up
// by a byte or not at all. Even spacing has the same packets.
func TestBurstsAreWhatTheBudgetsAssume(t *testing.T) {
	burst := must[load.Shape](t)(load.LoadShape("burst", 2000))
	if n := burst.PerFrame(); n < 4 || n > 12 {
		t.Errorf("%.1f packets a frame", n)
	}
	inside, steps, apart := 0, 0, 0
	p := burst.Tracks[0].Packets
	for i := 1; i < len(p); i++ {
		if p[i-1].Marker {
			continue
		}
		inside++
		if step := p[i].Size - p[i-1].Size; step == 0 || step == 1 {
			steps++
		}
		if p[i].At-p[i-1].At > time.Millisecond {
			apart++
		}
	}
	if inside == 0 || steps < inside*95/100 || apart > inside/20 {
		t.Errorf("of %d packets behind another in a frame %d are as long or a byte longer, %d come more than 1 ms later", inside, steps, apart)
	}
	even := must[load.Shape](t)(load.LoadShape("even", 2000)).Tracks[0].Packets
	if len(even) != len(p) {
		t.Fatalf("%d packets evenly spaced, %d in bursts", len(even), len(p))
	}
	gap := even[1].At - even[0].At
	for i := 1; i < len(even); i++ {
		if d := even[i].At - even[i-1].At - gap; d.Abs() > time.Microsecond || even[i].Size != p[i].Size {
			t.Fatalf("packet %d comes %v too late, with %d bytes of %d", i, d, even[i].Size, p[i].Size)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h load.Histogram
	if h.Count() != 0 || h.Quantile(0.5) != 0 || h.Max() != 0 {
		t.Error("an empty histogram has something")
	}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Microsecond, 0.99: 990 * time.Microsecond, 1: time.Millisecond} {
		if got := h.Quantile(q); got < want*96/100 || got > want*104/100 {
			t.Errorf("quantile %v is %v, want %v within 4 %%", q, got, want)
		}
	}
	if h.Count() != 1000 || h.Max() != time.Millisecond {
		t.Errorf("%d, at most %v", h.Count(), h.Max())
	}
}
