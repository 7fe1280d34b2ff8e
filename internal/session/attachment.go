package session

import (
	"context"
	"sync/atomic"

	"tertulia/internal/fault"
)

// maxQueued bounds the commands of one client that wait for their turn.
const maxQueued = 256

// Attachment is one socket's hold on a connection's outbox.
type Attachment struct {
	Session, Connection, RPC string
	Self                     Connection // as of joining: what the edge must know of the client's release

	inbox  *inbox
	outbox *outbox
	queued atomic.Int32
	next   uint64 // the number of the message to read next; guarded by the outbox
}

// Send queues a command of the client; its answer comes by Next under the request's id. Commands are carried out in
// order; answers that need the media node come when it has answered, so a later request may be answered earlier.
// It fails with fault.RateLimited if too many wait, fault.ConnectionClosed if the connection has ended.
func (a *Attachment) Send(request string, c Command) error {
	if !a.outbox.open(a) {
		return a.closed()
	}
	if a.queued.Add(1) > maxQueued {
		a.queued.Add(-1)
		return fault.New(fault.RateLimited, "%d requests of connection %s wait already; slow down", maxQueued, a.Connection)
	}
	from := Origin{Connection: a.Connection, Request: request, RPC: a.RPC}
	if !a.inbox.put(letter{command: c, from: from, sender: a}) {
		a.queued.Add(-1)
		return a.closed()
	}
	return nil
}

// Next returns the next message, from the first unacknowledged one on; it waits for one until ctx ends. It fails with
// fault.ConnectionClosed when all is read and the connection has ended, or another socket has taken over.
func (a *Attachment) Next(ctx context.Context) (Message, error) {
	for {
		m, changed, ok := a.outbox.read(a)
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

// Ack says the client has proved receipt of every message up to seq; they are forgotten.
func (a *Attachment) Ack(seq uint64) { a.outbox.ack(a, seq) }

// Detach says the socket is gone. The connection's grace time begins, unless another socket has taken over.
func (a *Attachment) Detach() {
	if a.outbox.release(a) {
		a.queued.Add(1)
		a.inbox.put(letter{command: Drop{Connection: a.Connection}, sender: a})
	}
}

func (a *Attachment) closed() error {
	return fault.New(fault.ConnectionClosed, "connection %s has ended, or goes on on another socket", a.Connection)
}
