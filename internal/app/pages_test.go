package app

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestPagesAreGivenBackOnce for every time of calls, when nobody has been there for a while.
func TestPagesAreGivenBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sockets, released atomic.Int64
		var allocated atomic.Uint64
		p := &pages{
			sockets: func() int { return int(sockets.Load()) }, allocated: allocated.Load,
			release: func() { released.Add(1); allocated.Add(worthwhile) }, // what giving back allocates is no reason to do it again
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		for _, step := range []struct {
			does     string
			sockets  int64
			allocate uint64
			want     int64 // times given back in all, ten minutes later
		}{
			{"a start that is over", 0, worthwhile, 1},
			{"a call", 2, 10 * worthwhile, 1},
			{"its end", 0, 0, 2},
			{"next to nothing", 0, worthwhile - 1, 2},
			{"a little more", 0, 1, 3},
			{"nothing", 0, 0, 3},
		} {
			sockets.Store(step.sockets)
			allocated.Add(step.allocate)
			time.Sleep(10 * time.Minute)
			if synctest.Wait(); released.Load() != step.want {
				t.Errorf("%s: given back %d times, want %d", step.does, released.Load(), step.want)
			}
		}
		sockets.Store(1)
		allocated.Add(worthwhile)
		time.Sleep(quietFor / 2) // ticks fall into the middle of what follows
		for range 20 {           // one call after the other
			sockets.Store(1)
			time.Sleep(quietFor)
			sockets.Store(0)
			time.Sleep(quietFor)
		}
		if synctest.Wait(); released.Load() != 3 {
			t.Errorf("given back %d times while calls came and went", released.Load())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

var sink []byte

func TestAllocatedBytesGrow(t *testing.T) {
	before := allocatedBytes()
	sink = make([]byte, worthwhile)
	if grown := allocatedBytes() - before; before == 0 || grown < worthwhile {
		t.Errorf("%d bytes, then %d more", before, grown)
	}
}
