package forward

import (
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

const (
	keptReports = 16 // one a second: a client that has too much to do answers late
	maxRTT      = media.Time(time.Second)
)

// reports remembers our latest sender reports, to know from the viewer's answer a round trip, and what it has heard of.
type reports struct {
	sent  [keptReports]sentReport
	count int

	rtt  media.Time // 0: not known
	lost uint8      // fraction, in 1/256

	received int64  // of the viewer about this stream
	total    int64  // packets lost, by the latest
	latest   Report // and the one before
	former   Report
}

type sentReport struct {
	ntp     uint32 // the middle 32 bits; 0: the publisher's clock was not known, and nothing was reported
	at      media.Time
	number  uint64 // extended, of the last packet sent
	packets uint64 // sent
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
	sent := &f.reports.sent[f.reports.count%keptReports]
	f.reports.count++
	*sent = sentReport{at: now, number: f.splice.highestOut, packets: f.stats.Packets}
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
	sent.ntp = uint32(ntp >> 16)
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
	r.former, r.latest = r.latest, Report{At: now, Sent: f.stats.Packets, Heard: f.heardOf(report)}
	r.total = int64(int32(report.TotalLost<<8) >> 8) // 24 bits, signed
	if report.LastSenderReport == 0 {
		return
	}
	for _, sent := range r.kept() {
		if sent.ntp == report.LastSenderReport {
			held := media.Time(uint64(report.Delay) * 1e9 >> 16)
			r.latest.Trip = max(now-sent.at-held, media.Time(time.Millisecond))
			r.rtt = min(r.latest.Trip, maxRTT)
		}
	}
}

// kept are those remembered, in no order.
func (r *reports) kept() []sentReport { return r.sent[:min(r.count, keptReports)] }

// heardOf is how many of the packets sent by now the viewer knows to have been sent: -1 where it reports a number that we
// have not sent. Gaps of the publisher are gaps of ours, so numbers are compared with those of a sender report near them.
func (f *Forwarder) heardOf(report rtcp.ReceptionReport) int64 {
	if report.LastSequenceNumber == 0 && report.TotalLost == 0 && report.Jitter == 0 {
		return 0 // Pion reports zeros on what never arrived; browsers say nothing
	}
	number := uint64(report.LastSequenceNumber) + 1<<16 // the viewer begins in cycle 0, we in cycle 1
	if number < f.splice.first || number > f.splice.highestOut {
		return -1
	}
	near := sentReport{number: f.splice.highestOut, packets: f.stats.Packets}
	for _, sent := range f.reports.kept() {
		if distance(sent.number, number) < distance(near.number, number) {
			near = sent
		}
	}
	return min(max(int64(near.packets)+int64(number-near.number), 0), int64(f.stats.Packets))
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }
