package session

import (
	"slices"
	"time"

	"tertulia/internal/fault"
)

// Do is every rule of a session: it changes the state as the command asks and returns what is to be done, in order.
// Commands that answer have exactly one Reply (or Admit), at once, or for those that need the media node with its
// result. From tells who asks; a client's command is judged as the connection that sent it.
//
// What commands do while …
//
//	the caller's stream is   none           publishing         published          lost
//	Publish                  publishing     AlreadyPublishing  AlreadyPublishing  AlreadyPublishing
//	Unpublish                NotPublishing  none               none               none
//	Reconnect (own)          NotPublishing  NotPublishing      published          published
//	ChangeStream             ignored        kept               kept, told         kept, told
//	Candidate (own)          queued         to the node        to the node        queued
//
//	the sender's stream is   none           publishing         published          lost
//	Subscribe                NotPublishing  waiting            negotiating        waiting
//	Reconnect (offer)        NotPublishing  waiting            negotiating        waiting
//	ForceUnpublish           NotPublishing  NotPublishing      none               none
//	DeleteStream             StreamNotFound StreamNotFound     none               none
//
//	the subscription is      none           waiting            negotiating        offered            flowing
//	AnswerSubscription       NotPublishing  SDPInvalid         SDPInvalid         flowing            SDPInvalid
//	Reconnect (answer)       NotPublishing  SDPInvalid         SDPInvalid         flowing            SDPInvalid
//	Unsubscribe              none           none               none               none               none
//	Candidate                queued         queued             to the node        to the node        to the node
//
// Whatever else happens meanwhile (leaving, eviction, a newer request) makes a media result void; the release that
// ends the endpoint is queued behind the request that makes it. A client's command after it has left is refused with
// ConnectionClosed. TestPhases carries out each cell.
func (s *State) Do(env Env, from Origin, c Command) []Effect {
	t := &turn{State: s, env: env, from: from}
	switch c := c.(type) {
	case CreateConnection:
		createConnection(t, c)
	case UpdateConnection:
		updateConnection(t, c)
	case DeleteConnection:
		deleteConnection(t, c)
	case DeleteStream:
		deleteStream(t, c)
	case SendSignal:
		sendSignal(t, c)
	case SetQuality:
		setQuality(t, c)
	case Close:
		closeSession(t, c)
	case Join:
		join(t, c)
	case Drop:
		drop(t, c)
	case Resume:
		resume(t, c)
	case settled:
		settle(t, c)
	case graceOver:
		endGrace(t, c)
	case waitOver:
		endWait(t, c)
	case overflowed:
		evictFlooded(t, c)
	case restarted:
		restart(t, c)
	case unused:
		collect(t, c)
	case offeredAgain:
		offerAgain(t, c)
	case measured:
		measure(t, c)
	case mediaGone:
		loseMedia(t, c)
	case suspended:
		suspend(t)
	default:
		t.doClient(c)
	}
	if t.dirty {
		t.effects = append(t.effects, Save{})
	}
	return t.effects
}

// doClient carries out what a joined client asks.
func (t *turn) doClient(c Command) {
	me := t.active(t.from.Connection)
	if me == nil || me.RPC != t.from.RPC {
		t.fail(fault.New(fault.ConnectionClosed, "connection %q has left session %s; join again", t.from.Connection, t.ID))
		return
	}
	switch c := c.(type) {
	case Leave:
		leave(t, me)
	case Publish:
		publish(t, me, c)
	case Unpublish:
		unpublish(t, me)
	case Subscribe:
		subscribe(t, me, c)
	case AnswerSubscription:
		answer(t, me, c.Sender, c.SDP)
	case Unsubscribe:
		unsubscribe(t, me, c)
	case Reconnect:
		reconnect(t, me, c)
	case Candidate:
		candidate(t, me, c)
	case ClientSignal:
		clientSignal(t, me, c)
	case ChangeStream:
		changeStream(t, me, c)
	case Filter:
		filter(t, me, c)
	case ForceDisconnect:
		forceDisconnect(t, me, c)
	case ForceUnpublish:
		forceUnpublish(t, me, c)
	default:
		t.fail(fault.New(fault.Internal, "session has no rule for %T", c))
	}
}

// turn is one command being carried out.
type turn struct {
	*State
	env     Env
	from    Origin
	effects []Effect
	dirty   bool
}

func (t *turn) emit(e Effect) { t.effects = append(t.effects, e) }

func (t *turn) reply(result any) { t.emit(Reply{To: t.from, Result: result}) }
func (t *turn) fail(err error)   { t.emit(Reply{To: t.from, Err: err}) }

// replyTo answers a request that came with an earlier command; nobody may have asked.
func (t *turn) replyTo(to Origin, result any, err error) {
	if to != (Origin{}) {
		t.emit(Reply{To: to, Result: result, Err: err})
	}
}

func (t *turn) notify(n Notice, to ...string) {
	if len(to) > 0 {
		t.emit(Notify{To: to, Notice: n})
	}
}

func (t *turn) tell(request any) { t.emit(Tell{Request: request}) }

func (t *turn) arm(after time.Duration, c Command) { t.emit(Arm{After: after, Command: c}) }

// save has the record written once the command is done.
func (t *turn) save() { t.dirty = true }

// next numbers a media request.
func (t *turn) next() uint64 {
	t.Serial++
	return t.Serial
}

// find returns a connection, pending or active; nil if there is none.
func (s *State) find(id string) *Connection {
	for _, c := range s.Connections {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// active returns a connection that has joined; nil if there is none.
func (s *State) active(id string) *Connection {
	if c := s.find(id); c != nil && c.ActiveAt != 0 {
		return c
	}
	return nil
}

// joined returns the ids of all who have joined, RECORDER included, but for one.
func (s *State) joined(except string) []string {
	var ids []string
	for _, c := range s.Connections {
		if c.ActiveAt != 0 && c.ID != except {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// participants counts those who keep a session alive: all who have joined but RECORDER and SPEECH_TO_TEXT.
func (s *State) participants() int {
	n := 0
	for _, c := range s.Connections {
		if c.ActiveAt != 0 && !c.Recorder {
			n++
		}
	}
	return n
}

func (s *State) remove(c *Connection) {
	s.Connections = slices.DeleteFunc(s.Connections, func(o *Connection) bool { return o == c })
}
