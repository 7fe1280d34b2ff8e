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
