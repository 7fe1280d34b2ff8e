package diagnosis

import (
	"hash/maphash"
	"maps"
	"regexp"

	"tertulia/internal/event"
)

// call is what a watch knows of a session.
type call struct {
	session string
	people  map[string]*participant
	flows   map[string]*Endpoint // by endpoint
	next    int64                // when to look again, Unix milliseconds
	whole   int64                // when it was looked at as a whole
	gone    map[string]int64     // connections and endpoints that have ended lately, and when
	barren  int                  // looks in a row that found nobody
}

// participant is what a watch knows of a connection.
type participant struct {
	id      string
	network string
	reached string
	socket  Socket
	refused map[string]Refusal
	idle    Idle
	udp     *bool // how it comes; nil: not yet
	usedUDP int64 // when it last came so, Unix milliseconds
	filmed  int64 // when video of it last came
	open    map[string]*opened
	unwell  bool
}

// opened is a record that was begun, by code and stream.
type opened struct {
	record *Record
	seen   int64 // when the fault was last seen
	over   int64 // when it was ended; 0: it lasts
}

var seed = maphash.MakeSeed()

// call returns that of a session. Calls are spread over the seconds by their names.
func (w *Watch) call(session string, now int64) *call {
	c := w.calls[session]
	if c == nil {
		c = &call{session: session, people: map[string]*participant{}, flows: map[string]*Endpoint{}, gone: map[string]int64{}}
		c.next = now + int64(maphash.String(seed, session)%oftenEvery)
		w.calls[session] = c
	}
	return c
}

func (c *call) participant(connection string) *participant {
	p := c.people[connection]
	if p == nil {
		p = &participant{
			id: connection, refused: map[string]Refusal{}, open: map[string]*opened{},
			socket: Socket{Silent: -1},
		}
		c.people[connection] = p
	}
	return p
}

// take learns from an event.
func (w *Watch) take(e event.Event) {
	if _, over := e.Body.(event.SessionEnded); over {
		w.close(e.Session, e.At)
		return
	}
	if e.Connection == "" {
		return // of the session alone, or a join that was refused
	}
	c := w.call(e.Session, e.At)
	if _, left := e.Body.(event.Left); left {
		w.leave(c, e.Connection, e.At)
		return
	}
	if _, joins := e.Body.(event.Joined); !joins && c.people[e.Connection] == nil && c.ended(e.Connection, e.At) {
		return // the end of something of one who has left
	}
	p := c.participant(e.Connection)
	switch b := e.Body.(type) {
	case event.Joined:
		p.network, p.reached = prefixOf(b.Address), b.Host
	case event.SocketLost:
		p.socket = Socket{Lost: e.At, Quiet: b.Silent >= quietAfter, Silent: -1}
		if abrupt(b) {
			if idle, ok := w.closes.add(e.Session+" "+p.id, e.At, b.Age, b.Silent); ok {
				p.idle = idle
			}
		}
		c.hurry(p, e.At)
	case event.SocketBack:
		p.socket = Socket{Silent: -1}
	case event.Published:
		delete(p.refused, "publishVideo")
		delete(p.refused, "reconnectStream")
		f := c.flow(b.Endpoint, p.id)
		f.Stream, f.Video.Missing = b.Stream, b.HasVideo && b.Video == ""
		c.hurry(p, e.At)
	case event.Subscribed:
		delete(p.refused, "receiveVideoFrom")
		f := c.flow(b.Endpoint, p.id)
		f.Stream, f.Publisher = b.Stream, b.Publisher
		c.hurry(p, e.At)
	case event.Unpublished:
		delete(c.flows, p.id)
		c.gone[p.id] = e.At
	case event.Unsubscribed:
		delete(c.flows, b.Endpoint)
		c.gone[b.Endpoint] = e.At
	case event.Refused:
		if len(p.refused) < 16 {
			p.refused[b.Method] = Refusal{b.Stream, b.Code, b.Text}
		}
		c.hurry(p, e.At)
	case event.Transport:
		c.hurry(p, e.At)
	}
}

// abrupt says that neither the client nor we ended a websocket: no close frame came or went.
func abrupt(b event.SocketLost) bool { return b.Code == 0 || b.Code == 1006 }

// hurry looks at a participant soon.
func (c *call) hurry(p *participant, now int64) {
	p.unwell = true
	c.next = min(c.next, now+oftenEvery)
}

// flow makes the memory of an endpoint's new transport.
func (c *call) flow(name, owner string) *Endpoint {
	f := &Endpoint{Name: name, owner: owner}
	f.Facts.Age, f.Facts.Consent, f.Facts.Heard = -1, -1, -1
	c.flows[name] = f
	delete(c.gone, name)
	return f
}

// leave ends what was open of a connection.
func (w *Watch) leave(c *call, connection string, at int64) {
	c.gone[connection] = at
	p := c.people[connection]
	if p == nil {
		return
	}
	for _, o := range p.open {
		if o.over == 0 {
			w.end(o.record, at)
		}
	}
	delete(c.people, connection)
	maps.DeleteFunc(c.flows, func(_ string, e *Endpoint) bool { return e.owner == connection })
}

// close forgets a session.
func (w *Watch) close(session string, at int64) {
	c := w.calls[session]
	if c == nil {
		return
	}
	for connection := range c.people {
		w.leave(c, connection, at)
	}
	delete(w.calls, session)
}

// endpointName is "<connection>" for a publisher, "<connection>_<stream>" for a subscription (mediactl).
var endpointName = regexp.MustCompile(`^([a-zA-Z]+_[A-Za-z0-9]+)(?:_(.+))?$`)

// partsOf returns the connection that an endpoint belongs to, and for a subscription the stream it is of.
func partsOf(endpoint string) (connection, stream string) {
	if m := endpointName.FindStringSubmatch(endpoint); m != nil {
		return m[1], m[2]
	}
	return endpoint, ""
}
