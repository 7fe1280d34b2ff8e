package turn

import (
	"sync"

	"tertulia/internal/media/socket"
)

// datagrams are those that wait to leave a port. What is put while the writer is busy leaves with its next batch.
type datagrams struct {
	wake chan struct{} // holds one token while the writer has something to do

	mu      sync.Mutex
	pending queue
	closed  bool
}

// queue is datagrams one behind the other, and how long each is.
type queue struct {
	bytes []byte
	to    []tuple
	sizes []int
}

func newDatagrams() *datagrams { return &datagrams{wake: make(chan struct{}, 1)} }

// addressed is the outlet of one client.
type addressed struct {
	out *datagrams
	to  tuple
}

func (a addressed) put(head, body []byte) bool { return a.out.put(a.to, head, body) }

func (d *datagrams) put(to tuple, head, body []byte) bool {
	d.mu.Lock()
	size := len(head) + len(body)
	if d.closed || len(d.pending.bytes)+size > portQueue {
		d.mu.Unlock()
		return false
	}
	d.pending.bytes = append(append(d.pending.bytes, head...), body...)
	d.pending.to, d.pending.sizes = append(d.pending.to, to), append(d.pending.sizes, size)
	d.mu.Unlock()
	d.signal()
	return true
}

func (d *datagrams) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.signal()
}

func (d *datagrams) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take swaps what waits for an empty queue.
func (d *datagrams) take(empty queue) (batch queue, closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	batch, d.pending = d.pending, queue{empty.bytes[:0], empty.to[:0], empty.sizes[:0]}
	return batch, d.closed
}

// writeTo writes until close, batch by batch.
func (d *datagrams) writeTo(conn socket.Conn) {
	var batch queue
	var out []socket.Message
	for {
		var closed bool
		if batch, closed = d.take(batch); len(batch.to) == 0 {
			if closed {
				return
			}
			<-d.wake
			continue
		}
		out = out[:0]
		rest := batch.bytes
		for i, to := range batch.to {
			out = append(out, socket.Message{Buf: rest[:batch.sizes[i]], Remote: to.remote, Local: to.local})
			rest = rest[batch.sizes[i]:]
		}
		conn.WriteBatch(out) // what the network refuses is lost, as on any path
	}
}
