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
	over    context.CancelFunc
}

// newParts returns a context as well: it ends with ctx, or as soon as any part ends.
func newParts(ctx context.Context) (*parts, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	return &parts{over: cancel}, ctx
}

// start runs a part under a context of its own, which only stop ends, so that the order holds.
func (p *parts) start(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	p.running = append(p.running, part{name, cancel, done})
	go func() {
		done <- run(ctx) // read by stop
		p.over()
	}()
}

// hold releases something in its turn.
func (p *parts) hold(name string, release func() error) {
	p.start(name, func(ctx context.Context) error {
		<-ctx.Done()
		return release()
	})
}

// stop ends the parts, the last first, each wholly before the next; it returns what went wrong, now or earlier.
func (p *parts) stop() error {
	defer p.over()
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
