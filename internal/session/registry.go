package session

import (
	"context"
	"log/slog"
	"time"
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
//
//	New(Config) *Registry
//	Run(ctx) error                                    loads the records, then runs sessions until ctx ends
//	Create(ctx, Properties) (State, error)            fault.SessionExists; waits for the store
//	State(id, ) (State, error)                        a deep copy; fault.SessionNotFound
//	List() []State                                    deep copies, in order of creation
//	Do(ctx, id string, Command) (any, error)          runs a command and waits for its Reply
//	Join(ctx, id string, Join) (*Attachment, error)   joins and attaches the caller to the new outbox
//	Resume(ctx, rpc string) (*Attachment, error)      fault.ReconnectionUnknown; takes the outbox from an older socket
//	Event(mediactl.Event)                             what the media node reports
//
// An Attachment is one socket's hold on a connection's outbox:
//
//	Session, Connection, RPC string
//	Send(request string, Command) error               queues a client command; its answer comes by Next
//	Next(ctx) (Message, error)                        the next message in order, from the first unacknowledged on
//	Ack(seq uint64)                                   the client has proved receipt up to seq
//	Detach(reason string)                             the socket is gone: Drop, unless another socket has taken over
//	                                                  or the connection has left
type Registry struct{ cfg Config }

var _ = context.Background
