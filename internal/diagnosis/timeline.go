package diagnosis

import (
	"cmp"
	"slices"

	"tertulia/internal/event"
)

// timeline is what a journal keeps of one session.
type timeline struct {
	session string
	entries []Entry // by time
	bytes   int     // of the entries
	told    int     // entries that clients are the cause of

	records     []*Record // in order of appearance
	clients     map[string]*client
	connections map[string]bool // that entries name, while they are few enough to remember
	endedAt     int64
}

// client is what is kept of one client's logging.
type client struct {
	clock clock
	clues Clues
}

// client returns that of a connection the server knows, nil for any other.
func (t *timeline) client(connection string) *client {
	c := t.clients[connection]
	if c == nil && len(t.clients) < maxClients && t.mentions(connection) {
		c = &client{}
		t.clients[connection] = c
	}
	return c
}

// mentions says whether anything was ever told of a connection.
func (t *timeline) mentions(connection string) bool { return t.connections[connection] }

// talk says that an entry is there by a client's will, as often as that likes: its own lines, and requests we refuse.
func (e *Entry) talk() bool {
	return e.Source == FromClient || e.Source == FromServer && e.Kind == event.Refused{}.Kind()
}

// oldest is the entry to lose first: of talk, if that is more than half: no client can talk the others out.
func (t *timeline) oldest() int {
	if t.told <= len(t.entries)/2 {
		return 0
	}
	return max(0, slices.IndexFunc(t.entries, func(e Entry) bool { return e.talk() }))
}

// page returns where a page of entries ends that begins at an index.
func (t *timeline) page(from, limit int) int {
	end := min(from+limit, len(t.entries))
	whole := func(i int) bool { return i == len(t.entries) || t.entries[i].At != t.entries[i-1].At }
	for i := end; i > from; i-- {
		if whole(i) {
			return i
		}
	}
	for end > from && !whole(end) {
		end++
	}
	return end
}

// insert puts an entry in its place and returns by how many bytes the timeline grew. A full one loses one.
func (t *timeline) insert(e Entry) int {
	before := t.bytes
	if len(t.entries) >= maxEntries {
		t.drop(t.oldest())
	}
	if e.Connection != "" && e.Source != FromClient && len(t.connections) < 2*maxClients {
		t.connections[e.Connection] = true
	}
	at := len(t.entries)
	if at > 0 && t.entries[at-1].At > e.At {
		at, _ = slices.BinarySearchFunc(t.entries, e.At+1, func(e Entry, at int64) int { return cmp.Compare(e.At, at) })
	}
	t.entries = slices.Insert(t.entries, at, e)
	t.bytes += size(e)
	if e.talk() {
		t.told++
	}
	return t.bytes - before
}

// drop loses an entry and returns how many bytes that frees.
func (t *timeline) drop(i int) int {
	freed := size(t.entries[i])
	if t.entries[i].talk() {
		t.told--
	}
	if i == 0 {
		t.entries[0] = Entry{}
		t.entries = t.entries[1:]
	} else {
		t.entries = slices.Delete(t.entries, i, i+1)
	}
	t.bytes -= freed
	return freed
}

// keep adds a record; of too many the first to end goes.
func (t *timeline) keep(r *Record) {
	if len(t.records) >= maxRecords {
		oldest := max(0, slices.IndexFunc(t.records, func(r *Record) bool { return r.Ended != 0 }))
		t.records = slices.Delete(t.records, oldest, oldest+1)
	}
	t.records = append(t.records, r)
}

// endOf closes the records of a connection that has left, or with "" of all.
func (t *timeline) endOf(connection string, at int64) {
	for _, r := range t.records {
		if r.Ended == 0 && (connection == "" || r.Connection == connection) {
			r.Ended = at
		}
	}
}

// size is about what an entry takes in memory.
func size(e Entry) int {
	n := 160 + len(e.Text) + len(e.Connection)
	for k, v := range e.Fields {
		n += 48 + len(k) + weigh(v)
	}
	if e.Record != nil {
		n += 240 + len(e.Record.Title) + len(e.Record.Fix)
		for _, s := range e.Record.Evidence {
			n += len(s)
		}
	}
	return n
}

func weigh(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case map[string]any:
		n := 48
		for k, inner := range v {
			n += 48 + len(k) + weigh(inner)
		}
		return n
	case []any:
		n := 24
		for _, inner := range v {
			n += 16 + weigh(inner)
		}
		return n
	}
	return 16
}
