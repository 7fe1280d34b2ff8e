package forward

import (
	"time"

	"tertulia/internal/media"
)

// Stats counts what happened to a viewer's stream since New. Those from Latest on are readings.
type Stats struct {
	Packets, Octets uint64 // sent, resent ones not included; octets of payload
	Largest         int    // bytes of the largest of them, header included, encryption not
	Starts          uint64 // times the stream began: once per source

	Waiting uint64 // packets dropped while waiting for a key frame
	Padding uint64 // packets left out for they have no payload
	Late    uint64 // packets dropped: from before the start, too old, or resent before they were sent

	NACKed               uint64 // packets the viewer asked for
	Resent, ResentOctets uint64
	Withheld             uint64 // not resent: too many, or the last one is still under way
	Unreachable          uint64 // not resent: no longer cached, of a former source, or never sent
	KeyframeRequests     uint64

	Latest       media.Time    // when the last packet was sent, resent ones not counted; 0 before the first
	Reports      int64         // of the viewer about this stream
	Report       Report        // the latest of them
	Former       Report        // the one before
	FractionLost float64       // by the latest, 0 to 1
	Lost         int64         // by the latest, in all; negative if more came than were sent
	RTT          time.Duration // 0: not known yet
}

// Report is what a receiver report of the viewer says of what it has heard of.
type Report struct {
	At    media.Time // when it came; 0: there is none
	Sent  uint64     // packets sent by then
	Heard int64      // of these, how many the viewer knows of, those it lost included; -1: it does not say
	// Trip is how long a packet and this very report took together, however long the report was held up after it was made;
	// 0: not known. So much of what was sent it cannot know of.
	Trip media.Time
}

// Stats returns the counters.
func (f *Forwarder) Stats() Stats {
	s := f.stats
	r := &f.reports
	s.Latest = f.splice.lastArrival
	s.Reports, s.Report, s.Former = r.received, r.latest, r.former
	s.FractionLost, s.Lost = float64(r.lost)/256, r.total
	s.RTT = time.Duration(r.rtt)
	return s
}
