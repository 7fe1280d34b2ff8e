package app

import (
	"context"
	"log/slog"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	quietFor   = 2 * time.Minute // without a client, before memory is given back: the store's notes of ended sessions live one
	worthwhile = 16 << 20        // bytes allocated since the last time
)

// pages gives memory back to the system when the calls are over. Go keeps as much as its next collection may need, and
// collects an idle process every two minutes only: after a large conference that is what operators take for a leak.
type pages struct {
	sockets   func() int    // of clients, open now
	allocated func() uint64 // bytes since the start of the process
	release   func()
}

func newPages(sockets func() int, log *slog.Logger) *pages {
	return &pages{sockets: sockets, allocated: allocatedBytes, release: func() {
		began := time.Now()
		debug.FreeOSMemory()
		log.Debug("gave memory back to the system", "took", time.Since(began))
	}}
}

// Run looks every two minutes and gives back once for every time there was something to do.
func (p *pages) Run(ctx context.Context) error {
	tick := time.NewTicker(quietFor)
	defer tick.Stop()
	var done uint64 // allocated when memory was last given back
	for quiet := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		before := quiet
		quiet = p.sockets() == 0
		if before && quiet && p.allocated()-done >= worthwhile {
			p.release()
			done = p.allocated()
		}
	}
}

func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
