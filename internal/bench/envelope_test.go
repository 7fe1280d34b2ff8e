package bench

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"tertulia/internal/bench/load"
	"tertulia/internal/bench/machine"
)

// envelope is video of so many kbit/s and frames a second: each frame a burst of equal packets, as cameras with a hardware
// encoder send it.
func envelope(kbps, frames int) load.Shape {
	const size = 1200
	perSecond := kbps * 1000 / 8 / size
	video := load.Track{Kind: "video"}
	for f := range frames {
		first, behind := f*perSecond/frames, (f+1)*perSecond/frames
		for i := first; i < behind; i++ {
			at := time.Duration(f)*time.Second/time.Duration(frames) + time.Duration(i-first)*5*time.Microsecond
			video.Packets = append(video.Packets, load.Packet{At: at, Size: size, Marker: i == behind-1})
		}
	}
	return load.Shape{Name: "envelope", Length: time.Second, Tracks: []load.Track{video}}
}

// TestKMS_05a__HighBitrates: 1080p60 at 8 Mbit/s and 4K30 at 20 Mbit/s reach 20 viewers whole. With ENVELOPE_MINUTES each is
// sent for so many minutes, and the cost of a packet must stay within a tenth of its median.
func TestKMS_05a__HighBitrates(t *testing.T) {
	binary := program(t)
	windows, length := 2, time.Second
	if text := os.Getenv("ENVELOPE_MINUTES"); text != "" {
		minutes, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("ENVELOPE_MINUTES=%q: want a number", text)
		}
		windows, length = minutes, time.Minute
	}
	usable, err := machine.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ kbps, frames int }{"1080p60 at 8 Mbit/s": {8000, 60}, "4K30 at 20 Mbit/s": {20000, 30}} {
		t.Run(name, func(t *testing.T) {
			shape, kbps := envelope(c.kbps, c.frames), c.kbps
			l := newLab(binary, io.Discard)
			err := l.on(t.Context(), forwarding{ours, usable[:1], "gcm"}, func(ctx context.Context, s *stage) error {
				if err := s.fill(ctx, 1, 21, 1); err != nil {
					return err
				}
				var costs []float64
				for range windows {
					got, err := s.measure(ctx, scored(shape, kbps, "gcm"), length)
					if err != nil {
						return err
					}
					complete(t, got, 1, 20)
					costs = append(costs, got.Micros)
				}
				t.Logf("%s: %.2f µs per packet of 1,200 bytes", name, costs)
				if length == time.Minute {
					flat(t, costs)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func flat(t *testing.T, costs []float64) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(costs))
	middle := sorted[len(sorted)/2]
	for minute, cost := range costs {
		if cost < 0.9*middle || cost > 1.1*middle {
			t.Errorf("minute %d: %.2f µs per packet, the median is %.2f", minute+1, cost, middle)
		}
	}
}

// TestEnvelope has the rate and the frames it says.
func TestEnvelope(t *testing.T) {
	for _, c := range []struct{ kbps, frames int }{{8000, 60}, {20000, 30}} {
		s := envelope(c.kbps, c.frames)
		if rate := s.Kbps(); rate < 0.99*float64(c.kbps) || rate > float64(c.kbps) {
			t.Errorf("%d kbit/s are %.0f", c.kbps, rate)
		}
		markers := 0
		for _, p := range s.Tracks[0].Packets {
			if p.Marker {
				markers++
			}
		}
		if markers != c.frames {
			t.Errorf("%d frames, want %d", markers, c.frames)
		}
	}
}
