package receive

import (
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

// clock is the publisher's latest sender report.
type clock struct {
	known   bool
	ntp     uint64
	rtp     uint32
	arrival media.Time
}

// SenderReport takes the sender report of the original SSRC: NTP time in its 64-bit format, and the RTP timestamp of
// the same instant, and how many packets were sent by then (RFC 3550 §6.4.1).
func (r *Receiver) SenderReport(now media.Time, ntp uint64, rtpTime, packets uint32) {
	r.stats.Claimed = packets
	r.clock = clock{known: true, ntp: ntp, rtp: rtpTime, arrival: now}
}

// ClockAt implements media.Source.
func (r *Receiver) ClockAt() (ntp uint64, rtp uint32, arrival media.Time, ok bool) {
	return r.clock.ntp, r.clock.rtp, r.clock.arrival, r.clock.known
}

// quality keeps the counters of RFC 3550 A.3 and A.8.
type quality struct {
	clockRate int64
	received  uint64 // doubled ones included, as A.3 wants

	priorExpected, priorReceived uint64
	fraction                     uint8 // lost, of the latest report

	measured      bool
	lastTimestamp uint32
	lastArrival   media.Time
	jitter        int64 // in timestamp units, times 16
}

// arrived counts a packet of the original SSRC. Jitter is measured over packets in order only: libwebrtc does the
// same, and a retransmission without RTX would otherwise count as a late arrival.
func (q *quality) arrived(now media.Time, timestamp uint32, inOrder bool) {
	q.received++
	if !inOrder {
		return
	}
	if q.measured {
		const believable = 5 // seconds; a longer step is a pause, not jitter
		elapsed := min(now-q.lastArrival, media.Time(time.Minute))
		step := int64(elapsed)*q.clockRate/int64(time.Second) - int64(int32(timestamp-q.lastTimestamp))
		if step = max(step, -step); step < believable*q.clockRate {
			q.jitter += step - (q.jitter+8)>>4
		}
	}
	q.measured, q.lastTimestamp, q.lastArrival = true, timestamp, now
}

func (q *quality) restart() { *q = quality{clockRate: q.clockRate} }

// Report makes the reception report of the original SSRC (RFC 3550 §6.4.1, A.3) and begins a new interval for the
// fraction lost. Before the first packet all but the SSRC is zero.
func (r *Receiver) Report(now media.Time) rtcp.ReceptionReport {
	report := rtcp.ReceptionReport{SSRC: r.cfg.SSRC}
	if r.clock.known {
		report.LastSenderReport = uint32(r.clock.ntp >> 16)
		report.Delay = fraction16(now - r.clock.arrival)
	}
	if !r.sequence.started {
		return report
	}
	q := &r.quality
	expected := r.expected()
	interval := expected - q.priorExpected
	lost := int64(interval) - int64(q.received-q.priorReceived)
	q.priorExpected, q.priorReceived = expected, q.received
	q.fraction = 0
	if interval > 0 && lost > 0 {
		q.fraction = uint8(min(lost<<8/int64(interval), 255))
	}
	report.FractionLost = q.fraction
	report.TotalLost = uint32(min(max(r.lost(), 0), 1<<23-1))
	report.LastSequenceNumber = uint32(r.sequence.highest - r.sequence.base&^0xffff)
	report.Jitter = uint32(q.jitter >> 4)
	return report
}

// expected is how many packets the publisher has sent since the stream began, or began anew.
func (r *Receiver) expected() uint64 {
	if !r.sequence.started {
		return 0
	}
	return r.sequence.highest - r.sequence.base + 1
}

// lost is negative if more arrived than were sent, which doubled packets can bring about.
func (r *Receiver) lost() int64 { return int64(r.expected() - r.quality.received) }

// fraction16 is a duration in units of 1/65536 s.
func fraction16(d media.Time) uint32 {
	d = max(d, 0)
	return uint32(uint64(d/1e9)<<16 + uint64(d%1e9)<<16/1e9)
}
