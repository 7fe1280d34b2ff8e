package stream

import (
	"context"
	"errors"
	"io"
	"time"
)

// Sink is where a reader's records go.
type Sink interface {
	// Wanted reports whether records are wanted now, and what is closed when that may have changed.
	Wanted() (wanted bool, changed <-chan struct{})
	// Take takes a record, however long that lasts; false if ctx has ended first.
	Take(ctx context.Context, number uint64, name string, text []byte) (taken bool)
}

// farewell is how long a sink gets for what is left when everything stops.
const farewell = 3 * time.Second

// Feed gives a sink every record until ctx ends, and then those that are left for a few seconds more. What happens while
// none are wanted is not given later.
func (r *Reader) Feed(ctx context.Context, sink Sink) error {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })()
	if r.feed(ctx, ctx, sink) && ctx.Err() != nil {
		r.feed(ctx, late, sink)
	}
	return r.Save(late)
}

// feed goes on until ctx ends; stop is the context of the whole. It is false if the sink did not take what it was given.
func (r *Reader) feed(stop, ctx context.Context, sink Sink) bool {
	for ctx.Err() == nil {
		if stop.Err() != nil && r.Behind() == 0 {
			return true
		}
		wanted, changed := sink.Wanted()
		if !wanted {
			r.pass(stop, changed)
			if stop.Err() != nil {
				return false
			}
			continue
		}
		number, name, text, err := r.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return true
		case ctx.Err() != nil && err != nil:
			return true
		case err != nil:
			r.troubled(ctx, err)
			continue
		}
		if wanted, _ := sink.Wanted(); !wanted {
			continue
		}
		if !sink.Take(ctx, number, name, text) {
			return false
		}
		if err := r.Done(ctx, number); err != nil {
			r.stream.config.Log.Warn("a place among the events is not kept: some may be sent again after a restart", "reader", r.name, "error", err)
		}
	}
	return true
}

// pass lets records go by until that changes.
func (r *Reader) pass(ctx context.Context, changed <-chan struct{}) {
	if err := r.Skip(ctx); err != nil {
		r.troubled(ctx, err)
		return
	}
	select {
	case <-changed:
		if err := r.Begin(ctx); err != nil { // if it is still not wanted, this is forgotten again
			r.troubled(ctx, err)
		}
	case <-ctx.Done():
	}
}

// troubled waits before the store is asked again.
func (r *Reader) troubled(ctx context.Context, err error) {
	r.stream.config.Log.Warn("events cannot be read", "reader", r.name, "error", err)
	select {
	case <-time.After(r.stream.config.Retry):
	case <-ctx.Done():
	}
}
