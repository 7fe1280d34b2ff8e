package session

import (
	"slices"
	"sync"
)

// What an outbox holds at most for a client that does not acknowledge.
const (
	maxMessages = 4096
	maxWeight   = 8 << 20 // bytes, roughly
)

// outbox keeps the messages for one connection, in order, until they are acknowledged. One attachment at a time holds
// it; without one, messages wait. Its lock is never held while another is taken.
type outbox struct {
	rpc string

	mu       sync.Mutex
	messages []Message // unacknowledged, of successive numbers
	first    uint64    // the number of messages[0], or of the next one
	weight   int
	holder   *Attachment
	ended    bool
	changed  chan struct{} // closed, and made anew, when there is news for a reader
}

func newOutbox(rpc string) *outbox {
	return &outbox{rpc: rpc, first: 1, changed: make(chan struct{})}
}

// push appends a message and numbers it. It reports false once the outbox is over its limits.
func (o *outbox) push(m Message) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return true
	}
	m.Seq = o.first + uint64(len(o.messages))
	o.messages = append(o.messages, m)
	o.weight += m.weight()
	o.wake()
	return len(o.messages) <= maxMessages && o.weight <= maxWeight
}

// end lets readers read what there is and then fail.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.wake()
}

func (o *outbox) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// hold gives the outbox to a, cutting off an older attachment. Answers not yet acknowledged are dropped: the client
// has cancelled its requests when it lost its socket (spec §2.9). What remains is numbered anew, without gaps.
func (o *outbox) hold(a *Attachment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holder = a
	a.next = o.first
	o.messages = slices.DeleteFunc(o.messages, func(m Message) bool { return m.Reply != nil })
	o.weight = 0
	for i := range o.messages {
		o.messages[i].Seq = o.first + uint64(i)
		o.weight += o.messages[i].weight()
	}
	o.wake()
}

// release takes the outbox from a; it reports whether a held it, and the connection lives.
func (o *outbox) release(a *Attachment) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != a {
		return false
	}
	o.holder = nil
	o.wake()
	return !o.ended
}

// open reports whether a holds the outbox of a connection that lives.
func (o *outbox) open(a *Attachment) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder == a && !o.ended
}

func (o *outbox) held() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder != nil
}

// read returns a's next message; or, if there is none yet, a channel that is closed when that may have changed. It
// reports false when a will not see another.
func (o *outbox) read(a *Attachment) (m Message, changed <-chan struct{}, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != a {
		return Message{}, nil, false
	}
	if i := a.next - o.first; i < uint64(len(o.messages)) {
		a.next++
		return o.messages[i], nil, true
	}
	return Message{}, o.changed, !o.ended
}

// ack forgets messages up to seq, if a has read them.
func (o *outbox) ack(a *Attachment, seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != a || seq < o.first {
		return
	}
	n := int(min(seq+1, a.next) - o.first)
	for _, m := range o.messages[:n] {
		o.weight -= m.weight()
	}
	o.messages = slices.Delete(o.messages, 0, n)
	o.first += uint64(n)
}

// weight is roughly what a message costs in memory: its foreign strings and a flat charge.
func (m Message) weight() int {
	n := 128
	if m.Reply != nil {
		switch r := m.Reply.Result.(type) {
		case PublishResult:
			n += len(r.Answer)
		case SubscribeResult:
			n += len(r.SDP)
		case JoinResult:
			for _, o := range r.Others {
				n += 512 + len(o.ClientData) + len(o.ServerData)
			}
		}
	}
	switch v := m.Notice.(type) {
	case Signal:
		if v.Data != nil {
			n += len(*v.Data)
		}
		if v.Type != nil {
			n += len(*v.Type)
		}
	case Joined:
		n += len(v.Metadata)
	case StreamChanged:
		n += len(v.NewValue)
	case ForcedOffer:
		n += len(v.SDP)
	}
	return n
}
