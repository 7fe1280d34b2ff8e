package congestion

import (
	"time"

	"tertulia/internal/media"
)

// reach is how many packets are remembered: with feedback every 100 ms enough for 100 Mbit/s. What arrives later than
// that stays lost. A power of two.
const reach = 1024

// tick is an arrival time in 250 µs, the resolution of the feedback; 0 is no time.
type tick int64

// Arrivals records when the packets of one transport arrived, by their transport-wide sequence number
// (draft-holmer-rmcat-transport-wide-cc-extensions-01). The zero value is ready. It takes 8 KiB: an endpoint whose
// peer did not negotiate the extension need not have one.
type Arrivals struct {
	times    [reach]tick // by sequence number modulo reach
	begin    uint64      // what the next feedback starts with, an extended sequence number
	end      uint64      // the highest that arrived, plus 1; 0: none has
	feedback uint8       // how many feedback packets were made
}

// Record notes a packet with its transport-wide sequence number.
func (a *Arrivals) Record(now media.Time, sequence uint16) {
	if a.end == 0 {
		a.begin = 1<<16 | uint64(sequence) // in cycle 1, so that earlier ones have a number too
		a.end = a.begin
	}
	number := uint64(int64(a.end-1) + int64(int16(sequence-uint16(a.end-1))))
	switch {
	case number >= a.end:
		a.forget(a.end, number)
		a.end = number + 1
		if a.begin+reach < a.end {
			a.begin = a.end - reach
		}
	case number+reach < a.end || a.times[number%reach] != 0:
		return // too late, or doubled
	default:
		a.begin = min(a.begin, number) // it was reported lost: say it again
	}
	a.times[number%reach] = tick(max(now, 0)/media.Time(250*time.Microsecond)) + 1
}

// forget clears the times of [from, to).
func (a *Arrivals) forget(from, to uint64) {
	if to-from >= reach {
		clear(a.times[:])
		return
	}
	for ; from < to; from++ {
		a.times[from%reach] = 0
	}
}

// Waiting tells whether there is something to report.
func (a *Arrivals) Waiting() bool { return a.begin < a.end }
