package session

import (
	"maps"
	"strings"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// observer tells Config.Observe what happens in a session, in the order of its decisions. It reads commands and effects
// as they pass, so that the rules know nothing of it. It belongs to the runner's goroutine.
type observer struct {
	tell    func(event.Event)
	session string

	methods map[Origin]string     // of requests that wait for their answer
	flows   map[string]event.Body // by endpoint: the Published or Subscribed it was told as
	lost    map[string]time.Time  // since when a connection has no socket
}

func newObserver(tell func(event.Event), session string) *observer {
	if tell == nil {
		tell = func(event.Event) {}
	}
	return &observer{
		tell: tell, session: session,
		methods: map[Origin]string{}, flows: map[string]event.Body{}, lost: map[string]time.Time{},
	}
}

func (o *observer) say(connection string, body event.Body) {
	o.tell(event.Event{At: time.Now().UnixMilli(), Session: o.session, Connection: connection, Body: body})
}

// begin notes a client's request until its answer passes.
func (o *observer) begin(l letter) {
	if l.from.Request != "" {
		o.methods[l.from] = methodOf(l.command)
	}
}

// observe tells what an effect of a letter means; all are those of the same turn. State is as the turn has left it.
func (o *observer) observe(s *State, l letter, effect Effect, all []Effect) {
	switch e := effect.(type) {
	case Reply:
		o.replied(s, l, e)
	case Admit:
		o.admitted(l, e)
	case Dismiss:
		o.dismissed(e, l, all)
	case Tell:
		if q, ok := e.Request.(mediactl.Release); ok {
			o.released(q.Endpoint, l, all)
		}
	case Arm:
		o.dropped(l, e)
	case End:
		o.say("", event.SessionEnded{Reason: e.Reason})
	}
}

func (o *observer) replied(s *State, l letter, e Reply) {
	method := o.methods[e.To]
	delete(o.methods, e.To)
	switch d, settled := l.command.(settled); {
	case method == "": // asked by REST
	case e.Err != nil:
		o.say(e.To.Connection, refused(method, l.command, e.Err))
	case settled && d.To == e.To:
		o.described(s, d)
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

// described tells that an endpoint has both descriptions. Where we offer, that is when the answer has been taken.
func (o *observer) described(s *State, d settled) {
	me := s.active(d.Connection)
	if me == nil {
		return
	}
	var flow event.Body
	switch q := d.Request.(type) {
	case mediactl.Publish:
		flow = event.Published{
			Stream: d.Stream, Endpoint: q.Endpoint, Audio: d.Description.Audio, Video: d.Description.Video,
			HasVideo: me.Stream != nil && me.Stream.Media.HasVideo,
		}
	case mediactl.Subscribe:
		if q.Offer == "" {
			return
		}
		flow = event.Subscribed{Stream: d.Stream, Publisher: q.Source, Endpoint: q.Endpoint}
	case mediactl.Answer:
		subscription := me.subscription(d.Stream)
		if subscription == nil {
			return
		}
		flow = event.Subscribed{Stream: d.Stream, Publisher: subscription.Publisher, Endpoint: q.Endpoint}
	}
	o.flows[endpointOf(d.Request)] = flow
	o.say(d.Connection, flow)
}

func (o *observer) admitted(l letter, e Admit) {
	c := e.Connection
	delete(o.methods, e.To)
	if e.Result == nil {
		var after int64
		if since, ok := o.lost[c.ID]; ok {
			after = time.Since(since).Milliseconds()
		}
		delete(o.lost, c.ID)
		o.say(c.ID, event.SocketBack{After: after})
		return
	}
	joined := event.Joined{Platform: c.Platform, SDKVersion: c.SDKVersion, Address: c.Address}
	if j, ok := l.command.(Join); ok {
		joined.Host = j.Host
	}
	o.say(c.ID, joined)
}

func (o *observer) dismissed(e Dismiss, l letter, all []Effect) {
	o.forget(e.Connection)
	o.say(e.Connection, event.Left{Reason: reasonOf(e.Connection, l, all)})
}

// forget drops what is kept for a connection.
func (o *observer) forget(connection string) {
	delete(o.lost, connection)
	maps.DeleteFunc(o.methods, func(from Origin, _ string) bool { return from.Connection == connection })
	maps.DeleteFunc(o.flows, func(endpoint string, _ event.Body) bool { return belongs(endpoint, connection) })
}

// released tells the end of what was told to flow.
func (o *observer) released(endpoint string, l letter, all []Effect) {
	flow := o.flows[endpoint]
	delete(o.flows, endpoint)
	switch f := flow.(type) {
	case event.Published:
		o.say(endpoint, event.Unpublished{Stream: f.Stream, Reason: reasonOf(endpoint, l, all)})
	case event.Subscribed:
		o.say(strings.TrimSuffix(endpoint, "_"+f.Stream), event.Unsubscribed{Stream: f.Stream, Endpoint: endpoint})
	}
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

// reasonOf finds why a connection or its stream has ended among what the others, or it itself, are told in that turn;
// nobody may be there to be told.
func reasonOf(connection string, l letter, all []Effect) string {
	for _, effect := range all {
		notify, ok := effect.(Notify)
		if !ok {
			continue
		}
		switch n := notify.Notice.(type) {
		case StreamUnpublished:
			if n.Connection == connection {
				return n.Reason
			}
		case Left:
			if n.Connection == connection {
				return n.Reason
			}
		case Evicted:
			if n.Connection == connection {
				return n.Reason
			}
		}
	}
	if _, ok := l.command.(Unpublish); ok {
		return "unpublish"
	}
	return disconnect
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
