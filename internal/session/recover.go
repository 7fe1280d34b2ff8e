package session

import (
	"time"

	"tertulia/internal/fault"
)

// graceOver says that a connection's grace time has passed since its n-th drop.
type graceOver struct {
	Connection, RPC string
	Drops           int
}

// restarted is the first command to a state read from the store by a new owner.
type restarted struct{ Epoch uint64 }

func (graceOver) command() {}
func (restarted) command() {}

// drop begins the grace time (spec §2.8): until it is over nobody is told, and what the client misses is kept.
func drop(t *turn, c Drop) {
	if n := t.active(c.Connection); n != nil {
		dropFor(t, n, t.env.Rules.Grace)
	}
}

func dropFor(t *turn, c *Connection, grace time.Duration) {
	c.Drops++
	c.DroppedAt = t.env.Now
	t.arm(grace, graceOver{Connection: c.ID, RPC: c.RPC, Drops: c.Drops})
}

// resume ends the grace time; the caller is attached to the outbox again. A socket that the client had dropped before it was
// read must not take the place of the one that came after.
func resume(t *turn, c Resume) {
	n := t.active(c.Connection)
	if n == nil || n.RPC != t.from.RPC {
		t.fail(unknownConnection(t, c.Connection))
		return
	}
	if c.Opened < n.opened {
		t.fail(fault.New(fault.ConnectionClosed, "the client has opened another socket since"))
		return
	}
	n.DroppedAt, n.opened = 0, c.Opened
	t.emit(Admit{To: t.from, Connection: n.Copy()})
}

func endGrace(t *turn, c graceOver) {
	n := t.active(c.Connection)
	if n == nil || n.RPC != c.RPC || n.DroppedAt == 0 || n.Drops != c.Drops {
		return
	}
	depart(t, n, networkDisconnect)
	evicted(t, n, networkDisconnect)
	endIfEmpty(t)
}

// restart makes a stored state live again. All sockets and endpoints are gone, but nobody is told: clients come back
// on their own and negotiate anew under the same ids. A stream that had not been announced never was.
func restart(t *turn, c restarted) {
	t.Epoch = c.Epoch
	t.save()
	t.replyTo(t.from, nil, nil)
	switch {
	case t.Ended, t.Closing != "": // it was told by who wrote this
		t.emit(End{Reason: t.Closing})
		return
	case t.Active && t.participants() == 0:
		end(t, lastParticipantLeft)
		return
	}
	for _, n := range t.Connections {
		switch {
		case n.Stream == nil:
		case n.Stream.Phase == Publishing:
			n.Stream = nil
		default:
			n.Stream.Phase, n.Stream.Serial = Lost, 0
		}
	}
	for _, n := range t.Connections {
		if n.ActiveAt != 0 {
			dropFor(t, n, t.env.Rules.RestartGrace)
		}
	}
}
