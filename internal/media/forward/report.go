package forward

import (
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

const (
	keptReports = 4
	maxRTT      = media.Time(time.Second)
)

// reports remembers our latest sender reports, to know a round trip from the viewer's answer.
type reports struct {
	sent  [keptReports]sentReport
	count int

	rtt  media.Time // 0: not known
	lost uint8      // fraction, in 1/256

	received int64      // reports of the viewer about this stream
	at       media.Time // when the latest came
	total    int64      // packets lost, by it
	highest  uint32     // extended sequence number of the last that arrived, by it, as the viewer counts cycles
	heard    bool       // it reports on something that arrived
}

type sentReport struct {
	ntp uint32 // the middle 32 bits
	at  media.Time
}

// roundTrip is how long a resent packet takes to stop the viewer asking for it.
func (r *reports) roundTrip() media.Time {
	if r.rtt == 0 {
		return unknownRTT
	}
	return r.rtt
}

// SenderReport makes the viewer's sender report (RFC 3550 §6.4.1); ok is false while there is none to make. NTP time is
// the publisher's clock, carried on to now, so that a publisher's audio and video stay in step at the viewer's; the
// RTP timestamp is on our timeline.
func (f *Forwarder) SenderReport(now media.Time) (report rtcp.SenderReport, ok bool) {
	source := f.track.Source()
	if !f.live || f.generation != f.track.Generation || source == nil {
		return report, false
	}
	ntp, rtp, arrival, ok := source.ClockAt()
	if !ok {
		return report, false
	}
	elapsed := uint64(max(now-arrival, 0))
	seconds, rest := elapsed/1e9, elapsed%1e9
	ntp += seconds<<32 + rest<<32/1e9
	rate := uint64(f.splice.clockRate)
	rtp += uint32(seconds*rate+rest*rate/1e9) + f.splice.shift
	f.reports.sent[f.reports.count%keptReports] = sentReport{ntp: uint32(ntp >> 16), at: now}
	f.reports.count++
	return rtcp.SenderReport{
		SSRC:        f.cfg.SSRC,
		NTPTime:     ntp,
		RTPTime:     rtp,
		PacketCount: uint32(f.stats.Packets),
		OctetCount:  uint32(f.stats.Octets),
	}, true
}

// ReceiverReport takes what the viewer reports about this stream. The round trip (RFC 3550 §6.4.1) tells how long not
// to resend a packet again.
func (f *Forwarder) ReceiverReport(now media.Time, report rtcp.ReceptionReport) {
	r := &f.reports
	r.lost = report.FractionLost
	r.received++
	r.at, r.highest = now, report.LastSequenceNumber
	r.total = int64(int32(report.TotalLost<<8) >> 8) // 24 bits, signed
	// Pion reports zeros on what never arrived; browsers say nothing.
	r.heard = report.LastSequenceNumber != 0 || report.TotalLost != 0 || report.Jitter != 0
	if report.LastSenderReport == 0 {
		return
	}
	for _, sent := range r.sent[:min(r.count, keptReports)] {
		if sent.ntp == report.LastSenderReport {
			held := media.Time(uint64(report.Delay) * 1e9 >> 16)
			r.rtt = min(max(now-sent.at-held, media.Time(time.Millisecond)), maxRTT)
		}
	}
}

// heardOf is how many packets of the stream the viewer knows to have been sent, by its latest report: -1 where it has
// not reported, or reports a number that we have not sent.
func (f *Forwarder) heardOf() int64 {
	r := &f.reports
	switch {
	case r.received == 0:
		return -1
	case !r.heard:
		return 0
	}
	out := uint64(r.highest) + 1<<16 // the viewer begins in cycle 0, we in cycle 1
	if out < f.splice.first || out > f.splice.highestOut {
		return -1
	}
	return int64(out - f.splice.first + 1)
}
