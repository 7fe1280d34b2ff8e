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
	for _, n := range recovered {
		sessions.Go(func() { n.run(ctx) })
		n.call(Origin{}, restarted{Epoch: r.epoch}) // a rule that panics has ended the session
	}
	close(r.ready)

	var collect <-chan time.Time
	if r.cfg.GCInterval > 0 {
		ticker := time.NewTicker(r.cfg.GCInterval)
		defer ticker.Stop()
		collect = ticker.C
	}
	for {
		select {
		case n := <-r.begin:
			sessions.Go(func() { n.run(ctx) })
		case <-collect:
			r.collect()
		case <-ctx.Done():
			return nil
		}
	}
}

// load reads all records; the new epoch is above every one of them. A record that cannot be read is left alone.
func (r *Registry) load(ctx context.Context) ([]*runner, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
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
		r.sessions[id] = n
		r.epoch = max(r.epoch, s.Epoch+1)
		for _, c := range s.Connections {
			if c.ActiveAt != 0 {
				r.clients[c.RPC] = client{runner: n, connection: c.ID}
			}
		}
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
	for _, c := range s.Connections {
		c.Subscriptions = slices.DeleteFunc(c.Subscriptions, func(s *Subscription) bool { return s == nil })
	}
	return &s, nil
}

// collect asks every session whether it was ever joined.
func (r *Registry) collect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.sessions {
		n.inbox.put(letter{command: unused{OlderThan: r.cfg.GCThreshold.Milliseconds()}})
	}
}

// wait waits until the records are loaded.
func (r *Registry) wait(ctx context.Context) error {
	select {
	case <-r.ready:
		return nil
	case <-r.over:
		return fault.New(fault.NoCapacity, "this server has stopped")
	case <-ctx.Done():
		return fault.Wrap(fault.Timeout, ctx.Err(), "the sessions are not loaded yet")
	}
}

func (r *Registry) find(id string) (*runner, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.sessions[id]; n != nil && !n.hidden {
		return n, nil
	}
	return nil, unknownSession(id)
}

func unknownSession(id string) error {
	return fault.New(fault.SessionNotFound, "there is no session %q; create it by REST first", id)
}

// env is what the rules of a session may know now.
func (r *Registry) env(session string) Env {
	env := Env{Now: time.Now().UnixMilli(), NewID: r.cfg.NewID, Rules: r.rules}
	if r.cfg.Secrets != nil {
		env.TURN = func(connection string) []ICEServer { return r.cfg.Secrets.TURN(session, connection) }
	}
	return env
}

// seat lets a client come back by its RPC session id.
func (r *Registry) seat(rpc string, n *runner, connection string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients[rpc] = client{runner: n, connection: connection}
}

func (r *Registry) unseat(rpc string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.clients, rpc)
}

// hide makes an ended session unknown while its media and record are being released; its id is taken until then.
func (r *Registry) hide(n *runner) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n.hidden = true
}

func (r *Registry) remove(n *runner) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, n.id)
}
