package receive

// maxDropout is how far ahead of the highest a number may be and still belong to the same stream (RFC 3550 A.1).
const maxDropout = 3000

// verdict is what a sequence number says about its packet.
type verdict uint8

const (
	ahead      verdict = iota // the highest so far; numbers before it may be missing
	behind                    // reordered, retransmitted or doubled, and still within the window
	suspicious                // too old, or the first of a stream that restarted: wait for the next to tell
	restarted                 // the numbers have jumped, and this is the first of the new ones that counts
)

// sequence extends 16-bit sequence numbers by counting their cycles, as RFC 3550 A.1. Extended numbers start in
// cycle 1, so that a packet from before the first has one as well, and none is 0.
type sequence struct {
	started       bool
	base, highest uint64
	window        uint64 // how far behind the highest is still useful, in packets

	suspected bool
	suspect   uint16 // the number that would prove a restart
}

// extend places a number of the original stream. After a quiet time a jump needs no second packet to be believed.
func (s *sequence) extend(number uint16, quiet bool) (uint64, verdict) {
	if !s.started {
		s.started = true
		s.base = 1<<16 | uint64(number)
		s.highest = s.base
		return s.base, ahead
	}
	if extended, ok := s.near(number); ok {
		s.suspected = false
		if extended <= s.highest {
			return extended, behind
		}
		s.highest = extended
		return extended, ahead
	}
	if quiet || s.suspected && number == s.suspect {
		s.suspected = false
		s.base = (s.highest>>16+2)<<16 | uint64(number)
		s.highest = s.base
		return s.base, restarted
	}
	s.suspected, s.suspect = true, number+1
	return 0, suspicious
}

// near extends a number that is within the window behind the highest, or a small dropout ahead of it.
func (s *sequence) near(number uint16) (extended uint64, ok bool) {
	distance := int64(int16(number - uint16(s.highest)))
	extended = uint64(int64(s.highest) + distance)
	return extended, s.started && distance < maxDropout && distance > -int64(s.window)
}
