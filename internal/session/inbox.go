package session

import (
	"sync"

	"tertulia/internal/fault"
)

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
// waiting for their answer, the media node by its endpoints' ups and downs, the runner's own results by what it has started.
type inbox struct {
	bell chan struct{} // of capacity 1; rung when there is something to take

	mu      sync.Mutex
	letters []letter
	closed  bool
	kept    bool // once closed: the session goes on in the next process
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

// close refuses further letters and returns those left. Kept says that the session has not ended, only this process.
func (b *inbox) close(kept bool) []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.kept = true, kept
	left := b.letters
	b.letters = nil
	return left
}

// refuse answers a caller whose letter nobody will read.
func (b *inbox) refuse(l letter) {
	if l.answer == nil {
		return
	}
	b.mu.Lock()
	kept := b.kept
	b.mu.Unlock()
	if kept {
		l.answer <- answered{err: fault.New(fault.NoCapacity, "this server is stopping; ask the next")}
		return
	}
	switch l.command.(type) {
	case Join:
		l.answer <- answered{err: fault.New(fault.SessionClosed, "the session is closing")}
	case Resume:
		l.answer <- answered{err: fault.New(fault.ReconnectionUnknown, "reconnection error")}
	default:
		l.answer <- answered{err: fault.New(fault.SessionNotFound, "the session has ended")}
	}
}
