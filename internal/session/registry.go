package session

import (
	"context"
	"log/slog"
	"time"

	"tertulia/internal/wire/mediactl"
)

// Config is what a Registry needs; zero durations mean the defaults named.
type Config struct {
	Store                       Store
	Media                       Media
	Secrets                     Secrets
	Log                         *slog.Logger
	Node                        string        // this owner's key, part of RPC session ids
	Grace                       time.Duration // a dropped connection is evicted after it: 10 s
	MediaDeadline               time.Duration // an effect on the media node fails after it: 8 s
	GCInterval                  time.Duration // 0: no collection (rest §5.6)
	GCThreshold                 time.Duration
	MaxSessions, MaxConnections int                               // limits; 0: 10,000 and 1,000 per session
	NewID                       func(prefix string, n int) string // nil: crypto/rand; upper-case letter first (spec §1.1)
}

// Registry owns the sessions of this node: it creates, finds, runs and recovers them.
type Registry struct{ cfg Config }

// New makes a registry; Run starts it.
func New(cfg Config) *Registry { return &Registry{cfg: cfg} }

// Run loads the records of the store and runs sessions until ctx ends.
func (r *Registry) Run(ctx context.Context) error { panic("seam") }

// Ready is closed once the records are loaded.
func (r *Registry) Ready() <-chan struct{} { panic("seam") }

// Create makes a session and waits for the store (1 s); fault.SessionExists if the custom id is taken.
func (r *Registry) Create(ctx context.Context, p Properties) (State, error) { panic("seam") }

// State returns a deep copy of a session's state; fault.SessionNotFound.
func (r *Registry) State(id string) (State, error) { panic("seam") }

// List returns deep copies of all states in order of creation.
func (r *Registry) List() []State { panic("seam") }

// Do runs a command and waits for its answer, of the type the command names.
func (r *Registry) Do(ctx context.Context, id string, c Command) (any, error) { panic("seam") }

// Join joins and attaches the caller to the new connection's outbox, whose first message answers the given request.
func (r *Registry) Join(ctx context.Context, id, request string, j Join) (*Attachment, error) {
	panic("seam")
}

// Resume attaches the caller to the outbox of a dropped (or still attached) connection, taking it from an older
// socket; fault.ReconnectionUnknown.
func (r *Registry) Resume(ctx context.Context, rpc string) (*Attachment, error) { panic("seam") }

// Stats returns the media node's view of a session's endpoints.
func (r *Registry) Stats(ctx context.Context, id string) ([]mediactl.EndpointStats, error) {
	panic("seam")
}

// Event takes what the media node reports of an endpoint by itself.
func (r *Registry) Event(e mediactl.Event) { panic("seam") }

// Attachment is one socket's hold on a connection's outbox.
type Attachment struct {
	Session, Connection, RPC string
	Self                     Connection // as of joining: what the edge must know of the client's release
}

// Send queues a command of the client; its answer comes by Next under the request's id. Commands run in order.
func (a *Attachment) Send(request string, c Command) error { panic("seam") }

// Next returns the next message, from the first unacknowledged one on; it waits for one until ctx ends. It fails with
// fault.ConnectionClosed when all is read and the connection has ended, or another socket has taken over.
func (a *Attachment) Next(ctx context.Context) (Message, error) { panic("seam") }

// Ack says the client has proved receipt of every message up to seq; they are forgotten.
func (a *Attachment) Ack(seq uint64) { panic("seam") }

// Detach says the socket is gone. The connection's grace time begins, unless another socket has taken over.
func (a *Attachment) Detach() { panic("seam") }
