package diagnosis

// Timers of middleboxes that are set in round numbers, in seconds.
var roundTimers = []int64{15, 20, 30, 45, 60, 75, 90, 100, 120, 180, 240, 300, 350, 600, 900, 1800, 3600}

// closes recognises what ends websockets after always the same time, by the latest ends of all clients: their ages and
// silences as milliseconds. It belongs to one goroutine.
type closes struct{ list []lasted }

type lasted struct {
	who             string // session and connection
	at, age, silent int64
}

const (
	maxCloses   = 1000
	closesFor   = 30 * 60_000 // milliseconds an end counts
	closesEqual = 1000        // ± milliseconds of the same timer
	closesNear  = 15_000      // ± milliseconds around it that should be empty
	leastTimer  = 12_000      // milliseconds: shorter ages and silences are people, and pings every 5 s
)

// add notes an end and says which timer, if any, it was the work of. A silence is telling: who talks every 5 s does not end
// after 60 s of it by chance, so two are enough. An age may be chance: it takes three, or two of one client, and half of
// all ends.
func (c *closes) add(who string, at, age, silent int64) (Idle, bool) {
	for len(c.list) > 0 && (len(c.list) >= maxCloses || at-c.list[0].at > closesFor) {
		c.list = c.list[1:]
	}
	c.list = append(c.list, lasted{who, at, age, silent})
	if timer, times, near, _, _ := c.spike(who, silent, func(l lasted) int64 { return l.silent }); times >= 2 && times > 2*near {
		return Idle{Seconds: timer, Times: times, At: at}, true
	}
	timer, times, near, all, same := c.spike(who, age, func(l lasted) int64 { return l.age })
	if (times >= 3 || same >= 2) && 2*times >= all && times > 2*near {
		return Idle{Seconds: timer, Times: times, At: at}, true
	}
	return Idle{}, false
}

// spike counts the ends at the round timer that a value belongs to, those near it, all that lasted long enough, and those
// at the timer that are of the same client.
func (c *closes) spike(who string, value int64, of func(lasted) int64) (timer int64, times, near, all, same int) {
	timer = roundTimer(value)
	if timer == 0 {
		return 0, 0, 0, 0, 0
	}
	for _, l := range c.list {
		switch distance := abs(of(l) - timer*1000); {
		case distance <= closesEqual:
			times++
			if l.who == who {
				same++
			}
		case distance <= closesNear && of(l) >= leastTimer:
			near++
		}
		if of(l) >= leastTimer {
			all++
		}
	}
	return timer, times, near, all, same
}

// roundTimer is the timer within a second of a value, 0 if there is none.
func roundTimer(ms int64) int64 {
	for _, t := range roundTimers {
		if abs(ms-t*1000) <= closesEqual {
			return t
		}
	}
	return 0
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// silences recognises a NAT that forgets: the silences before a client came from another port. A silence ends only when
// the client speaks, so each is the timer or more; the shortest is nearest to it.
type silences struct {
	list []int64 // milliseconds
}

// natTimers are those of NATs, in seconds.
var natTimers = []int64{1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600}

const (
	maxSilences  = 8
	leastSilence = 1000 // milliseconds: a client that changes its way by choice is not silent before
)

// add notes a silence in milliseconds and returns the timer that explains all of them.
func (s *silences) add(at, silence int64) Idle {
	if silence < leastSilence {
		return Idle{}
	}
	if s.list = append(s.list, silence); len(s.list) > maxSilences {
		s.list = s.list[1:]
	}
	shortest := s.list[0]
	for _, l := range s.list {
		shortest = min(shortest, l)
	}
	timer := shortest / 1000
	for _, t := range natTimers {
		if t*1000 <= shortest+closesEqual/5 {
			timer = t
		}
	}
	return Idle{Seconds: timer, Times: len(s.list), At: at}
}
