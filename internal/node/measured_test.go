package node_test

import (
	"testing"

	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// TestLOSS_22__FrameRateIsMeasured, of what comes: neither is the 30 that every client announces by default.
func TestLOSS_22__FrameRateIsMeasured(t *testing.T) {
	l, ctx := start(t, 0)
	for name, rate := range map[string]int32{"alice": 15, "bob": 24} {
		c := testkit.NewClient(t, testkit.ClientConfig{})
		c.FrameRate.Store(rate)
		l.publish(ctx, name, c, false)
	}
	measured := map[string]int{}
	for len(measured) < 2 {
		select {
		case e := <-l.events:
			if e.Type == mediactl.Measured {
				measured[e.Endpoint] = e.FrameRate
			}
		case <-ctx.Done():
			t.Fatalf("measured %v: %v", measured, ctx.Err())
		}
	}
	near := func(got, want int) bool { return got >= want-3 && got <= want+3 } // this machine has other work
	if !near(measured["alice"], 15) || !near(measured["bob"], 24) {
		t.Errorf("15 and 24 pictures a second are measured as %v", measured)
	}
	facts, err := l.Facts(ctx, "s", "alice")
	if err != nil || len(facts) != 1 {
		t.Fatalf("facts %+v, %v", facts, err)
	}
	for _, track := range facts[0].Tracks {
		if track.Kind == "video" && (track.FrameRate < 8 || track.FrameRate > 22) {
			t.Errorf("the latest second had %d pictures, want 15 or so", track.FrameRate)
		}
	}
	stats, err := l.Stats(ctx, "s")
	if err != nil || len(stats) != 2 || stats[0].FrameRate < 8 || stats[0].FrameRate > 22 {
		t.Errorf("statistics %+v, %v: want alice's frame rate", stats, err)
	}
}
