package peer

import (
	"math/bits"
	"time"

	"tertulia/internal/media"
)

const (
	// wheelStep is how late a tick may be. Endpoints that are due within one step wake the shard once.
	wheelStep  = media.Time(4 * time.Millisecond)
	wheelSlots = 512 // a power of two; what is further off than wheelSlots steps goes round more than once
)

// wheel is the shard's timers: each endpoint stands in it once, in the slot of its next tick, which comes at the end of
// a step and never early. Putting, moving and removing one costs the same however many there are.
type wheel struct {
	slots [wheelSlots + 1]*Endpoint // heads of doubly linked lists; the last is of those being run
	used  [wheelSlots/64 + 1]uint64 // a bit for each that is not empty
	at    int64                     // the step that was run last
	count int
}

// timer is an endpoint's place in the wheel.
type timer struct {
	due        media.Time // of the next tick
	slot       int16      // 1 + the one it stands in; 0: none
	next, prev *Endpoint
}

func stepOf(at media.Time) int64 { return int64((at + wheelStep - 1) / wheelStep) }

// put sets an endpoint's next tick, wherever it stood before.
func (w *wheel) put(e *Endpoint, at media.Time) {
	if e.closed {
		return
	}
	w.remove(e)
	e.due = at
	// What is overdue comes with the next step: run must end.
	w.link(e, int(max(stepOf(at), w.at+1)%wheelSlots))
	w.count++
}

func (w *wheel) link(e *Endpoint, slot int) {
	head := w.slots[slot]
	if head != nil {
		head.prev = e
	}
	e.slot, e.next, e.prev = int16(slot+1), head, nil
	w.slots[slot] = e
	w.used[slot/64] |= 1 << (slot % 64)
}

func (w *wheel) remove(e *Endpoint) {
	if e.slot == 0 {
		return
	}
	w.unlink(e)
	w.count--
}

func (w *wheel) unlink(e *Endpoint) {
	slot := int(e.slot - 1)
	if e.next != nil {
		e.next.prev = e.prev
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else if w.slots[slot] = e.next; e.next == nil {
		w.used[slot/64] &^= 1 << (slot % 64)
	}
	e.slot, e.next, e.prev = 0, nil, nil
}

// next tells when run has something to do, at the latest: a slot may hold only endpoints of a later round.
func (w *wheel) next() (media.Time, bool) {
	if w.count == 0 {
		return 0, false
	}
	const words = wheelSlots / 64
	first := uint(w.at+1) % wheelSlots
	for i := range uint(words + 1) {
		word := (first/64 + i) % words
		set := w.used[word]
		if i == 0 {
			set &= ^uint64(0) << (first % 64)
		}
		if set != 0 {
			slot := word*64 + uint(bits.TrailingZeros64(set))
			return media.Time(w.at+1+int64((slot-first)%wheelSlots)) * wheelStep, true
		}
	}
	return 0, false
}

// run lets every endpoint that is due do its work. One that asks for a tick at once gets it in the next step.
func (w *wheel) run(now media.Time) {
	last := int64(now / wheelStep)
	if last-w.at > wheelSlots {
		w.at = last - wheelSlots // once round is every slot
	}
	for w.at < last {
		w.at++
		w.runSlot(int(w.at%wheelSlots), now)
	}
}

// runSlot moves the whole list to a place of its own first: what a tick puts, moves or removes meanwhile cannot disturb
// the walk.
func (w *wheel) runSlot(slot int, now media.Time) {
	for e := w.slots[slot]; e != nil; e = w.slots[slot] {
		w.unlink(e)
		w.link(e, wheelSlots)
	}
	for e := w.slots[wheelSlots]; e != nil; e = w.slots[wheelSlots] {
		w.remove(e)
		if e.due > now {
			w.put(e, e.due)
		} else {
			w.put(e, e.tick(now))
		}
	}
}
