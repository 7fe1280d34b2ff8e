package session

import "sync"

// letter is a command on its way to a session's runner.
type letter struct {
	command Command
	from    Origin
	sender  *Attachment // of a client's command
	answer  chan answered
}

// answered is what a caller waits for; the channel has room for it.
type answered struct {
	result any
	err    error
}

// inbox queues letters in order. Who may write many is bounded by the writer: a client by maxQueued, callers by
// waiting for their answer, the runner's own results by what it has started.
type inbox struct {
	bell chan struct{} // of capacity 1; rung when there is something to take

	mu      sync.Mutex
	letters []letter
	closed  bool
}

func newInbox() *inbox { return &inbox{bell: make(chan struct{}, 1)} }

// put reports false if nobody will read the letter.
func (b *inbox) put(l letter) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.letters = append(b.letters, l)
	select {
	case b.bell <- struct{}{}:
	default:
	}
	return true
}

// take returns all letters there are.
func (b *inbox) take() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.letters
	b.letters = nil
	return taken
}

// close refuses further letters and returns those left.
func (b *inbox) close() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	left := b.letters
	b.letters = nil
	return left
}
