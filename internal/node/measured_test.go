package node_test

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"

	"tertulia/internal/testkit"
	"tertulia/internal/wire/mediactl"
)

// TestLOSS_22__FrameRateIsMeasured, of what comes: neither is the 30 that every client announces by default. Time is fake:
// a busy machine makes a camera of real time leave pictures out.
func TestLOSS_22__FrameRateIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		const at = "10.0.0.1"
		hosts := testkit.Network(t, func(vnet.Chunk) bool { return true }, at, "10.0.0.2", "10.0.0.3")
		conn, addresses := testkit.ListenOn(t, hosts[0], at)
		l := startOn(t, testkit.ShardOn(t, conn, addresses), 0)
		rates := map[string]int{"alice": 15, "bob": 24}
		for i, name := range []string{"alice", "bob"} {
			c := testkit.NewClient(t, testkit.ClientConfig{Net: hosts[i+1]})
			c.FrameRate.Store(int32(rates[name]))
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
		if !maps.Equal(measured, rates) {
			t.Errorf("%v pictures a second are measured as %v", rates, measured)
		}
		facts, err := l.Facts(ctx, "s", "alice")
		if err != nil || len(facts) != 1 {
			t.Fatalf("facts %+v, %v", facts, err)
		}
		videos := 0
		for _, track := range facts[0].Tracks {
			if track.Kind == "video" {
				if videos++; track.FrameRate != 15 {
					t.Errorf("the latest second had %d pictures, want 15", track.FrameRate)
				}
			}
		}
		if videos != 1 {
			t.Errorf("%d videos in %+v", videos, facts)
		}
		stats, err := l.Stats(ctx, "s")
		if err != nil || len(stats) != 2 || stats[0].FrameRate != 15 {
			t.Errorf("statistics %+v, %v: want alice's frame rate", stats, err)
		}
	})
}
