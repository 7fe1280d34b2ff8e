package session

import (
	"context"

	"tertulia/internal/event"
	"tertulia/internal/fault"
)

// maxQueued bounds the commands of one client that wait for their turn; those above wait in its socket.
const maxQueued = 256

// Attachment is one socket's hold on a connection's outbox.
type Attachment struct {
	Session, Connection, RPC string
	Self                     Connection // as of joining: what the edge must know of the client's release

	inbox  *inbox
	outbox *outbox
	queued chan struct{} // holds one for each command that waits
}

func newAttachment(session string, c *Connection, in *inbox, out *outbox) *Attachment {
	return &Attachment{
		Session: session, Connection: c.ID, RPC: c.RPC, Self: *c,
		inbox: in, outbox: out, queued: make(chan struct{}, maxQueued),
	}
}

// Send queues a command of the client, waiting while too many wait; its answer comes by Next under the request's id.
// Commands are carried out in order; answers that need the media node come when it has answered, so a later request
// may be answered earlier. It fails with fault.ConnectionClosed if the connection has ended, and with ctx.
func (a *Attachment) Send(ctx context.Context, request string, c Command) error {
	if !a.outbox.open(a) {
		return a.closed()
	}
	select {
	case a.queued <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	from := Origin{Connection: a.Connection, Request: request, RPC: a.RPC}
	if !a.inbox.put(letter{command: c, from: from, sender: a}) {
		return a.closed()
	}
	return nil
}

// Next returns the next message, from the first unacknowledged notice on; it waits for one until ctx ends. It fails with
// fault.ConnectionClosed when all is read and the connection has ended, or another socket has taken over.
func (a *Attachment) Next(ctx context.Context) (Message, error) {
	for {
		m, changed, ok := a.outbox.next(a)
		switch {
		case !ok:
			return Message{}, a.closed()
		case changed == nil:
			return m, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Message{}, ctx.Err()
		}
	}
}

// Ack says the client has proved receipt of every notice up to number seq; they are forgotten.
func (a *Attachment) Ack(seq uint64) { a.outbox.ack(a, seq) }

// Detach says the socket is gone, and how. The connection's grace time begins, unless another socket has taken over.
func (a *Attachment) Detach(lost event.SocketLost) {
	if a.outbox.release(a) {
		a.inbox.put(letter{command: Drop{Connection: a.Connection, Lost: lost}, from: Origin{RPC: a.RPC}})
	}
}

func (a *Attachment) closed() error {
	return fault.New(fault.ConnectionClosed, "connection %s has ended, or goes on on another socket", a.Connection)
}
