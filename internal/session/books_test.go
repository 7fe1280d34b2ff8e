package session

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"tertulia/internal/event"
)

// books are a model of all sessions that knows nothing but the events told. They insist that each begin comes once, that
// each end comes once and says what the begin said, and that nothing happens to what is not there.
type books struct {
	mu     sync.Mutex
	open   map[string]*book   // by session id
	closed map[string]bool    // session id and creation time of those that have ended
	left   map[string]parting // the latest, by session and connection
	events map[string]int     // how many of each kind
	wrong  []string
}

// book is one session.
type book struct {
	began   int64
	people  map[string]*person
	streams map[string]*flow // by stream id
	used    map[string]bool  // stream ids there have been
	joined  bool             // somebody has joined, once
	over    map[string]string
	leaving map[string]string // by connection: the reason its streams and subscriptions have ended with; it must leave next
}

type person struct {
	since   int64
	joined  event.Joined
	hidden  bool
	online  bool
	quality int
	watches map[string]*flow // by stream id
}

// parting is when and why somebody left.
type parting struct {
	at     int64
	reason string
}

// flow is a stream, or one person's subscription to it.
type flow struct {
	owner string
	since int64
	media event.Media
}

func newBooks() *books {
	return &books{open: map[string]*book{}, closed: map[string]bool{}, left: map[string]parting{}, events: map[string]int{}}
}

func (l *books) fault(e event.Event, format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf("%s %s %s %+v: %s", e.Session, e.Connection, e.Body.Kind(), e.Body, fmt.Sprintf(format, args...)))
}

// observe is Config.Observe.
func (l *books) observe(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events[e.Body.Kind()]++
	b := l.open[e.Session]
	if created, ok := e.Body.(event.SessionCreated); ok {
		l.created(e, created, b)
		return
	}
	switch {
	case b == nil || b.began != e.Began:
		l.fault(e, "the session created at %d is not open", e.Began)
		return
	case e.Hidden != isHidden(e.Connection):
		l.fault(e, "hidden is %v", e.Hidden)
	}
	if ended, ok := e.Body.(event.SessionEnded); ok {
		l.ended(e, ended, b)
		return
	}
	if v, ok := e.Body.(event.Left); ok {
		l.left[e.Session+" "+e.Connection] = parting{e.At, v.Reason}
	}
	if complaint := b.enter(e); complaint != "" {
		l.fault(e, "%s", complaint)
	}
}

func (l *books) created(e event.Event, s event.SessionCreated, old *book) {
	key := fmt.Sprint(e.Session, " ", e.Began)
	switch {
	case old != nil || l.closed[key]:
		l.fault(e, "it was created before")
	case e.At != e.Began || s.CustomSessionID != "" && s.CustomSessionID != e.Session:
		l.fault(e, "created at %d, begun %d", e.At, e.Began)
	}
	l.open[e.Session] = &book{
		began: e.Began, people: map[string]*person{}, streams: map[string]*flow{}, used: map[string]bool{},
		over: map[string]string{}, leaving: map[string]string{},
	}
}

func (l *books) ended(e event.Event, s event.SessionEnded, b *book) {
	switch {
	case len(b.people)+len(b.streams) > 0:
		l.fault(e, "%d people and %d streams have not ended", len(b.people), len(b.streams))
	case s.Reason == "" && b.joined, s.Reason == lastParticipantLeft && !b.joined:
		l.fault(e, "somebody had joined: %v", b.joined)
	}
	delete(l.open, e.Session)
	l.closed[fmt.Sprint(e.Session, " ", e.Began)] = true
}

// enter books what happens to one connection, and returns what is wrong with it.
func (b *book) enter(e event.Event) (complaint string) {
	me := b.people[e.Connection]
	switch v := e.Body.(type) {
	case event.Joined:
		return b.join(e, v)
	case event.SignalSent:
		return b.signal(e.Connection, v)
	case event.Refused:
		if v.Method == "joinRoom" {
			return ""
		}
	}
	if me == nil {
		return "who is that?"
	}
	switch v := e.Body.(type) {
	case event.Left:
		return b.leave(e.Connection, me, v)
	case event.Published:
		return b.publish(e, v)
	case event.Unpublished:
		return b.unpublish(e.Connection, v)
	case event.Subscribed:
		return b.subscribe(e, me, v)
	case event.Unsubscribed:
		return b.unsubscribe(e.Connection, me, v)
	case event.QualityChanged:
		if old := me.quality; old != v.Old || b.streamOf(e.Connection) == "" {
			return fmt.Sprintf("its quality was %d, its stream is %q", old, b.streamOf(e.Connection))
		}
		me.quality = v.New
	case event.SocketLost:
		if !me.online {
			return "it had no socket"
		}
		me.online = false
	case event.SocketBack:
		me.online = true
	}
	return ""
}

func (b *book) join(e event.Event, j event.Joined) string {
	if b.people[e.Connection] != nil {
		return "it has joined before"
	}
	b.people[e.Connection] = &person{since: e.At, joined: j, hidden: e.Hidden, online: true, watches: map[string]*flow{}}
	b.joined = b.joined || !e.Hidden
	if e.At < b.began || j.Location == "" {
		return "it joined before the session was there, or from nowhere"
	}
	return ""
}

func (b *book) leave(id string, me *person, v event.Left) string {
	reason := b.leaving[id]
	delete(b.leaving, id)
	delete(b.people, id)
	switch {
	case v.Since != me.since || v.Joined != me.joined:
		return fmt.Sprintf("it had joined at %d as %+v", me.since, me.joined)
	case b.streamOf(id) != "" || len(me.watches) > 0:
		return "something of it has not ended"
	case v.Reason == "" || reason != "" && reason != v.Reason:
		return "its streams and subscriptions ended with " + reason
	}
	return ""
}

func (b *book) publish(e event.Event, v event.Published) string {
	stream := b.streams[v.Stream]
	switch {
	case v.Again && (stream == nil || stream.owner != e.Connection):
		return "there was no such stream"
	case v.Again:
		return ""
	case b.streamOf(e.Connection) != "" || b.used[v.Stream]:
		return "it publishes " + b.streamOf(e.Connection) + ", or the name was used before"
	}
	b.streams[v.Stream] = &flow{owner: e.Connection, since: e.At, media: v.Media}
	b.used[v.Stream] = true
	return ""
}

func (b *book) unpublish(id string, v event.Unpublished) string {
	stream := b.streams[v.Stream]
	if stream == nil || stream.owner != id {
		return "there is no such stream"
	}
	delete(b.streams, v.Stream)
	b.people[id].quality = 0
	b.over[v.Stream] = v.Reason
	if !slices.Contains([]string{"unpublish", "forceUnpublishByUser", "forceUnpublishByServer", mediaServerReconnect}, v.Reason) {
		b.leaving[id] = v.Reason
	}
	return stream.differs(v.Since, v.Media)
}

func (b *book) subscribe(e event.Event, me *person, v event.Subscribed) string {
	stream, old := b.streams[v.Stream], me.watches[v.Stream]
	switch {
	case stream == nil || stream.owner != v.Publisher:
		return "there is no such stream"
	case v.Again != (old != nil):
		return fmt.Sprintf("it is subscribed: %v", old != nil)
	case !v.Again:
		me.watches[v.Stream] = &flow{owner: v.Publisher, since: e.At, media: v.Media}
	}
	return ""
}

func (b *book) unsubscribe(id string, me *person, v event.Unsubscribed) string {
	old := me.watches[v.Stream]
	if old == nil || old.owner != v.Publisher {
		return "it was not subscribed"
	}
	delete(me.watches, v.Stream)
	switch reason, over := b.over[v.Stream]; {
	case over && reason != v.Reason:
		return "the stream ended with " + reason
	case !over && v.Reason != "unsubscribe" && v.Reason != mediaServerReconnect:
		b.leaving[id] = v.Reason
	}
	return old.differs(v.Since, v.Media)
}

// differs compares an end with its begin; the frame rate and the dimensions may have changed between.
func (f *flow) differs(since int64, m event.Media) string {
	m.FrameRate, m.Dimensions = f.media.FrameRate, f.media.Dimensions
	if f.since != since || f.media != m {
		return fmt.Sprintf("it began at %d with %+v", f.since, f.media)
	}
	return ""
}

func (b *book) signal(from string, v event.SignalSent) string {
	if from != "" && b.people[from] == nil || len(v.To) == 0 {
		return "its sender is not there, or nobody was sent it"
	}
	for _, id := range v.To {
		if b.people[id] == nil {
			return id + " is not there"
		}
	}
	return ""
}

// streamOf returns what a connection publishes, "" if nothing.
func (b *book) streamOf(connection string) string {
	for id, s := range b.streams {
		if s.owner == connection {
			return id
		}
	}
	return ""
}

// settled reports what was left half told when nothing is under way.
func (l *books) settled() (wrong []string) {
	for id, b := range l.open {
		for connection, reason := range b.leaving {
			wrong = append(wrong, fmt.Sprintf("%s: something of %s has ended with %s, but it has not left", id, connection, reason))
		}
		for connection, p := range b.people {
			for stream := range p.watches {
				if b.streams[stream] == nil {
					wrong = append(wrong, fmt.Sprintf("%s: %s is still subscribed to %s, which has ended", id, connection, stream))
				}
			}
		}
	}
	return wrong
}

// forget does what a restart does, after all subscriptions have ended: qualities are judged anew, sockets are lost.
func (l *books) forget() {
	for id, b := range l.open {
		for connection, p := range b.people {
			if !p.hidden && len(p.watches) > 0 {
				l.wrong = append(l.wrong, fmt.Sprintf("%s: the process is gone, and %s is still subscribed to %v", id, connection, p.watches))
			}
			p.watches = map[string]*flow{} // RECORDER's are told to nobody
			p.quality, p.online = 0, true
		}
	}
}

// picture is one session in words, to be compared: by events, and by State.
func (b *book) picture() string {
	var lines []string
	for id, p := range b.people {
		lines = append(lines, fmt.Sprintf("%s joined %d, quality %d", id, p.since, p.quality))
		for stream, f := range p.watches {
			lines = append(lines, fmt.Sprintf("%s receives %s of %s since %d", id, stream, f.owner, f.since))
		}
	}
	for id, f := range b.streams {
		lines = append(lines, fmt.Sprintf("%s publishes %s since %d", f.owner, id, f.since))
	}
	slices.Sort(lines)
	return strings.Join(append([]string{fmt.Sprint("created ", b.began)}, lines...), "\n\t")
}

// pictureOf is the same of a State.
func pictureOf(s State) string {
	var lines []string
	for _, c := range s.Connections {
		if c.ActiveAt == 0 {
			continue
		}
		quality := 0
		if c.Quality != nil {
			quality = *c.Quality
		}
		lines = append(lines, fmt.Sprintf("%s joined %d, quality %d", c.ID, c.ActiveAt, quality))
		if c.Stream != nil && c.Stream.Phase != Publishing {
			lines = append(lines, fmt.Sprintf("%s publishes %s since %d", c.ID, c.Stream.ID, c.Stream.CreatedAt))
		}
		for _, u := range c.Subscriptions {
			if u.Since != 0 || u.Phase == Flowing {
				lines = append(lines, fmt.Sprintf("%s receives %s of %s since %d", c.ID, u.Stream, u.Publisher, u.Since))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(append([]string{fmt.Sprint("created ", s.CreatedAt)}, lines...), "\n\t")
}

// compare returns where events and states differ.
func (l *books) compare(states []State) (wrong []string) {
	byState := map[string]string{}
	for _, s := range states {
		byState[s.ID] = pictureOf(s)
	}
	for id, b := range l.open {
		if told, is := b.picture(), byState[id]; told != is {
			wrong = append(wrong, fmt.Sprintf("session %s\n by events:\n\t%s\n by its state:\n\t%s", id, told, is))
		}
	}
	for id := range maps.Keys(byState) {
		if l.open[id] == nil {
			wrong = append(wrong, fmt.Sprintf("session %s is not known by events", id))
		}
	}
	return wrong
}
