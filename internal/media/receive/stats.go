package receive

import (
	"time"

	"tertulia/internal/media"
)

// Stats counts what happened to a stream since New. Those from Lost to RTT, without counts, are readings.
type Stats struct {
	Packets, Octets uint64 // taken, retransmissions included; octets of payload
	Largest         int    // bytes of the largest packet that came, header included, encryption not
	Padding         uint64 // packets without payload
	Keyframes       uint64 // video
	Pictures        uint64 // begun to arrive, of video

	Lost       int64         // as reported to the publisher: retransmissions do not make it good
	Fraction   uint8         // of it in the latest report, in 1/256
	Latest     media.Time    // when the last packet with a payload came: probes go on when a camera has ended; 0 before the first
	Pictured   media.Time    // when the latest picture began to; 0 before the first
	Recovered  uint64        // missing packets that came by RTX
	NACKed     uint64        // packets asked for, repetitions included
	Abandoned  uint64        // packets no longer asked for
	Jitter     time.Duration // RFC 3550 A.8
	RTT        time.Duration // from NACK to RTX; zero where NACK is off
	Measured   bool          // RTT is more than a guess
	Restarts   uint64        // times the sequence numbers began anew
	Duplicates uint64

	KeyframeRequests uint64 // sent

	Claimed uint32 // packets the publisher's latest sender report says were sent

	Malformed  uint64 // not RTP, or RTX that is cut short
	Foreign    uint64 // SSRC or payload type of no stream of ours
	Suspicious uint64 // sequence number too old or too far ahead
	Stray      uint64 // RTX of a packet too old, or never heard of
}

// Stats returns the counters.
func (r *Receiver) Stats() Stats {
	s := r.stats
	s.Pictures, s.Pictured = r.pictures.count, r.pictures.at
	s.Lost = r.lost()
	s.Fraction = r.quality.fraction
	s.RTT, s.Measured = time.Duration(r.losses.rtt), r.losses.measured
	if r.quality.clockRate > 0 {
		s.Jitter = time.Duration(r.quality.jitter >> 4 * int64(time.Second) / r.quality.clockRate)
	}
	return s
}
