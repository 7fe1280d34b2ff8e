package forward

import "time"

// Stats counts what happened to a viewer's stream since New. Lost and RTT are readings.
type Stats struct {
	Packets, Octets uint64 // sent, resent ones not included; octets of payload
	Starts          uint64 // times the stream began: once per source

	Waiting uint64 // packets dropped while waiting for a key frame
	Padding uint64 // packets left out for they have no payload
	Late    uint64 // packets dropped: from before the start, too old, or resent before they were sent

	NACKed               uint64 // packets the viewer asked for
	Resent, ResentOctets uint64
	Withheld             uint64 // not resent: too many, or the last one is still under way
	Unreachable          uint64 // not resent: no longer cached, of a former source, or never sent
	KeyframeRequests     uint64

	FractionLost float64       // by the viewer's latest report, 0 to 1
	RTT          time.Duration // 0: not known yet
}

// Stats returns the counters.
func (f *Forwarder) Stats() Stats {
	s := f.stats
	s.FractionLost = float64(f.reports.lost) / 256
	s.RTT = time.Duration(f.reports.rtt)
	return s
}
