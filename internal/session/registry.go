package session

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// Config is what a Registry needs; zero durations mean the defaults named.
type Config struct {
	Store                       Store
	Media                       Media
	Secrets                     Secrets // nil: TURN is off
	Log                         *slog.Logger
	Node                        string        // this owner's key, the start of RPC session ids
	Grace                       time.Duration // a dropped connection is evicted after it: 10 s
	RestartGrace                time.Duration // the same after a restart of this process: 30 s
	MediaDeadline               time.Duration // a request to the media node fails after it: 8 s
	GCInterval                  time.Duration // 0: no collection (rest §5.6)
	GCThreshold                 time.Duration
	MaxSessions, MaxConnections int                               // limits; 0: 10,000 and 1,000 per session
	MaxRecvKbps, MaxSendKbps    int                               // of video, for connections without kurentoOptions; 0: unlimited
	MinRecvKbps                 int                               // the least a publisher is lowered to for its viewers
	Defaults                    Properties                        // of sessions made by joining with the server's secret
	NewID                       func(prefix string, n int) string // nil: RandomID
	// Observe is told what happens, each session's events in the order of its decisions and from one goroutine at a
	// time, those of different sessions side by side. It must not wait for anything; nil: nobody.
	Observe func(event.Event)
	// Restored is told, before any session goes on, when the oldest of those that a start found was created; the zero time if
	// there are none. Sessions wait for it; nil: nobody.
	Restored func(oldest time.Time)
}

// Further numbers of ours.
const (
	createDeadline = time.Second      // for the store to take a new session
	parkTime       = 9 * time.Second  // clients give a request up after 10 s
	closingWait    = 15 * time.Second // for a closing session of the same id (rest §5.8)
)

// Registry owns the sessions of this node: it creates, finds, runs and recovers them.
type Registry struct {
	cfg     Config
	began   time.Time // no other clock orders sockets: the machine's may be set back
	live    atomic.Pointer[Live]
	adopted chan struct{} // of capacity 1: live has changed
	ready   chan struct{}
	begin   chan *runner // sessions for Run to run
	over    chan struct{}

	directory *directory
	epoch     uint64 // set before ready
}

// New makes a registry; Run starts it.
func New(cfg Config) *Registry {
	cfg.Grace = cmp.Or(cfg.Grace, 10*time.Second)
	cfg.RestartGrace = cmp.Or(cfg.RestartGrace, 30*time.Second)
	cfg.MediaDeadline = cmp.Or(cfg.MediaDeadline, 8*time.Second)
	cfg.MaxSessions = cmp.Or(cfg.MaxSessions, 10_000)
	cfg.MaxConnections = cmp.Or(cfg.MaxConnections, 1_000)
	if cfg.NewID == nil {
		cfg.NewID = RandomID
	}
	r := &Registry{
		cfg: cfg, began: time.Now(), adopted: make(chan struct{}, 1),
		ready: make(chan struct{}), begin: make(chan *runner), over: make(chan struct{}),
		directory: newDirectory(cfg.MaxSessions),
	}
	r.Adopt(Live{
		MaxRecvKbps: cfg.MaxRecvKbps, MinRecvKbps: cfg.MinRecvKbps, MaxSendKbps: cfg.MaxSendKbps,
		GCInterval: cfg.GCInterval, GCThreshold: cfg.GCThreshold, Defaults: cfg.Defaults,
	})
	return r
}

// Ready is closed once the records are loaded. Calls that have a context wait for it.
func (r *Registry) Ready() <-chan struct{} { return r.ready }

var sessionID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,256}$`)

// Create makes a session and waits for the store (1 s); fault.SessionExists if the custom id is taken. One of the
// same id that is closing is waited for.
func (r *Registry) Create(ctx context.Context, p Properties) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, closingWait)
	defer cancel()
	if err := r.wait(ctx); err != nil {
		return State{}, err
	}
	id := cmp.Or(p.CustomSessionID, r.cfg.NewID("ses_", 10))
	if !sessionID.MatchString(id) {
		return State{}, fault.New(fault.Invalid, "customSessionId %.80q is not 1 to 256 of a-z A-Z 0-9 _ -", id)
	}
	if err := r.directory.reserve(ctx, id); err != nil {
		return State{}, err
	}
	n, err := r.create(ctx, id, p)
	r.directory.made(id, n)
	if err != nil {
		return State{}, err
	}
	return n.copy(), nil
}

// create stores a new session and has it run.
func (r *Registry) create(ctx context.Context, id string, p Properties) (*runner, error) {
	n := newRunner(r, &State{ID: id, CreatedAt: r.directory.birth(ctx), Epoch: r.epoch, Properties: p})
	record, err := encode(n.state)
	if err != nil {
		return nil, err
	}
	storing, cancel := context.WithTimeout(ctx, createDeadline)
	defer cancel()
	if err := r.cfg.Store.Create(storing, id, record); err != nil {
		var known *fault.Error
		if errors.As(err, &known) {
			return nil, err
		}
		return nil, fault.Wrap(fault.NoCapacity, err, "session %s could not be stored; try again", id)
	}
	n.observer.told(Happened{At: n.state.CreatedAt, Body: event.SessionCreated{
		CustomSessionID: p.CustomSessionID, MediaMode: p.MediaMode, RecordingMode: p.RecordingMode,
	}})
	select {
	case r.begin <- n:
		return n, nil
	case <-r.over:
		return nil, fault.New(fault.NoCapacity, "this server is stopping")
	}
}

// State returns a deep copy of a session's state; fault.SessionNotFound.
func (r *Registry) State(id string) (State, error) {
	n, err := r.directory.find(id)
	if err != nil {
		return State{}, err
	}
	return n.copy(), nil
}

// List returns deep copies of all states in order of creation.
func (r *Registry) List() []State {
	all := r.directory.all()
	states := make([]State, len(all))
	for i, n := range all {
		states[i] = n.copy()
	}
	slices.SortFunc(states, func(a, b State) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return states
}

// Do runs a command and waits for its answer, of the type the command names.
func (r *Registry) Do(ctx context.Context, id string, c Command) (any, error) {
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	n, err := r.directory.find(id)
	if err != nil {
		return nil, err
	}
	return n.call(Origin{}, c)
}

// Join joins and attaches the caller to the new connection's outbox, whose first message answers the given request.
// A join with the server's secret makes the session if there is none (spec §4.1). Without an RPC id it gets a new one.
func (r *Registry) Join(ctx context.Context, id, request string, j Join) (*Attachment, error) {
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	if j.RPC == "" {
		j.RPC = NewRPC(r.cfg.Node)
	}
	n, err := r.toJoin(ctx, id, j.Insecure)
	if err != nil {
		return nil, err
	}
	return attached(n.call(Origin{Request: request, RPC: j.RPC}, j))
}

// toJoin finds a session, even a closing one, which will say so itself; or makes it.
func (r *Registry) toJoin(ctx context.Context, id string, create bool) (*runner, error) {
	for {
		n := r.directory.lookUp(id)
		switch {
		case n != nil:
			return n, nil
		case !create || id == "": // without a name it would make another one each time
			return nil, unknownSession(id)
		}
		p := r.live.Load().Defaults
		p.CustomSessionID = id
		if _, err := r.Create(ctx, p); err != nil && !fault.Is(err, fault.SessionExists) {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, fault.Wrap(fault.Timeout, ctx.Err(), "join session %s", id)
		}
	}
}

// Resume attaches the caller, a socket opened at that time, to the outbox of a dropped (or still attached) connection, taking
// it from an older socket; fault.ReconnectionUnknown, or ConnectionClosed where one opened later has it.
func (r *Registry) Resume(ctx context.Context, rpc string, opened time.Time) (*Attachment, error) {
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	c, ok := r.directory.client(rpc)
	if !ok {
		return nil, fault.New(fault.ReconnectionUnknown, "reconnection error")
	}
	a, err := attached(c.runner.call(Origin{RPC: rpc}, Resume{Connection: c.connection, Opened: opened.Sub(r.began)}))
	if fault.Is(err, fault.ConnectionNotFound) {
		return nil, fault.New(fault.ReconnectionUnknown, "reconnection error")
	}
	return a, err
}

func attached(answer any, err error) (*Attachment, error) {
	if err != nil {
		return nil, err
	}
	return answer.(*Attachment), nil
}

// Stats returns the media node's view of a session's endpoints.
func (r *Registry) Stats(ctx context.Context, id string) ([]mediactl.EndpointStats, error) {
	if _, err := r.directory.find(id); err != nil {
		return nil, err
	}
	return r.cfg.Media.Stats(ctx, id)
}

// Event takes what the media node reports of an endpoint by itself. A participant's life is tied to its websocket:
// a failed endpoint evicts nobody, its client notices and reconnects (spec §6.6).
func (r *Registry) Event(e mediactl.Event) {
	r.cfg.Log.Debug("endpoint", "session", e.Session, "endpoint", e.Endpoint, "event", e.Type, "reason", e.Reason)
	n := r.directory.lookUp(e.Session)
	switch {
	case n == nil:
	case e.Type == mediactl.Again:
		n.inbox.put(letter{command: offeredAgain{Endpoint: e.Endpoint, Candidates: e.Candidates}})
	case e.Type == mediactl.Measured:
		n.inbox.put(letter{command: measured{Endpoint: e.Endpoint, FrameRate: e.FrameRate}})
	default:
		n.inbox.put(letter{command: reported{e}})
	}
}

// MediaGone says that the media node has lost all endpoints. With reason mediaServerReconnect it is back without them:
// participants stay, their streams end, and applications publish anew. Any other reason (nodeCrashed,
// mediaServerDisconnect) closes the sessions that were joined (spec §10.8).
func (r *Registry) MediaGone(reason string) {
	for _, n := range r.directory.all() {
		n.inbox.put(letter{command: mediaGone{Reason: reason}})
	}
}
