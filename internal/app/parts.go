package app

import (
	"context"
	"errors"
	"fmt"
)

// part is one long-lived piece of the node, running in its own goroutine.
type part struct {
	name string
	stop context.CancelFunc
	done chan error
}

// parts run side by side and stop in reverse order of their start.
type parts struct {
	running []part
	ended   chan struct{} // gets a value when any part ends
}

func newParts() *parts { return &parts{ended: make(chan struct{}, 32)} }

// start runs a part under a context of its own: it ends by stop, not with the caller's context, so that the order holds.
func (p *parts) start(ctx context.Context, name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	p.running = append(p.running, part{name, cancel, done})
	go func() {
		done <- run(ctx) // read by stop
		p.ended <- struct{}{}
	}()
}

// stop ends the parts, the last first, each wholly before the next; it returns what went wrong, now or earlier.
func (p *parts) stop() error {
	var errs []error
	for len(p.running) > 0 {
		last := p.running[len(p.running)-1]
		p.running = p.running[:len(p.running)-1]
		last.stop()
		if err := <-last.done; err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}
