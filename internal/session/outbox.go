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

// outbox keeps the notices for one connection, in order, until they are acknowledged, and the answers until they are
// read: a client that loses its socket has cancelled its requests (spec §2.9). One attachment at a time holds it;
// without one, notices wait. Its lock is never held while another is taken.
type outbox struct {
	rpc string

	mu       sync.Mutex
	messages []Message // notices read and not acknowledged, then what is yet to be read
	read     int       // how many of them are read; they are notices of successive numbers
	first    uint64    // the number of messages[0], or of the notice read next
	weight   int
	holder   *Attachment
	ended    bool
	changed  chan struct{} // closed, and made anew, when there is news for a reader
}

func newOutbox(rpc string) *outbox {
	return &outbox{rpc: rpc, first: 1, changed: make(chan struct{})}
}

// push appends a message. It reports false once the outbox is over its limits.
func (o *outbox) push(m Message) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return true
	}
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

// hold gives the outbox to a, cutting off an older attachment. Answers are dropped; notices not yet acknowledged are
// read again, under numbers never used before: a late receipt of the older socket must not stand for them.
func (o *outbox) hold(a *Attachment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holder = a
	o.first += uint64(o.read)
	o.read = 0
	o.messages = slices.DeleteFunc(o.messages, func(m Message) bool { return m.Reply != nil })
	o.weight = 0
	for _, m := range o.messages {
		o.weight += m.weight()
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

// next returns a's next message; or, if there is none yet, a channel that is closed when that may have changed. It
// reports false when a will not see another.
func (o *outbox) next(a *Attachment) (m Message, changed <-chan struct{}, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != a {
		return Message{}, nil, false
	}
	if o.read == len(o.messages) {
		return Message{}, o.changed, !o.ended
	}
	m = o.messages[o.read]
	if m.Reply != nil {
		o.messages = slices.Delete(o.messages, o.read, o.read+1)
		o.weight -= m.weight()
		return m, nil, true
	}
	m.Seq = o.first + uint64(o.read)
	o.read++
	return m, nil, true
}

// ack forgets notices up to seq, if a has read them.
func (o *outbox) ack(a *Attachment, seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != a || seq < o.first {
		return
	}
	n := int(min(seq+1-o.first, uint64(o.read)))
	for _, m := range o.messages[:n] {
		o.weight -= m.weight()
	}
	o.messages = slices.Delete(o.messages, 0, n)
	o.first += uint64(n)
	o.read -= n
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
		case JoinResult: // its texts are the state's
			n += 512 * len(r.Others)
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
		n += len(v.NewValue) + len(v.Reason)
	case ForcedOffer:
		n += len(v.SDP)
	}
	return n
}
