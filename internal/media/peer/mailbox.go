package peer

import (
	"sync"
	"time"

	"tertulia/internal/media/socket"
)

const (
	// maxWaiting bounds what waits for a shard, as its socket's buffer in the kernel does; the next ones are lost.
	maxWaiting        = 4 << 20
	maxWaitingParcels = 256
	// maxSpare is how many empty parcels a shard keeps for those that send to it.
	maxSpare = 32
)

// mailbox is the one place where other goroutines reach a shard.
type mailbox struct {
	socket socket.Conn // whose wait for datagrams is interrupted

	mu      sync.Mutex
	inbox   []func()
	waiting []*parcel // handed over by other shards
	weight  int       // bytes in them
	spare   []*parcel // empty ones, for other shards to fill
	ended   bool

	armed  time.Time // the deadline of the socket's wait
	opened []*parcel // of the shard: what it has collected last
}

// post hands fn to the shard without waiting; false after its end.
func (m *mailbox) post(fn func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return false
	}
	m.inbox = append(m.inbox, fn)
	m.wake()
	return true
}

// accept takes a parcel of another shard and returns an empty one in exchange, nil if there is none. When too much
// waits already the parcel itself comes back.
func (m *mailbox) accept(p *parcel) (next *parcel, taken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended || m.weight+len(p.room) > maxWaiting || len(m.waiting) >= maxWaitingParcels {
		return p, false
	}
	m.waiting = append(m.waiting, p)
	m.weight += len(p.room)
	m.wake()
	if last := len(m.spare) - 1; last >= 0 {
		next, m.spare = m.spare[last], m.spare[:last]
	}
	return next, true
}

// wake ends the shard's sleep if what has come just now is the first of it. The lock is held, so that it cannot come
// before the deadline the shard is about to set.
func (m *mailbox) wake() {
	if len(m.inbox)+len(m.waiting) == 1 {
		m.armed = time.Unix(1, 0)
		_ = m.socket.SetReadDeadline(m.armed)
	}
}

// sleepUntil ends the shard's next sleep. The lock is held. Mostly it is the time it was: then nothing is set.
func (m *mailbox) sleepUntil(at time.Time) error {
	if m.armed.Equal(at) {
		return nil
	}
	m.armed = at
	return m.socket.SetReadDeadline(at)
}

// collect takes what has come, and gives back the parcels of the last time. What it returns is valid until the next
// call.
func (m *mailbox) collect() ([]func(), []*parcel) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spare = append(m.spare, m.opened[:min(len(m.opened), maxSpare-len(m.spare))]...)
	clear(m.opened)
	messages := m.inbox
	m.opened, m.waiting = m.waiting, m.opened[:0]
	m.inbox, m.weight = nil, 0
	return messages, m.opened
}

// end refuses what comes from now on.
func (m *mailbox) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended, m.inbox, m.waiting, m.spare = true, nil, nil, nil
}
