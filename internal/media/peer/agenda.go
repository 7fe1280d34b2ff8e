package peer

import (
	"container/heap"

	"tertulia/internal/media"
)

// agenda is the shard's timers: each endpoint stands in it once, with the time of its next tick.
type agenda []*Endpoint

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].due < a[j].due }
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = i, j
}

// Push and Pop are for container/heap.
func (a *agenda) Push(x any) {
	e := x.(*Endpoint)
	e.place = len(*a)
	*a = append(*a, e)
}

func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	old[len(old)-1], *a = nil, old[:len(old)-1]
	e.place = -1
	return e
}

func (a *agenda) put(e *Endpoint, at media.Time) {
	if e.closed {
		return
	}
	e.due = at
	if e.place >= 0 {
		heap.Fix(a, e.place)
		return
	}
	heap.Push(a, e)
}

func (a *agenda) remove(e *Endpoint) {
	if e.place >= 0 {
		heap.Remove(a, e.place)
	}
}

func (a agenda) next() (media.Time, bool) {
	if len(a) == 0 {
		return 0, false
	}
	return a[0].due, true
}

// pop returns an endpoint that is due, nil if none is.
func (a *agenda) pop(now media.Time) *Endpoint {
	if len(*a) == 0 || (*a)[0].due > now {
		return nil
	}
	return heap.Pop(a).(*Endpoint)
}

// run lets every endpoint that is due do its work.
func (a *agenda) run(now media.Time) {
	for e := a.pop(now); e != nil; e = a.pop(now) {
		a.put(e, e.tick(now))
	}
}
