package session

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// How a session's record follows its state.
const (
	writeDeadline = 5 * time.Second
	firstBackoff  = 100 * time.Millisecond
	maxBackoff    = 10 * time.Second
	lastDeadline  = 2 * time.Second // for the last write of a process that ends
)

// writer is the state of write-behind: one write at a time, always of the latest state. A failed one is repeated
// after a while, with what is the latest then.
type writer struct {
	dirty    bool // the record is behind the state
	busy     bool // a write, or the pause after a failed one, is under way
	failures int
}

// written says that a write is over.
type written struct{ err error }

func (written) command() {}

func (r *runner) write(ctx context.Context) {
	if r.writer.busy || !r.writer.dirty {
		return
	}
	record, err := r.record()
	if err != nil {
		r.log.Error("the session's state cannot be stored", "err", err)
		return
	}
	r.writer.busy, r.writer.dirty = true, false
	pause := min(firstBackoff<<min(r.writer.failures, 10), maxBackoff)
	r.work.Go(func() {
		err := r.put(ctx, record)
		if err != nil {
			sleep(ctx, pause)
		}
		r.inbox.put(letter{command: written{err}})
	})
}

func (r *runner) wrote(ctx context.Context, err error) {
	r.writer.busy = false
	r.writer.failures++
	switch {
	case err == nil:
		r.writer.failures = 0
	case ctx.Err() == nil:
		r.log.Warn("the session's record was not written; trying again", "failures", r.writer.failures, "err", err)
		fallthrough
	default:
		r.writer.dirty = true
	}
	if ctx.Err() == nil {
		r.write(ctx)
	}
}

// writeLast writes what is behind when the process ends. Whether the write under way succeeded is not known.
func (r *runner) writeLast(ctx context.Context) {
	if !r.writer.dirty && !r.writer.busy {
		return
	}
	record, err := r.record()
	if err == nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDeadline)
		defer cancel()
		err = r.registry.cfg.Store.Put(last, r.id, record)
	}
	if err != nil {
		r.log.Error("the session's last changes were not stored", "err", err)
	}
}

// erase deletes the record of an ended session. It gives up only with ctx: a record left behind would come back
// with the next start, though only until its connections' grace is over.
func (r *runner) erase(ctx context.Context) {
	for n := 0; ; n++ {
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDeadline)
		err := r.registry.cfg.Store.Delete(once, r.id)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		r.log.Warn("the record of an ended session was not deleted; trying again", "err", err)
		sleep(ctx, min(firstBackoff<<min(n, 10), maxBackoff))
	}
}

func (r *runner) put(ctx context.Context, record []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	return r.registry.cfg.Store.Put(ctx, r.id, record)
}

func (r *runner) record() ([]byte, error) {
	record, err := json.Marshal(r.state)
	if err != nil {
		return nil, fmt.Errorf("encode session %s: %w", r.id, err)
	}
	return record, nil
}

// sleep pauses, or not as long when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
