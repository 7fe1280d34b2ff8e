package session

import (
	"tertulia/internal/event"
	"tertulia/internal/fault"
)

// Why something ends (spec §1.4).
const (
	disconnect              = "disconnect"
	networkDisconnect       = "networkDisconnect"
	forceDisconnectByUser   = "forceDisconnectByUser"
	forceDisconnectByServer = "forceDisconnectByServer"
	unpublishReason         = "unpublish"
	unsubscribeReason       = "unsubscribe"
	forceUnpublishByUser    = "forceUnpublishByUser"
	forceUnpublishByServer  = "forceUnpublishByServer"
	lastParticipantLeft     = "lastParticipantLeft"
	sessionClosedByServer   = "sessionClosedByServer"
	mediaServerDisconnect   = "mediaServerDisconnect"
	mediaServerReconnect    = "mediaServerReconnect"
	nodeCrashed             = "nodeCrashed"
)

// overflowed says that a connection takes its messages too slowly to be kept.
type overflowed struct{ Connection, RPC string }

// unused asks a session that nobody has joined since it was created to end, if that is long enough ago.
type unused struct{ OlderThan int64 } // milliseconds

func (overflowed) command() {}
func (unused) command()     {}

// leave is leaveRoom (spec §4.2): the others are told, then the leaver is answered.
func leave(t *turn, me *Connection) {
	depart(t, me, disconnect)
	t.reply(nil)
	t.emit(Dismiss{Connection: me.ID, RPC: me.RPC})
	endIfEmpty(t)
}

// forceDisconnect evicts (spec §4.12): the others, then the moderator's answer, then the evicted.
func forceDisconnect(t *turn, me *Connection, c ForceDisconnect) {
	target := t.active(c.Target)
	switch {
	case !me.mayModerate():
		t.fail(denied(me, "forceDisconnect", Moderator))
	case target == nil:
		t.fail(unknownConnection(t, c.Target))
	default:
		depart(t, target, forceDisconnectByUser)
		t.reply(nil)
		evicted(t, target, forceDisconnectByUser)
		endIfEmpty(t)
	}
}

// depart takes a connection out of the session: what it still waits for is refused, its endpoints are released and the
// others told. Clients are not told of the stream's end (spec §4.2), observers are, before (events §7).
func depart(t *turn, c *Connection, reason string) {
	gone := fault.New(fault.ConnectionClosed, "connection %s has left (%s)", c.ID, reason)
	for _, to := range c.asked {
		t.replyTo(to, nil, gone)
	}
	c.asked = nil
	for len(c.Subscriptions) > 0 {
		endSubscription(t, c, c.Subscriptions[0], reason, gone)
	}
	if c.Stream != nil {
		endStream(t, c, reason)
	}
	t.remove(c)
	for _, o := range t.Connections {
		delete(o.early, c.ID)
	}
	if !c.Recorder {
		t.notify(Left{Connection: c.ID, Reason: reason}, t.joined("")...)
	}
	t.happened(c, event.Left{Reason: reason, Joined: c.toldJoined(), Since: c.ActiveAt})
	t.save()
}

// evicted tells a connection that has departed against its will, and ends its outbox.
func evicted(t *turn, c *Connection, reason string) {
	t.notify(Evicted{Connection: c.ID, Reason: reason}, c.ID)
	t.emit(Dismiss{Connection: c.ID, RPC: c.RPC})
}

// endIfEmpty ends a session whose last participant has left; RECORDER and SPEECH_TO_TEXT do not keep it.
func endIfEmpty(t *turn) {
	if t.Active && t.participants() == 0 {
		end(t, lastParticipantLeft)
	}
}

// closeSession is the end by REST or by the server (spec §10.9).
func closeSession(t *turn, c Close) {
	if !t.Ended {
		end(t, c.Reason)
	}
	t.reply(nil)
}

// end evicts whoever is there, in order, and ends the session.
func end(t *turn, reason string) {
	t.Closing = reason
	for _, c := range append([]*Connection(nil), t.Connections...) {
		if c.ActiveAt != 0 {
			depart(t, c, reason)
			evicted(t, c, reason)
		}
	}
	t.Connections, t.Ended = nil, true
	t.happened(nil, event.SessionEnded{Reason: reason})
	t.emit(End{Reason: reason})
	t.save()
}

// evictFlooded gives up a client that does not read.
func evictFlooded(t *turn, c overflowed) {
	if n := t.active(c.Connection); n != nil && n.RPC == c.RPC {
		depart(t, n, networkDisconnect)
		evicted(t, n, networkDisconnect)
		endIfEmpty(t)
	}
}

// collect ends a session that was made and never used (rest §5.6); no client can be there to be told.
func collect(t *turn, c unused) {
	if !t.Active && t.env.Now-t.CreatedAt > c.OlderThan && len(t.joined("")) == 0 {
		end(t, "")
	}
}
