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
	Reported     media.Time    // when the latest came; 0 before the first
	FractionLost float64       // by that report, 0 to 1
	Lost         int64         // by that report, in all; negative if more came than were sent
	SentThen     uint64        // packets sent when it came
	Highest      int64         // of these, how many the viewer has heard of, those it lost included; -1: it does not say
	RTT          time.Duration // 0: not known yet
}

// Stats returns the counters.
func (f *Forwarder) Stats() Stats {
	s := f.stats
	r := &f.reports
	s.Latest = f.splice.lastArrival
	s.Reports, s.Reported = r.received, r.at
	s.FractionLost, s.Lost, s.SentThen, s.Highest = float64(r.lost)/256, r.total, r.then, r.heardOf
	if r.received == 0 {
		s.Highest = -1
	}
	s.RTT = time.Duration(r.rtt)
	return s
}
