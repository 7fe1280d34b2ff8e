package session

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// runner gives one session its turn: one goroutine takes letters in order, applies [State.Do] and carries the effects
// out. It never waits for media or the store; their results are letters too.
type runner struct {
	id       string
	registry *Registry // seats clients by RPC session id, is told of the end
	log      *slog.Logger
	inbox    *inbox
	gone     chan struct{} // closed when the session has ended and its record is deleted

	hidden bool // it has ended and is only being released; guarded by the directory

	mu    sync.Mutex // guards state, which other goroutines may copy
	state *State

	// Of the goroutine that runs.
	outboxes map[string]*outbox // by connection
	lanes    lanes
	writer   writer
	alarms   alarms
	observer *observer
	ended    bool
}

// reported is an event of the media node on its way into the session's order.
type reported struct{ mediactl.Event }

func (reported) command() {}

// newRunner makes the runner of a state; those who had joined it before a restart have their outboxes again.
func newRunner(r *Registry, s *State) *runner {
	log, inbox := r.cfg.Log.With("session", s.ID), newInbox()
	n := &runner{
		id: s.ID, registry: r, log: log, inbox: inbox, gone: make(chan struct{}),
		state: s, outboxes: map[string]*outbox{}, alarms: newAlarms(), observer: newObserver(r.cfg.Observe, s),
		lanes:  lanes{media: r.cfg.Media, deadline: r.cfg.MediaDeadline, log: log, inbox: inbox, jobs: map[string][]job{}},
		writer: writer{store: r.cfg.Store, log: log, inbox: inbox},
	}
	for _, c := range s.Connections {
		if c.ActiveAt != 0 {
			n.outboxes[c.ID] = giveMissed(c)
		}
	}
	return n
}

// run serves the session until it ends or ctx does; its record is kept in the latter case.
func (r *runner) run(ctx context.Context) {
	defer r.alarms.timer.Stop()
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	for !r.ended && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-r.inbox.bell:
			for _, l := range r.inbox.take() {
				r.handle(working, l)
			}
		case <-r.alarms.timer.C:
			for _, c := range r.alarms.due(time.Now()) {
				r.handle(working, letter{command: c})
			}
		}
	}
	cancel()
	r.stop(ctx)
}

// handle carries out one letter: the runner's own, or one for the rules.
func (r *runner) handle(ctx context.Context, l letter) {
	switch c := l.command.(type) {
	case returned:
		r.lanes.advance(ctx, c.endpoint)
		if c.settled != nil {
			r.apply(ctx, letter{command: *c.settled})
		}
		return
	case written:
		r.writer.wrote(ctx, r.state, c.err)
		return
	case reported:
		if !r.ended {
			r.observer.reported(r.state, c.Event)
		}
		return
	case Drop:
		if box := r.outboxes[c.Connection]; box == nil || box.rpc != l.from.RPC || box.held() {
			return // its client is back already, or gone
		}
	}
	if l.sender != nil {
		<-l.sender.queued
		if r.outboxes[l.sender.Connection] != l.sender.outbox {
			return // nobody is left to answer
		}
	}
	r.apply(ctx, l)
}

// apply gives a letter to the rules and carries out what they decide. A caller is answered in any case.
func (r *runner) apply(ctx context.Context, l letter) {
	if r.ended {
		r.inbox.refuse(l)
		return
	}
	r.observer.begin(l)
	effects, err := r.decide(l)
	if err != nil {
		r.crash(ctx)
	}
	for _, e := range effects { // told first: who has an answer finds it on the timeline
		r.observer.observe(l, e)
		r.carryOut(ctx, l, e)
	}
	if l.answer != nil {
		select {
		case l.answer <- answered{err: fault.New(fault.Internal, "session %s gave no answer to %T", r.id, l.command)}:
		default: // it has its answer
		}
	}
}

// decide applies the rules. A panic in them ends this session and no other.
func (r *runner) decide(l letter) (effects []Effect, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.log.Error("a rule panicked; the session is closed", "command", fmt.Sprintf("%T", l.command), "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return r.state.Do(r.registry.env(r.id), l.from, l.command), nil
}

func (r *runner) carryOut(ctx context.Context, l letter, effect Effect) {
	switch e := effect.(type) {
	case Reply:
		r.reply(l, e)
	case Notify:
		for _, id := range e.To {
			r.push(id, Message{Notice: e.Notice})
		}
	case Admit:
		r.admit(l, e)
	case Dismiss:
		r.dismiss(e)
	case Ask:
		r.lanes.add(ctx, job{endpoint: endpointOf(e.Request), request: e.Request, ask: &e})
	case Tell:
		r.lanes.add(ctx, job{endpoint: endpointOf(e.Request), request: e.Request})
	case Arm:
		r.alarms.add(time.Now().Add(e.After), e.Command)
	case Save:
		r.writer.dirty = true
		r.writer.write(ctx, r.state)
	case End:
		r.log.Info("session ended", "reason", e.Reason)
		r.over()
	}
}

func (r *runner) reply(l letter, e Reply) {
	if e.To.Connection == "" {
		if l.answer != nil {
			l.answer <- answered{result: e.Result, err: e.Err}
		}
		return
	}
	if box := r.outboxes[e.To.Connection]; box != nil && box.rpc == e.To.RPC {
		r.push(e.To.Connection, Message{Reply: &Answered{Request: e.To.Request, Result: e.Result, Err: e.Err}})
	}
}

// push appends to a connection's outbox. One that overflows is given up: what it holds is useless without the rest.
func (r *runner) push(connection string, m Message) {
	box := r.outboxes[connection]
	if box == nil || box.push(m) {
		return
	}
	r.log.Warn("a client does not take its messages; it is evicted", "connection", connection)
	r.inbox.put(letter{command: overflowed{Connection: connection, RPC: box.rpc}})
}

// admit attaches a caller to its outbox, made with its first message for a new connection.
func (r *runner) admit(l letter, e Admit) {
	c := e.Connection
	box := r.outboxes[c.ID]
	if e.Result != nil {
		box = newOutbox(c.RPC)
		r.outboxes[c.ID] = box
		r.registry.directory.seat(c.RPC, r, c.ID)
	}
	a := newAttachment(r.id, c, r.inbox, box)
	box.hold(a)
	if e.Result != nil {
		box.push(Message{Reply: &Answered{Request: e.To.Request, Result: *e.Result}})
	}
	l.answer <- answered{result: a}
}

func (r *runner) dismiss(e Dismiss) {
	if box := r.outboxes[e.Connection]; box != nil {
		box.end()
		delete(r.outboxes, e.Connection)
	}
	r.registry.directory.unseat(e.RPC)
}

// crash ends a session whose state can no longer be trusted; its clients are told what makes applications join again.
func (r *runner) crash(ctx context.Context) {
	r.mu.Lock()
	told := r.state.wreck(r.registry.env(r.id), nodeCrashed, slices.Sorted(maps.Keys(r.outboxes)))
	r.mu.Unlock()
	r.writer.dirty = true
	r.writer.write(ctx, r.state)
	for _, h := range told {
		r.observer.observe(letter{}, h)
	}
	for id, box := range r.outboxes {
		box.push(Message{Notice: Evicted{Connection: id, Reason: nodeCrashed}})
		r.dismiss(Dismiss{Connection: id, RPC: box.rpc})
	}
	r.over()
}

// over makes the session unknown; run will return, and release it.
func (r *runner) over() {
	r.ended = true
	r.registry.directory.hide(r)
}

// stop releases what a session that has ended holds, or keeps the record of one whose process ends. Nobody is left
// waiting in either case.
func (r *runner) stop(ctx context.Context) {
	for _, box := range r.outboxes {
		box.end()
	}
	r.lanes.wait()
	r.writer.wait()
	for _, l := range r.inbox.close(!r.ended) {
		r.inbox.refuse(l)
	}
	if !r.ended {
		r.apply(ctx, letter{command: suspended{}})
	}
	if r.ended { // perhaps by that
		r.writer.last(ctx, r.state) // releasing takes a while; a process that starts meanwhile must not tell the end again
		r.lanes.release(ctx, r.id)
		r.writer.erase(ctx, r.id)
		r.registry.directory.remove(r)
	} else {
		r.keepMissed()
		r.writer.last(ctx, r.state)
	}
	clear(r.outboxes)
	close(r.gone)
}

// call gives a command to the session and waits for its answer. It takes no context: a runner waits for nothing, and
// an attachment must not get lost.
func (r *runner) call(from Origin, c Command) (any, error) {
	from.Call = 1
	l := letter{command: c, from: from, answer: make(chan answered, 1)}
	if !r.inbox.put(l) {
		r.inbox.refuse(l)
	}
	a := <-l.answer
	return a.result, a.err
}

// copy returns the state as it is now.
func (r *runner) copy() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Copy()
}
