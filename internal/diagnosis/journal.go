package diagnosis

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"tertulia/internal/event"
)

// Limits of a [Journal].
const (
	maxEntries  = 2000      // per session
	maxText     = 1000      // bytes of an entry's text
	maxEnded    = 200       // sessions kept after their end
	keptFor     = time.Hour // how long they are
	maxSessions = 10_000    // at once
	maxBytes    = 256 << 20 // of everything
	maxRecords  = 500       // per session
	maxClients  = 1000      // per session, whose clocks and clues are kept
	maxPage     = 1000      // entries of one answer
)

// Journal keeps a timeline per session, in memory and within limits: what the server saw, what the clients logged, and
// what was diagnosed, by the server's clock. Records of the whole server are under the session "". Its methods may be
// called from any goroutine, and none waits.
type Journal struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[string]*timeline
	ended    []*timeline // the first to end first
	bytes    int
	maxBytes int
}

// NewJournal makes an empty one.
func NewJournal() *Journal {
	return &Journal{now: time.Now, sessions: map[string]*timeline{}, maxBytes: maxBytes}
}

// Add writes what has happened down.
func (j *Journal) Add(e event.Event) {
	text, fields := tell(e.Body)
	if text == "" {
		return
	}
	text, fields = clean(text, maxText), bounded(fields)
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.open(e.Session, begins(e.Body))
	if t == nil {
		return
	}
	j.write(t, Entry{At: e.At, Source: FromServer, Connection: e.Connection, Kind: e.Body.Kind(), Text: text, Fields: fields})
	switch e.Body.(type) {
	case event.Left:
		delete(t.clients, e.Connection)
		t.endOf(e.Connection, e.At)
	case event.SessionEnded:
		t.endOf("", e.At)
		if t.endedAt == 0 {
			t.endedAt = j.now().UnixMilli()
			j.ended = append(j.ended, t)
		}
	}
	j.expire()
}

// begins says whether an event may be the first of a new session under an id that was used before.
func begins(body event.Body) bool {
	switch body.(type) {
	case event.SessionCreated, event.Joined:
		return true
	}
	return false
}

// ClientLines merges what a client has logged; received is when it came, Unix milliseconds. Lines of unknown sessions,
// of which no event has told, are dropped.
func (j *Journal) ClientLines(session, connection string, lines []ClientLine, received int64) {
	texts := make([]string, len(lines)) // cleaned before the lock is taken: sessions wait for it
	for i := range lines {
		texts[i] = clean(lines[i].Text, maxText)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.sessions[session]
	if t == nil || len(lines) == 0 {
		return
	}
	c := t.client(connection)
	if c == nil {
		return
	}
	c.clock.set(lines, received)
	for i, l := range lines {
		at := min(l.At+c.clock.offset(), received)
		c.clues.read(texts[i], at)
		j.write(t, Entry{
			At: at, Source: FromClient, Connection: connection, Kind: "log", Text: texts[i],
			Fields: map[string]any{"level": cut(l.Level, 16)},
		})
	}
}

// ClientStats notes what a client measures of its media, as the SDK posts it.
func (j *Journal) ClientStats(session, connection string, stats map[string]any) {
	fields := bounded(stats)
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.sessions[session]
	if t == nil {
		return
	}
	c := t.client(connection)
	if c == nil {
		return
	}
	now := j.now().UnixMilli()
	c.clues.measured(stats, now)
	j.write(t, Entry{At: now, Source: FromClient, Connection: connection, Kind: "stats", Fields: fields})
}

// Timeline returns up to limit entries after a time (Unix milliseconds), the oldest first; limit 0 means 1,000, which is
// the most. A page ends between two milliseconds, so that the next may begin after its last entry; more than limit are
// returned only of a single one. ok is false for an unknown session. Lines of a client come late: they may stand before
// what was read already.
func (j *Journal) Timeline(session string, after int64, limit int) (entries []Entry, ok bool) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.known(session)
	if t == nil {
		return nil, false
	}
	from, _ := slices.BinarySearchFunc(t.entries, after+1, func(e Entry, at int64) int { return cmp.Compare(e.At, at) })
	entries = slices.Clone(t.entries[from:t.page(from, limit)])
	for i := range entries {
		if r := entries[i].Record; r != nil {
			copied := *r
			entries[i].Record = &copied
		}
	}
	return entries, true
}

// Diagnosis returns the records of a connection, or with "" of all of its session: open ones first, then the latest
// first. ok is false for a session or connection nothing is known of.
func (j *Journal) Diagnosis(session, connection string) (records []Record, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.known(session)
	if t == nil || connection != "" && !t.mentions(connection) {
		return nil, false
	}
	records = []Record{}
	for _, r := range t.records {
		if connection == "" || r.Connection == connection {
			records = append(records, *r)
		}
	}
	slices.SortStableFunc(records, func(a, b Record) int {
		if (a.Ended == 0) != (b.Ended == 0) {
			return cmp.Compare(min(a.Ended, 1), min(b.Ended, 1))
		}
		return cmp.Compare(b.At, a.At)
	})
	return records, true
}

// Begin adds a record that is open; End, with the same pointer, closes it. The record is the journal's from then on.
func (j *Journal) Begin(r *Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.open(r.Session, false)
	if t == nil {
		return
	}
	t.keep(r)
	j.write(t, Entry{
		At: r.At, Source: FromDiagnosis, Connection: r.Connection, Kind: "diagnosis", Text: clean(r.Title, maxText), Record: r,
	})
}

// End says that what a record tells is over, if it was not over before; at 0 says that it is back. It returns a copy.
func (j *Journal) End(r *Record, at int64) Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	if at == 0 || r.Ended == 0 {
		r.Ended = at
	}
	return *r
}

// Clues returns what a client's own lines and statistics have said.
func (j *Journal) Clues(session, connection string) Clues {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t := j.sessions[session]; t != nil && t.clients[connection] != nil {
		return t.clients[connection].clues.clone()
	}
	return Clues{}
}

// open returns the timeline of a session, nil if there are too many. With anew, one that has ended makes room for the next
// of the same id.
func (j *Journal) open(session string, anew bool) *timeline {
	t := j.sessions[session]
	switch {
	case t != nil && t.endedAt != 0 && anew:
		j.forget(t)
	case t != nil:
		return t
	}
	if len(j.sessions)-len(j.ended) >= maxSessions {
		return nil
	}
	t = &timeline{session: session, clients: map[string]*client{}, connections: map[string]bool{}}
	j.sessions[session] = t
	return t
}

func (j *Journal) known(session string) *timeline {
	j.expire()
	return j.sessions[session]
}

// write keeps an entry, and makes room for it.
func (j *Journal) write(t *timeline, e Entry) {
	j.bytes += t.insert(e)
	for j.bytes > j.maxBytes && len(j.ended) > 0 {
		j.forget(j.ended[0])
	}
	for j.bytes > j.maxBytes && len(t.entries) > 1 {
		j.bytes -= t.drop(t.oldest())
	}
}

// expire forgets sessions that ended long ago, or that are too many.
func (j *Journal) expire() {
	oldest := j.now().Add(-keptFor).UnixMilli()
	for len(j.ended) > 0 && (len(j.ended) > maxEnded || j.ended[0].endedAt < oldest) {
		j.forget(j.ended[0])
	}
}

func (j *Journal) forget(t *timeline) {
	j.bytes -= t.bytes
	if j.sessions[t.session] == t {
		delete(j.sessions, t.session)
	}
	if i := slices.Index(j.ended, t); i >= 0 {
		j.ended = slices.Delete(j.ended, i, i+1)
	}
	t.entries, t.bytes, t.told = nil, 0, 0
}
