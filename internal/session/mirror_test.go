package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tertulia/internal/event"
)

// mirror is a client: what it knows of a session from its own outbox alone.
type mirror struct {
	session string
	at      *Attachment // nil while it has no socket
	rpc, id string
	recent  bool // its release understands our offers

	stale   bool // the process died before it could be told everything
	deaf    bool // its network is gone: it reads nothing more on this socket
	dropped time.Time
	grace   time.Duration
	gone    bool

	others  map[string]string // what others publish, by connection; "" for nothing
	own     string            // what it publishes itself …
	unsure  bool              // … unless the answer was lost
	pending map[string]time.Time
	kinds   map[string]Command // of the requests pending
	todo    []Command          // what a client does next by itself: answering our offers
	ignored map[string]bool    // requests given up
	asked   int
	wrong   []string
}

func newMirror(session string, a *Attachment, recent bool) *mirror {
	return &mirror{
		session: session, at: a, rpc: a.RPC, id: a.Connection, recent: recent,
		others: map[string]string{}, pending: map[string]time.Time{}, kinds: map[string]Command{}, ignored: map[string]bool{},
	}
}

func (m *mirror) fault(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf("%s %s: %s", m.session, m.id, fmt.Sprintf(format, args...)))
}

var noWait = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// read takes what has come. What is read on a dead socket is lost, and not acknowledged.
func (m *mirror) read() {
	for m.at != nil {
		message, err := m.at.Next(noWait)
		switch {
		case errors.Is(err, context.Canceled):
			return
		case err != nil:
			if !m.deaf && len(m.pending) > 0 {
				m.fault("its connection has ended, and %d of its requests were not answered: %v", len(m.pending), m.kinds)
			}
			m.gone, m.at = true, nil
			return
		case m.deaf:
			continue
		case message.Reply != nil:
			m.answered(message.Reply)
		default:
			m.notified(message.Notice)
			m.at.Ack(message.Seq)
		}
	}
}

// ask sends a request.
func (m *mirror) ask(c Command) error {
	m.asked++
	id := fmt.Sprint(m.asked)
	m.pending[id], m.kinds[id] = time.Now(), c
	return m.at.Send(context.Background(), id, c)
}

func (m *mirror) answered(a *Answered) {
	if joined, ok := a.Result.(JoinResult); ok {
		for _, o := range joined.Others {
			m.others[o.ID] = ""
			if o.Stream != nil {
				m.others[o.ID] = o.Stream.ID
			}
		}
		return
	}
	if m.ignored[a.Request] { // asked on an older socket
		delete(m.ignored, a.Request)
		return
	}
	if _, waits := m.pending[a.Request]; !waits {
		m.fault("request %s was answered twice, or never asked", a.Request)
	}
	asked := m.kinds[a.Request]
	delete(m.pending, a.Request)
	delete(m.kinds, a.Request)
	if a.Err != nil {
		return
	}
	switch result := a.Result.(type) {
	case PublishResult:
		m.own, m.unsure = result.Stream, false
	case SubscribeResult:
		if s, ok := asked.(Subscribe); ok && s.Offer == "" {
			m.todo = append(m.todo, AnswerSubscription{Sender: s.Sender, SDP: "answer"})
		}
	case nil:
		if _, ended := asked.(Unpublish); ended {
			m.own, m.unsure = "", false
		}
	}
}

func (m *mirror) notified(n Notice) {
	var stream string
	known := true
	switch n := n.(type) {
	case Joined:
		if _, before := m.others[n.Connection]; before {
			m.fault("%s has joined before", n.Connection)
		}
		m.others[n.Connection] = ""
	case StreamPublished:
		stream, known = m.look(n.Connection)
		if stream != "" {
			m.fault("%s publishes %s already", n.Connection, stream)
		}
		m.others[n.Connection] = n.Stream.ID
	case StreamUnpublished:
		if n.Connection == m.id {
			m.own, m.unsure = "", false
			return
		}
		if stream, known = m.look(n.Connection); stream == "" {
			m.fault("%s published nothing", n.Connection)
		}
		m.others[n.Connection] = ""
	case Left:
		_, known = m.look(n.Connection)
		delete(m.others, n.Connection)
	case StreamChanged:
		if stream, known = m.look(n.Connection); stream != n.Stream {
			m.fault("%s of %s has changed, which publishes %q", n.Stream, n.Connection, stream)
		}
	case QualityChanged:
		if n.Connection != m.id {
			_, known = m.look(n.Connection)
		}
	case ForcedOffer:
		stream, known = m.look(n.Publisher)
		if stream != n.Stream || !m.recent {
			m.fault("an offer of %s, which it does not know or cannot take", n.Stream)
		}
		m.todo = append(m.todo, Reconnect{Stream: n.Stream, SDP: "answer", IsAnswer: true})
	case Evicted:
		if n.Connection != m.id {
			m.fault("it was told that %s is evicted", n.Connection)
		}
	}
	if !known {
		m.fault("%s: who is that?", showNotice(n))
	}
}

func (m *mirror) look(connection string) (stream string, known bool) {
	stream, known = m.others[connection]
	return stream, known
}

// lose ends the socket; what was read from it since it went deaf is sent again on the next.
func (m *mirror) lose(grace time.Duration) {
	m.at.Detach(event.SocketLost{})
	m.at, m.dropped, m.grace = nil, time.Now(), grace
	m.cancel()
}

// back goes on with another socket.
func (m *mirror) back(a *Attachment) {
	m.at, m.deaf = a, false
	m.cancel()
}

// cancel forgets the requests that wait: so do clients when they lose their socket.
func (m *mirror) cancel() {
	for id, c := range m.kinds {
		m.ignored[id] = true
		switch c.(type) {
		case Publish, Unpublish:
			m.unsure = true
		}
	}
	m.todo = nil
	clear(m.pending)
	clear(m.kinds)
}

// again is what stock clients do once they are back: they negotiate anew what has no media, here all of it.
func (m *mirror) again() {
	if m.own != "" && !m.unsure {
		m.todo = append(m.todo, Reconnect{Stream: m.own, SDP: "offer"})
	}
	for _, other := range slices.Sorted(maps.Keys(m.others)) {
		if stream := m.others[other]; stream != "" {
			m.todo = append(m.todo, Reconnect{Stream: stream, SDP: "offer"})
		}
	}
}

// compare returns where what the client knows differs from what events have told.
func (m *mirror) compare(b *book) (wrong []string) {
	if m.at == nil || m.deaf || m.stale {
		return nil
	}
	wrong = m.wrong
	told := map[string]string{}
	for id, p := range b.people {
		if !p.hidden && id != m.id {
			told[id] = b.streamOf(id)
		}
	}
	if !maps.Equal(told, m.others) {
		wrong = append(wrong, fmt.Sprintf("%s %s\n knows %v\n events %v", m.session, m.id, m.others, told))
	}
	if own := b.streamOf(m.id); own != m.own && !m.unsure {
		wrong = append(wrong, fmt.Sprintf("%s %s thinks it publishes %q; events say %q", m.session, m.id, m.own, own))
	}
	for _, id := range slices.Sorted(maps.Keys(m.pending)) {
		if waited := time.Since(m.pending[id]); waited > 2*time.Minute {
			wrong = append(wrong, fmt.Sprintf("%s %s waits for the answer to %T since %v", m.session, m.id, m.kinds[id], waited))
		}
	}
	return wrong
}
