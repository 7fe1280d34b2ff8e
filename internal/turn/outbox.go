package turn

import (
	"net"
	"sync"
	"time"
)

// outbox holds the bytes that wait for one client. What is put while the writer is busy leaves with its next write,
// so a fast sender costs one system call, and one TLS record, for many packets.
type outbox struct {
	limit int
	wake  chan struct{} // holds one token while the writer has something to do

	mu      sync.Mutex
	pending []byte
	closed  bool
}

func newOutbox(limit int) *outbox { return &outbox{limit: limit, wake: make(chan struct{}, 1)} }

var padding [3]byte

// put appends a frame of two parts, padded to four bytes; false says it was dropped.
func (o *outbox) put(head, body []byte) bool {
	o.mu.Lock()
	size := len(head) + len(body)
	if o.closed || len(o.pending)+size > o.limit {
		o.mu.Unlock()
		return false
	}
	o.pending = append(append(append(o.pending, head...), body...), padding[:-size&3]...)
	o.mu.Unlock()
	o.signal()
	return true
}

// close lets the writer write what is left and end.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take swaps the pending bytes for an empty buffer.
func (o *outbox) take(empty []byte) (batch []byte, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, o.pending = o.pending, empty[:0]
	return batch, o.closed
}

// writeTo writes until close, or until the client takes nothing for the given time; then it closes the stream, which
// ends its reader.
func (o *outbox) writeTo(stream net.Conn, patience time.Duration) {
	var batch []byte
	for {
		var closed bool
		if batch, closed = o.take(batch); len(batch) == 0 {
			if closed {
				return
			}
			<-o.wake
			continue
		}
		if stream.SetWriteDeadline(time.Now().Add(patience)) != nil {
			break
		}
		if _, err := stream.Write(batch); err != nil {
			break
		}
	}
	o.close()
	_ = stream.Close() // its state is beyond repair, that is why
}
