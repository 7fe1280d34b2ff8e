package session

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"tertulia/internal/fault"
)

// Run loads the records of the store and runs sessions until ctx ends. Then records are written a last time and kept:
// the next start brings sessions and connections back. To end sessions for good, Close them before.
func (r *Registry) Run(ctx context.Context) error {
	defer close(r.over)
	var sessions sync.WaitGroup
	defer sessions.Wait()
	recovered, err := r.load(ctx)
	if err != nil {
		return fmt.Errorf("load sessions: %w", err)
	}
	if r.cfg.Restored != nil {
		r.cfg.Restored(oldest(recovered))
	}
	for _, n := range recovered {
		sessions.Go(func() { n.run(ctx) })
		_, _ = n.call(Origin{}, restarted{Epoch: r.epoch}) // a rule that panics has ended the session
	}
	close(r.ready)

	garbage := time.NewTicker(time.Hour)
	defer garbage.Stop()
	r.live.Load().pace(garbage)
	for {
		select {
		case n := <-r.begin:
			sessions.Go(func() { n.run(ctx) })
		case <-r.adopted:
			r.live.Load().pace(garbage)
		case <-garbage.C:
			r.collect()
		case <-ctx.Done():
			return nil
		}
	}
}

// oldest is when the oldest of sessions that do not run yet was created, the zero time if there are none.
func oldest(sessions []*runner) (at time.Time) {
	for _, n := range sessions {
		if created := time.UnixMilli(n.state.CreatedAt); at.IsZero() || created.Before(at) {
			at = created
		}
	}
	return at
}

// load reads all records; the new epoch is above every one of them. A record that cannot be read is left alone.
func (r *Registry) load(ctx context.Context) ([]*runner, error) {
	r.epoch = 1
	var all []*runner
	err := r.cfg.Store.Load(ctx, func(id string, record []byte) error {
		s, err := readRecord(id, record)
		if err != nil {
			r.cfg.Log.Error("a session's record cannot be read; the session is not restored", "session", id, "err", err)
			return nil
		}
		n := newRunner(r, s)
		all = append(all, n)
		r.directory.restore(n)
		r.epoch = max(r.epoch, s.Epoch+1)
		return nil
	})
	return all, err
}

// readRecord reads what a runner has written, perhaps of another release.
func readRecord(id string, record []byte) (*State, error) {
	var s State
	if err := json.Unmarshal(record, &s); err != nil {
		return nil, err
	}
	if s.ID != id {
		return nil, fmt.Errorf("the record of session %q holds session %q", id, s.ID)
	}
	s.Connections = slices.DeleteFunc(s.Connections, func(c *Connection) bool { return c == nil })
	return &s, nil
}

// collect asks every session whether it was ever joined.
func (r *Registry) collect() {
	for _, n := range r.directory.all() {
		n.inbox.put(letter{command: unused{OlderThan: r.live.Load().GCThreshold.Milliseconds()}})
	}
}

// wait waits until the records are loaded; it fails once Run is over.
func (r *Registry) wait(ctx context.Context) error {
	select {
	case <-r.ready:
	case <-r.over:
	case <-ctx.Done():
		return fault.Wrap(fault.Timeout, ctx.Err(), "the sessions are not loaded yet")
	}
	select {
	case <-r.over:
		return fault.New(fault.NoCapacity, "this server has stopped")
	default:
		return nil
	}
}

// env is what the rules of a session may know now.
func (r *Registry) env(session string) Env {
	env := Env{Now: time.Now().UnixMilli(), NewID: r.cfg.NewID, Rules: r.live.Load().rules(r.cfg)}
	if r.cfg.Secrets != nil {
		env.TURN = func(connection, host string) []ICEServer {
			return r.cfg.Secrets.TURN(session, connection, host)
		}
	}
	return env
}
