package elastic

import (
	"encoding/json"
	"sync"

	"tertulia/internal/event"
	"tertulia/internal/wire/openvidu"
)

// Limits of what is remembered of sessions that run. What is beyond is not in their summaries.
const (
	maxCalls = 10_000
	maxParts = 2000    // connections and streams of one session
	maxAll   = 200_000 // of all
)

// call names a session; ids are used again.
type call struct {
	id    string
	began int64
}

// summaries remember what happened in sessions until they end. Events of before the start are not known.
type summaries struct {
	mu    sync.Mutex
	open  map[call]*gathered
	parts int
}

// gathered is what is known of one session, in the order of its events.
type gathered struct {
	made    event.SessionCreated
	members []*member
	of      map[string]*member // by connection
	parts   int
}

type member struct {
	user                    string
	joined                  event.Joined
	summary                 openvidu.ElasticConnection
	publishing, subscribing []openvidu.ElasticStream
}

// user is the browser of an event's connection, "" if it is not known.
func (s *summaries) user(e event.Event) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.open[call{e.Session, e.Began}]; g != nil {
		if m := g.of[e.Connection]; m != nil {
			return m.user
		}
	}
	return ""
}

// event notes what has happened, and returns the summary of a session that has ended.
func (s *summaries) event(e event.Event, told []byte) *openvidu.ElasticSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch b := e.Body.(type) {
	case event.SessionCreated:
		if g := s.session(e); g != nil {
			g.made = b
		}
	case event.Joined:
		if m := s.member(e); m != nil {
			m.enter(b, e.At)
		}
	case event.Left:
		if m := s.member(e); m != nil {
			if m.summary.CreatedAt == 0 {
				m.enter(b.Joined, b.Since)
			}
			m.leave(e.At, b.Reason)
		}
	case event.Unpublished:
		if m := s.part(e); m != nil {
			m.publishing = append(m.publishing, streamOf(e, told))
		}
	case event.Unsubscribed:
		if m := s.part(e); m != nil {
			m.subscribing = append(m.subscribing, streamOf(e, told))
		}
	case event.SessionEnded:
		return s.end(e, told)
	}
	return nil
}

// session is nil if there is no room for another.
func (s *summaries) session(e event.Event) *gathered {
	name := call{e.Session, e.Began}
	g := s.open[name]
	if g == nil && len(s.open) < maxCalls {
		g = &gathered{of: map[string]*member{}}
		s.open[name] = g
	}
	return g
}

// room counts one more part, or says that there are too many.
func (s *summaries) room(g *gathered) bool {
	if g.parts >= maxParts || s.parts >= maxAll {
		return false
	}
	g.parts++
	s.parts++
	return true
}

// member is nil if there is no room for another.
func (s *summaries) member(e event.Event) *member {
	g := s.session(e)
	if g == nil || e.Connection == "" {
		return nil
	}
	m := g.of[e.Connection]
	if m == nil && s.room(g) {
		m = &member{}
		g.of[e.Connection] = m
		g.members = append(g.members, m)
		m.summary.ConnectionID = e.Connection
	}
	return m
}

// part is the member who has one more stream.
func (s *summaries) part(e event.Event) *member {
	m := s.member(e)
	if m == nil || !s.room(s.session(e)) {
		return nil
	}
	return m
}

func (m *member) enter(j event.Joined, at int64) {
	if m.user = j.FinalUserID; m.user == "" {
		m.user = m.summary.ConnectionID // alone in its browser, for all we know
	}
	m.joined = j
	m.summary.User, m.summary.CreatedAt = m.user, at
	m.summary.ClientData, m.summary.ServerData = j.ClientData, j.ServerData
}

func (m *member) leave(at int64, reason string) {
	m.summary.DestroyedAt, m.summary.Reason = at, reason
	m.summary.Duration = max(0, at-m.summary.CreatedAt) / 1000
}

// streamOf is the end of a stream as applications are told it, without whose it is.
func streamOf(e event.Event, told []byte) (s openvidu.ElasticStream) {
	_ = json.Unmarshal(told, &s) // our own text; one that is too large says nothing
	if s.SessionID == "" {
		s.EventHead = openvidu.EventHead{SessionID: e.Session, UniqueSessionID: uniqueID(e), Timestamp: e.At}
	}
	return s
}

// end forgets a session. One that applications are not told of has no summary: nobody came.
func (s *summaries) end(e event.Event, told []byte) *openvidu.ElasticSession {
	name := call{e.Session, e.Began}
	g := s.open[name]
	if g == nil {
		g = &gathered{}
	}
	delete(s.open, name)
	s.parts -= g.parts
	var end openvidu.EventEnd
	if told == nil || json.Unmarshal(told, &end) != nil {
		return nil
	}
	summary := &openvidu.ElasticSession{
		CreatedAt: e.Began, DestroyedAt: e.At, SessionID: e.Session, UniqueSessionID: uniqueID(e), CustomSessionID: g.made.CustomSessionID,
		MediaMode: g.made.MediaMode, RecordingMode: g.made.RecordingMode, Duration: end.Duration, Reason: end.Reason,
		Recordings: list[map[string]any](nil),
	}
	users := map[string]int{}
	var all []openvidu.ElasticUser
	for _, m := range g.members {
		if m.summary.DestroyedAt == 0 {
			m.leave(e.At, end.Reason)
		}
		m.summary.Publishers, m.summary.Subscribers = list(m.publishing), list(m.subscribing)
		at, known := users[m.user]
		if !known {
			at = len(all)
			users[m.user] = at
			all = append(all, openvidu.ElasticUser{ID: m.user, Location: m.joined.Location, IP: m.joined.Address, Platform: m.joined.Platform})
		}
		all[at].Connections.Content = append(all[at].Connections.Content, m.summary)
		all[at].Connections.NumberOfElements++
	}
	summary.Users = list(all)
	return summary
}

// forget drops everything.
func (s *summaries) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open, s.parts = map[call]*gathered{}, 0
}

func list[T any](content []T) openvidu.ElasticList[T] {
	if content == nil {
		content = []T{}
	}
	return openvidu.ElasticList[T]{NumberOfElements: len(content), Content: content}
}
