package signal

import (
	"context"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/session"
)

// Sessions is where clients join: the registry of this node, or of the node that owns the session.
type Sessions interface {
	// Join admits a client; the first message of the outbox answers the request. Refusals are faults of kinds
	// SessionNotFound, SessionClosed, TokenInvalid, NoCapacity.
	Join(ctx context.Context, id, request string, j session.Join) (*Seat, error)
	// Resume takes up a connection again by its RPC session id, on a socket opened at that time, cutting off an older one;
	// fault.ReconnectionUnknown, or any other where the client is to try again.
	Resume(ctx context.Context, rpc string, opened time.Time) (*Seat, error)
}

// Outbox is a socket's hold on a connection; see session.Attachment, which is one.
type Outbox interface {
	Send(ctx context.Context, request string, c session.Command) error
	Next(context.Context) (session.Message, error)
	Ack(seq uint64)
	Detach(event.SocketLost)
}

// Seat is a joined client's place.
type Seat struct {
	Outbox
	Session, Connection, RPC string
	Self                     session.Connection // as of joining
}

// Local is the Sessions of a registry in this process.
func Local(r *session.Registry) Sessions { return local{r} }

type local struct{ registry *session.Registry }

func (l local) Join(ctx context.Context, id, request string, j session.Join) (*Seat, error) {
	return seated(l.registry.Join(ctx, id, request, j))
}

func (l local) Resume(ctx context.Context, rpc string, opened time.Time) (*Seat, error) {
	return seated(l.registry.Resume(ctx, rpc, opened))
}

func seated(a *session.Attachment, err error) (*Seat, error) {
	if err != nil {
		return nil, err
	}
	return &Seat{Outbox: a, Session: a.Session, Connection: a.Connection, RPC: a.RPC, Self: a.Self}, nil
}
