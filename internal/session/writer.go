package session

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// How a session's record follows its state.
const (
	writeDeadline = 5 * time.Second
	firstBackoff  = 100 * time.Millisecond
	maxBackoff    = 10 * time.Second
	lastDeadline  = 2 * time.Second // for the last write of a process that ends
)

// writer writes the record behind the state: one write at a time, always of the latest state. A failed one is
// repeated after a while, with what is the latest then.
type writer struct {
	store Store
	log   *slog.Logger
	inbox *inbox // takes what has been written
	work  sync.WaitGroup

	dirty    bool // the record is behind the state
	busy     bool // a write, or the pause after a failed one, is under way
	failures int
}

// written says that a write is over.
type written struct{ err error }

func (written) command() {}

// write starts a write if the record is behind and none is under way.
func (w *writer) write(ctx context.Context, s *State) {
	if w.busy || !w.dirty {
		return
	}
	record, err := encode(s)
	if err != nil {
		w.log.Error("the session's state cannot be stored", "err", err)
		return
	}
	w.busy, w.dirty = true, false
	pause := min(firstBackoff<<min(w.failures, 10), maxBackoff)
	w.work.Go(func() {
		once, cancel := context.WithTimeout(ctx, writeDeadline)
		defer cancel()
		err := w.store.Put(once, s.ID, record)
		if err != nil {
			sleep(ctx, pause)
		}
		w.inbox.put(letter{command: written{err}})
	})
}

// wrote takes the end of a write, and starts the next one if there is need.
func (w *writer) wrote(ctx context.Context, s *State, err error) {
	w.busy = false
	w.failures++
	if err == nil {
		w.failures = 0
	} else {
		w.dirty = true
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.log.Warn("the session's record was not written; trying again", "failures", w.failures, "err", err)
	}
	w.write(ctx, s)
}

// wait waits for the write under way, after its context has ended.
func (w *writer) wait() { w.work.Wait() }

// last writes what is behind when the process or the session ends. Whether the write under way succeeded is not known.
func (w *writer) last(ctx context.Context, s *State) {
	if !w.dirty && !w.busy {
		return
	}
	record, err := encode(s)
	if err == nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDeadline)
		defer cancel()
		err = w.store.Put(last, s.ID, record)
	}
	if err != nil {
		w.log.Error("the session's last changes were not stored", "err", err)
	}
}

// erase deletes the record of an ended session. It gives up only with ctx: a record left behind would come back
// with the next start, though only until its connections' grace is over.
func (w *writer) erase(ctx context.Context, session string) {
	for n := 0; ; n++ {
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDeadline)
		err := w.store.Delete(once, session)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		w.log.Warn("the record of an ended session was not deleted; trying again", "err", err)
		sleep(ctx, min(firstBackoff<<min(n, 10), maxBackoff))
	}
}

func encode(s *State) ([]byte, error) {
	record, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode session %s: %w", s.ID, err)
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
