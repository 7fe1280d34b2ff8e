package elastic

import "sync"

// Limits of the queue and of a request.
const (
	maxDocuments = 20_000
	maxBytes     = 16 << 20
	batchSize    = 500
	batchBytes   = 4 << 20
	maxDocument  = 256 << 10 // a larger one is dropped
)

// document is one line of a bulk request, and where it goes.
type document struct {
	index, id string
	text      []byte
}

// queue holds what is not sent yet; the oldest make way for the newest.
type queue struct {
	mu      sync.Mutex
	list    []document
	bytes   int
	dropped uint64
	some    chan struct{} // of capacity 1: there are documents
}

func (q *queue) put(d document) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(d.text) > maxDocument {
		q.dropped++
		return
	}
	q.list, q.bytes = append(q.list, d), q.bytes+len(d.text)
	for len(q.list) > maxDocuments || q.bytes > maxBytes {
		q.bytes -= len(q.list[0].text)
		q.list[0] = document{}
		q.list = q.list[1:]
		q.dropped++
	}
	select {
	case q.some <- struct{}{}:
	default:
	}
}

// take returns the oldest, as many as a request may have.
func (q *queue) take() []document {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.list) && n < batchSize && (n == 0 || bytes+len(q.list[n].text) <= batchBytes) {
		bytes += len(q.list[n].text)
		n++
	}
	taken := append([]document(nil), q.list[:n]...)
	clear(q.list[:n])
	q.list, q.bytes = q.list[n:], q.bytes-bytes
	return taken
}

// full: it is not worth waiting for more.
func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list) >= batchSize || q.bytes >= batchBytes
}

func (q *queue) state() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list), q.dropped
}

// forget drops everything, uncounted: nobody wants it any more.
func (q *queue) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list, q.bytes = nil, 0
}
