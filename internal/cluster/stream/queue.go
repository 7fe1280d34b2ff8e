package stream

import "sync"

type record struct {
	name string
	text []byte
}

// queue holds the records that are not on the disk yet, and tells when some are.
type queue struct {
	mu         sync.Mutex
	list       []record
	bytes      int
	most, size int // records and bytes at most
	given      chan struct{}
	wrote      chan struct{}
	full       bool // something was dropped since it was last empty
	flying     int  // records at the head that are being written
	count      Stats
}

func (q *queue) begin(most, size int, latest uint64) {
	q.most, q.size = most, size
	q.given, q.wrote = make(chan struct{}), make(chan struct{})
	q.count.Latest = latest
}

// put adds a record and drops the oldest that are too many, but none that is being written. It reports whether that is
// news.
func (q *queue) put(r record) (news bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list, q.bytes = append(q.list, r), q.bytes+len(r.text)
	for (len(q.list) > q.most || q.bytes > q.size) && len(q.list) > q.flying {
		q.bytes -= len(q.list[q.flying].text)
		copy(q.list[1:], q.list[:q.flying])
		q.list[0] = record{}
		q.list = q.list[1:]
		q.count.Dropped++
		news, q.full = news || !q.full, true
	}
	wake(&q.given)
	return news
}

// refuse counts a record that cannot be taken.
func (q *queue) refuse() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count.Dropped++
}

// head returns the oldest records; they stay until they are written. If there are none, more is closed when there are.
func (q *queue) head(limit int) (records []record, more <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying = min(limit, len(q.list))
	return append([]record(nil), q.list[:q.flying]...), q.given
}

// written takes n records off the head; latest is the number of the last one.
func (q *queue) written(n int, latest uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, q.flying)
	for i := range n {
		q.bytes -= len(q.list[i].text)
		q.list[i] = record{}
	}
	q.list, q.flying = q.list[n:], q.flying-n
	if len(q.list) == 0 {
		q.list, q.full = nil, false
	}
	q.count.Written += uint64(n)
	q.count.Latest = latest
	wake(&q.wrote)
}

func (q *queue) latest() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count.Latest
}

// progress returns the latest number and what is closed when there is another.
func (q *queue) progress() (latest uint64, more <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count.Latest, q.wrote
}

func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.count
	s.Waiting = len(q.list)
	return s
}

// wake closes a channel and puts a new one in its place.
func wake(signal *chan struct{}) {
	close(*signal)
	*signal = make(chan struct{})
}
