package peer

import (
	"fmt"
	"strings"
	"time"

	"tertulia/internal/media"
)

// A client that found no way by UDP gives those pairs up for good: Chromium after some 30 s, and an ICE-lite agent cannot
// ask it to go on. Another candidate of the same address is another pair to it, which it checks anew; when that succeeds
// it nominates it, and checked moves us.

const (
	againFirst = media.Time(30 * time.Second) // after the connection, or the move, to something else than UDP
	againMost  = media.Time(5 * time.Minute)  // the longest between two tries; each is twice as long as the one before
)

// again is when a client that is not on UDP is next shown our UDP candidates anew.
type again struct {
	due, wait media.Time // 0: it is on UDP
	names     int        // given so far: none is given twice, for the client knows the pair to it
	mid       string     // of the section that candidates are for
	line      int
}

// offerAgain shows the client our UDP candidates under names that it does not know, once it is time to.
func offerAgain(e *Endpoint, now media.Time) {
	a := &e.again
	switch {
	case e.selected == nil || e.selected.via == nil:
		a.due = 0
		return
	case a.due == 0:
		a.wait, a.due = againFirst, now+againFirst
		return
	case now < a.due:
		return
	}
	a.names++
	a.wait = min(2*a.wait, againMost)
	a.due = now + a.wait
	if list := renamed(e.offered, a); len(list) > 0 {
		e.config.Event(Event{Endpoint: e, State: Connected, Candidates: list})
	}
}

// renamed are the UDP candidates of an offer of ours with other foundations, and priorities a little lower.
func renamed(offered string, a *again) []Candidate {
	var list []Candidate
	for line := range strings.SplitSeq(offered, "\n") {
		var foundation, component, priority, port int
		var address string
		n, _ := fmt.Sscanf(line, "candidate:%d %d udp %d %s %d", &foundation, &component, &priority, &address, &port)
		if n != 5 {
			continue // it is not of UDP
		}
		const most = 200 // names, or 16 hours of them; the priorities of two addresses are 256 apart
		name := a.names % most
		list = append(list, Candidate{
			Candidate: fmt.Sprintf("candidate:%d %d udp %d %s %d typ host", 1000*(name+1)+foundation, component, priority-1-name, address, port),
			MID:       a.mid, Line: a.line,
		})
	}
	return list
}
