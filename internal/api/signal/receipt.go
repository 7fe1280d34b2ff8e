package signal

import "sync"

// pongLag is how many pings later a pong counts as received. Clients that reconnect ping every 5 s and give the socket up
// when a pong is missing for 5 s (from 2.21 on) or 10 s; so the third ping after a pong proves it, and the second or
// first does not.
const pongLag = 3

// receipt knows which notices of the outbox its client has got; only those may be forgotten, and only those are not
// told again on its next socket. Told twice, openvidu-browser takes a stream for a new one and loses the old
// (onParticipantPublished in Session.ts), ends one it does not have, negotiates a forced offer anew, and shows a signal
// twice: a notice is proved received as soon as can be. Two things prove it: the answer to a pull, of which there is
// one in flight while there is something to prove, and, for clients that do not answer it, pings that would not come
// without an earlier pong. Candidates do no harm, and wait for either.
type receipt struct {
	mu     sync.Mutex
	sent   uint64
	marks  [pongLag]uint64 // sent at the last pongs, oldest first
	wanted uint64          // the last notice that asks to be proved
	asked  uint64          // what the pull in flight stands for; 0: none is
}

// wrote notes a notice handed to the writer. It returns what a pull to be sent now stands for, or 0.
func (r *receipt) wrote(seq uint64, prove bool) (pull uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = seq
	if prove {
		r.wanted = seq
	}
	if !prove || r.asked != 0 {
		return 0
	}
	r.asked = seq
	return seq
}

// ping notes that a pong is about to be written; it returns what the ping proves.
func (r *receipt) ping() (proved uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	proved = r.marks[0]
	copy(r.marks[:], r.marks[1:])
	r.marks[pongLag-1] = r.sent
	return proved
}

// pulled takes the answer to a pull: it proves asked. The next pull to send stands for next, or is 0.
func (r *receipt) pulled(answer uint64) (proved, next uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer == 0 || answer != r.asked {
		return 0, 0
	}
	r.asked = 0
	if r.wanted > answer {
		r.asked = r.sent
	}
	return answer, r.asked
}
