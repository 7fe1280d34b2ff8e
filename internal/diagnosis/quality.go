package diagnosis

import (
	"slices"

	"tertulia/internal/wire/mediactl"
)

// Uplink is one reading of a publisher: what has come of its media, and what its session says of it at that time.
type Uplink struct {
	At        int64 // Unix milliseconds
	Facts     mediactl.Facts
	Announced Announced
	Pixels    int // of a picture; 0 unknown
	MaxKbps   int // what it may send; 0 unlimited
}

// Level is a row of the table that an uplink is judged by: the best one all of whose terms it meets.
type Level struct {
	Level    int
	Name     string
	Loss     float64 // share of the packets that are lost on the way to us, retransmission aside: less than this
	Jitter   int64   // milliseconds (RFC 3550): less than this, in audio or in video
	RTT      int64   // milliseconds from asking for a lost packet to having it: less than this, if it is known
	Pictures float64 // share of the usual frame rate: this at least, if the video is no screen
}

// Levels are those that an uplink by which media comes can have, the best first; without media it is 0, broken.
var Levels = []Level{
	{5, "excellent", 0.01, 30, 200, 0.60},
	{4, "good", 0.03, 60, 400, 0.40},
	{3, "fair", 0.08, 120, 800, 0.20},
	{2, "poor", 0.20, 250, 1500, 0.05},
	{1, "bad", 2, 1 << 40, 1 << 40, 0},
}

const (
	// checkedWithin is how old the client's consent may be, in milliseconds: browsers renew it every 2.5 to 6 s.
	checkedWithin = 12_000
	// connectsWithin is how long a transport may take to connect, in milliseconds.
	connectsWithin = 10_000
	// leastSpan and mostSpan are the times between two readings that say something, in milliseconds. In the least something
	// comes of sound without a voice too.
	leastSpan, mostSpan = 1900, 120_000
	// bitsPerPixel is what a browser spends on a lively picture, and starved the share of it that needs a reason. A picture
	// that rests takes less for no fault of the network: it counts beside another sign only.
	bitsPerPixel, starved = 0.05, 0.25
)

// Grade judges the time between two readings of one publisher, by [Levels]; usual is the frame rate that its video has
// when all is well, 0 unknown. It reports false if nothing can be said: nothing is to be expected, or the counters began
// anew.
func Grade(before, now *Uplink, usual float64) (level int, ok bool) {
	f := &now.Facts
	switch {
	case f.State == "failed" || f.State != "connected" && f.Age > connectsWithin:
		return 0, true
	case f.State != "connected" || f.Age < before.Facts.Age:
		return 0, false
	case older(f.Consent, checkedWithin):
		return 0, true
	}
	c, ok := compare(before, now)
	if !ok {
		return 0, false
	}
	if c.octets == 0 {
		rests := now.Announced.Screen && now.Announced.Video && !older(f.Heard, c.span) // a screen that nobody touches
		return 0, !rests
	}
	i := slices.IndexFunc(Levels, func(l Level) bool { return c.meets(&l, usual) })
	level = Levels[i].Level
	if kbps := c.expected(now, usual); level < Levels[0].Level && c.kbps < starved*kbps {
		level = max(level-1, 1)
	}
	return level, true
}

// passage is what came between two readings, of the kinds of media that were expected all the time.
type passage struct {
	span     int64  // milliseconds
	octets   uint64 // of payload: probes go on when a camera has ended
	loss     float64
	jitter   int64
	rtt      int64
	kbps     float64 // of video
	pictures float64 // a second; -1: none to be expected
}

func compare(before, now *Uplink) (c passage, ok bool) {
	c = passage{span: now.At - before.At, jitter: -1, pictures: -1}
	if c.span < leastSpan || c.span > mostSpan {
		return c, false
	}
	lost, sent, expected := int64(0), int64(0), false
	for _, kind := range kinds {
		if !before.Announced.active(kind) || !now.Announced.active(kind) {
			continue
		}
		expected = true
		was, is := comes(&before.Facts, kind), comes(&now.Facts, kind)
		packets := int64(is.Packets - was.Packets)
		if packets < 0 {
			return c, false
		}
		if kind == "video" {
			c.kbps = float64(is.Octets-was.Octets) * 8 / float64(c.span)
			if !now.Announced.Screen {
				c.pictures = float64(is.Pictures-was.Pictures) * 1000 / float64(c.span)
			}
		}
		missed := max(is.Lost-was.Lost, 0)
		lost, sent = lost+missed, sent+packets-int64(is.Recovered-was.Recovered)+missed
		c.octets += is.Octets - was.Octets
		if packets > 0 && (c.jitter < 0 || is.Jitter < c.jitter) {
			c.jitter = is.Jitter
		}
		if is.Recovered > was.Recovered { // it is measured then only
			c.rtt = max(c.rtt, is.RTT)
		}
	}
	if sent > 0 {
		c.loss = float64(lost) / float64(sent)
	}
	return c, expected
}

// comes is what came of a kind: nothing, if that was never negotiated.
func comes(f *mediactl.Facts, kind string) mediactl.TrackFacts {
	for _, t := range f.Tracks {
		if t.Kind == kind && !t.Sends {
			return t
		}
	}
	return mediactl.TrackFacts{}
}

func (c *passage) meets(l *Level, usual float64) bool {
	slow := c.pictures >= 0 && usual > 0 && c.pictures < l.Pictures*usual
	return c.loss < l.Loss && c.jitter < l.Jitter && c.rtt < l.RTT && !slow
}

// expected is what a lively video of that size would take, in kbit/s.
func (c *passage) expected(u *Uplink, usual float64) float64 {
	if c.pictures < 0 {
		return 0
	}
	kbps := float64(u.Pixels) * usual * bitsPerPixel / 1000
	if u.MaxKbps > 0 {
		kbps = min(kbps, float64(u.MaxKbps))
	}
	return kbps
}

// Quality follows one publisher's uplink. The zero value is ready.
type Quality struct {
	before *Uplink
	rates  []float64 // latest frame rates
	known  bool
	level  int
	next   int // a level one reading has shown; 0 to 5, in doubt if doubt is set
	doubt  bool
}

// mostRates is how many readings a frame rate is remembered for: one that stays lower is the usual one then.
const mostRates = 12

// Judge takes a reading and returns the level if it is news: the first, and every other. So that it does not flap a level
// is left when two readings in a row say so, to the side of the one that says less; a fall of two levels, or to 0, is
// told at once.
func (q *Quality) Judge(u Uplink) (level int, news bool) {
	before := q.before
	if before != nil && u.Facts.Age >= before.Facts.Age && u.At-before.At < leastSpan {
		return q.level, false // the next one has more to go by
	}
	q.before = &u
	if before == nil {
		before = &Uplink{At: u.At} // enough to say that a transport does not connect
	}
	grade, ok := Grade(before, &u, q.usual())
	if !ok {
		return q.level, false
	}
	if c, ok := compare(before, &u); ok && c.pictures > 0 {
		if len(q.rates) == mostRates {
			q.rates = slices.Delete(q.rates, 0, 1)
		}
		q.rates = append(q.rates, c.pictures)
	}
	return q.settle(grade)
}

// usual is the frame rate that a quarter of the latest are above: what was held up comes all at once, and is no rate.
func (q *Quality) usual() float64 {
	if len(q.rates) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(q.rates))[(len(q.rates)-1)*3/4]
}

func (q *Quality) settle(grade int) (level int, news bool) {
	doubted, was := q.doubt, q.next
	q.doubt = false
	switch {
	case !q.known, grade == 0 && q.level > 0, grade <= q.level-2:
		q.level = grade
	case grade == q.level:
		return q.level, false
	case !doubted || (was > q.level) != (grade > q.level):
		q.doubt, q.next = true, grade
		return q.level, false
	case grade > q.level:
		q.level = min(grade, was)
	default:
		q.level = max(grade, was)
	}
	q.known = true
	return q.level, true
}
