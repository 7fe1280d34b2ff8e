package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"tertulia/internal/api/rest"
	"tertulia/internal/config"
	"tertulia/internal/session"
)

// limitsOf are what sessions go by.
func limitsOf(c config.Config, port int) session.Live {
	return session.Live{
		MaxRecvKbps: c.Bandwidth.MaxRecv, MinRecvKbps: c.Bandwidth.MinRecv,
		MaxSendKbps: c.Bandwidth.MaxSend,
		GCInterval:  time.Duration(c.GarbageInterval) * time.Second,
		GCThreshold: time.Duration(c.GarbageThreshold) * time.Second,
		Defaults:    rest.Defaults(settings(c, port)),
	}
}

// again runs a part that is made of settings, and runs it anew when one of those that are named changes. build returns nil
// for no part.
func (l *live) again(running *parts, name string, build func(config.Config) func(context.Context) error, names ...string) {
	changed := make(chan config.Config, 1) // the latest
	before := l.config()
	l.adopt(func(next config.Config) error {
		for _, change := range before.Changes(&next) {
			if slices.Contains(names, change.Name) {
				select {
				case <-changed:
				default:
				}
				changed <- next
				break
			}
		}
		before = next
		return nil
	})
	first := before
	running.start(name, func(ctx context.Context) error {
		for c := first; ; {
			next, err := runUntil(ctx, build(c), changed)
			if next == nil {
				return err
			}
			c = *next
		}
	})
}

// runUntil runs a part until ctx ends, the part fails or another configuration comes, which it returns.
func runUntil(ctx context.Context, run func(context.Context) error, changed <-chan config.Config) (*config.Config, error) {
	if run == nil {
		run = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	}
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(own) }() // read below in any case
	select {
	case err := <-done:
		return nil, err
	case next := <-changed:
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
		return &next, nil
	}
}
