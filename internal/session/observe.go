package session

import (
	"maps"
	"strings"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// observer tells Config.Observe what happens in a session, in the order of its decisions: what the rules say has happened,
// and what only the passing commands and effects show. It belongs to the runner's goroutine.
type observer struct {
	tell    func(event.Event)
	session string
	began   int64

	methods map[Origin]string    // of requests that wait for their answer
	lost    map[string]time.Time // since when a connection has no socket
}

func newObserver(tell func(event.Event), s *State) *observer {
	if tell == nil {
		tell = func(event.Event) {}
	}
	return &observer{
		tell: tell, session: s.ID, began: s.CreatedAt,
		methods: map[Origin]string{}, lost: map[string]time.Time{},
	}
}

// say tells of something that happens now.
func (o *observer) say(connection string, body event.Body) {
	o.told(Happened{At: time.Now().UnixMilli(), Connection: connection, Body: body})
}

func (o *observer) told(h Happened) {
	o.tell(event.Event{
		At: h.At, Session: o.session, Began: o.began,
		Connection: h.Connection, Hidden: isHidden(h.Connection), Body: h.Body,
	})
}

// begin notes a client's request until its answer passes.
func (o *observer) begin(l letter) {
	if l.from.Request != "" {
		o.methods[l.from] = methodOf(l.command)
	}
}

// observe tells what an effect of a letter means.
func (o *observer) observe(l letter, effect Effect) {
	switch e := effect.(type) {
	case Happened:
		o.told(e)
	case Reply:
		o.replied(l, e)
	case Admit:
		o.admitted(e)
	case Dismiss:
		o.forget(e.Connection)
	case Arm:
		o.dropped(l, e)
	}
}

func (o *observer) replied(l letter, e Reply) {
	method := o.methods[e.To]
	delete(o.methods, e.To)
	if method != "" && e.Err != nil { // what REST asks has no method
		o.say(e.To.Connection, refused(method, l.command, e.Err))
	}
}

// refused tells of a request that failed as its client is told, but for what may be a secret.
func refused(method string, c Command, err error) event.Refused {
	r := event.Refused{Method: method, Code: string(fault.Of(err)), Text: err.Error()}
	switch fault.Of(err) {
	case fault.Internal:
		r.Text = "the server failed; its log says why"
	case fault.TokenInvalid:
		r.Text = "the token is unknown or was used before; make a new connection by REST"
	}
	switch c := c.(type) {
	case settled:
		r.Stream = c.Stream
	case Reconnect:
		r.Stream = c.Stream
	case Subscribe:
		r.Stream = c.Sender
	case AnswerSubscription:
		r.Stream = c.Sender
	}
	return r
}

// admitted tells of a client that is back on another socket.
func (o *observer) admitted(e Admit) {
	delete(o.methods, e.To)
	if e.Result != nil {
		return
	}
	var after int64
	if since, ok := o.lost[e.Connection.ID]; ok {
		after = time.Since(since).Milliseconds()
	}
	delete(o.lost, e.Connection.ID)
	o.say(e.Connection.ID, event.SocketBack{After: after})
}

// forget drops what is kept for a connection.
func (o *observer) forget(connection string) {
	delete(o.lost, connection)
	maps.DeleteFunc(o.methods, func(from Origin, _ string) bool { return from.Connection == connection })
}

// dropped takes the beginning of a grace time. That of a restart is nobody's loss of a socket: it is ours.
func (o *observer) dropped(l letter, e Arm) {
	grace, ok := e.Command.(graceOver)
	if !ok {
		return
	}
	o.lost[grace.Connection] = time.Now()
	if d, ok := l.command.(Drop); ok {
		o.say(grace.Connection, d.Lost)
	}
}

// reported is what the media node says of an endpoint by itself.
func (o *observer) reported(s *State, e mediactl.Event) {
	for _, c := range s.Connections {
		if belongs(e.Endpoint, c.ID) {
			o.say(c.ID, event.Transport{Endpoint: e.Endpoint, State: string(e.Type), Reason: e.Reason})
			return
		}
	}
}

// belongs: see endpoint.
func belongs(endpoint, connection string) bool {
	return endpoint == connection || strings.HasPrefix(endpoint, connection+"_")
}

// methodOf is the name of a client's command in the protocol.
func methodOf(c Command) string {
	switch c := c.(type) {
	case Join:
		return "joinRoom"
	case Leave:
		return "leaveRoom"
	case Publish:
		return "publishVideo"
	case Unpublish:
		return "unpublishVideo"
	case Subscribe:
		if c.Offer == "" {
			return "prepareReceiveVideoFrom"
		}
		return "receiveVideoFrom"
	case AnswerSubscription:
		return "receiveVideoFrom"
	case Unsubscribe:
		return "unsubscribeFromVideo"
	case Reconnect:
		return "reconnectStream"
	case Candidate:
		return "onIceCandidate"
	case ClientSignal:
		return "sendMessage"
	case ChangeStream:
		return "streamPropertyChanged"
	case ForceDisconnect:
		return "forceDisconnect"
	case ForceUnpublish:
		return "forceUnpublish"
	case Filter:
		return c.Method
	}
	return ""
}
