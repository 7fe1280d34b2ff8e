package bench

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"tertulia/internal/bench/target"
)

// lab is what scenarios work with: servers, clients and shapes by name. bind.go fills it with the real ones.
type lab struct {
	errs    io.Writer
	server  func(name string) (target.Server, error)
	clients func(srtp string, at netip.Addr) (clients, error)
	score   func(shape string, kbps int, srtp string) (score, error)
	floor   func(ctx context.Context, o Options, rooms, viewers int) (Traffic, error)
}

// say tells how far a scenario is.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(l.errs, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}
