package forward

import (
	"math/rand/v2"
	"time"

	"tertulia/internal/media"
)

// maxRuns is how many times within reach of a NACK the offset may change: once per burst of padding that was left out.
const maxRuns = 16

// splice joins the streams of a track's sources, one after another, into one that has no seams. Sequence numbers are
// extended ones: the low 16 bits travel.
type splice struct {
	started    bool
	highestIn  uint64 // of the current source
	highestOut uint64
	first      uint64 // ever sent

	// Stretches of the current source, each with its offset; the latest is runs[(count-1)%maxRuns].
	runs  [maxRuns]run
	count int

	clockRate     int64
	shift         uint32 // of the timestamps: out = in + shift
	lastTimestamp uint32 // out, of the latest packet sent
	lastArrival   media.Time
}

// run maps the source's numbers from `from` on: out = in + offset, modulo 2^64.
type run struct{ from, offset uint64 }

func (r run) firstOut() uint64 { return r.from + r.offset }

// begin starts with a source at its packet p, which gets the number after the last one sent and the timestamp that
// the time since then asks for.
func (s *splice) begin(p *media.Packet) {
	out := s.highestOut + 1
	switch {
	case s.started:
		elapsed := min(max(p.Arrival-s.lastArrival, 0), media.Time(time.Hour))
		ticks := max(int64(elapsed)*s.clockRate/int64(time.Second), 1)
		s.shift = s.lastTimestamp + uint32(ticks) - p.Timestamp
	default:
		// Random (RFC 3550 §5.1), in the lower half: a viewer that misses the first packets cannot mistake the
		// rollover count (RFC 3711 §3.3.1).
		out = 1<<16 + rand.Uint64N(1<<15)
		s.first = out
	}
	s.started = true
	s.highestIn, s.highestOut = p.Sequence-1, out-1
	s.runs[0], s.count = run{from: p.Sequence, offset: out - p.Sequence}, 1
}

// place returns the viewer's number of one of the source's; ok is false for what came before the start, was left out,
// or is too old to say.
func (s *splice) place(in uint64) (out uint64, ok bool) {
	limit := ^uint64(0) // where the next run begins
	for i := s.count - 1; i >= max(0, s.count-maxRuns); i-- {
		r := s.runs[i%maxRuns]
		if in >= r.from {
			out = in + r.offset
			return out, out < limit
		}
		limit = r.firstOut()
	}
	return 0, false
}

// trace is the inverse of place.
func (s *splice) trace(out uint64) (in uint64, ok bool) {
	for i := s.count - 1; i >= max(0, s.count-maxRuns); i-- {
		if r := s.runs[i%maxRuns]; out >= r.firstOut() {
			return out - r.offset, true
		}
	}
	return 0, false
}

// leaveOut closes the gap that a packet not sent would leave. Only the highest so far can be left out: later ones may
// have been sent already.
func (s *splice) leaveOut(in uint64) {
	latest := &s.runs[(s.count-1)%maxRuns]
	// What is missing before it may yet come and has its numbers already: a next source begins behind them.
	s.highestIn, s.highestOut = in, in-1+latest.offset
	next := run{from: in + 1, offset: latest.offset - 1}
	if latest.from == in { // nothing lies between this one and the one left out before
		*latest = next
		return
	}
	s.runs[s.count%maxRuns] = next
	s.count++
}

// sent notes the packet p that went out with number out.
func (s *splice) sent(p *media.Packet, out uint64) {
	if p.Sequence <= s.highestIn {
		return
	}
	s.highestIn, s.highestOut = p.Sequence, out
	s.lastTimestamp, s.lastArrival = p.Timestamp+s.shift, p.Arrival
}

// extend finds the number sent that ends in these 16 bits; ok is false for one that is yet to come.
func (s *splice) extend(number uint16) (out uint64, ok bool) {
	behind := uint16(s.highestOut) - number
	return s.highestOut - uint64(behind), s.started && behind < 1<<15
}
