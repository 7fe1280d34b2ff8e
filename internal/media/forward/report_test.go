package forward

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

func TestSenderReportKeepsLipSync(t *testing.T) {
	g := newRig(t, "VP8", nil)
	g.source.clock = true
	if _, ok := g.SenderReport(0); ok {
		t.Error("a report before the first packet")
	}
	g.start(1 << 16)
	g.connect()
	g.publish(2000*ms, 9<<16, 1000, true, 0x10, 0, 1) // goes out 2 s after the first: shift = 180000-1000
	if _, ok := g.SenderReport(2000 * ms); ok {
		t.Error("a report although the source has sent none")
	}
	g.source.clock, g.source.ntp, g.source.rtp, g.source.at = true, 5<<32, 4000, 2500*ms
	r, ok := g.SenderReport(8000 * ms) // 5.5 s later
	if !ok || r.SSRC != 0xaaaa || r.NTPTime != 10<<32|1<<31 || r.RTPTime != 4000+495000+180000-1000 {
		t.Errorf("report = %+v, %v", r, ok)
	}
	if r.PacketCount != 2 || r.OctetCount != 6 {
		t.Errorf("counts = %d, %d", r.PacketCount, r.OctetCount)
	}
	g.track.SetSource(nil)
	if _, ok := g.SenderReport(8000 * ms); ok {
		t.Error("a report without a source")
	}
}

func TestReceiverReportMeasuresRoundTrip(t *testing.T) {
	g := newRig(t, "VP8", nil)
	g.start(1 << 16)
	g.source.clock, g.source.ntp = true, 1<<40
	var lsr uint32
	for i := range 3 {
		r, _ := g.SenderReport(media.Time(i) * 1000 * ms)
		lsr = uint32(r.NTPTime >> 16)
	}
	g.ReceiverReport(3000*ms, rtcp.ReceptionReport{LastSenderReport: 12345, FractionLost: 64}) // not one of ours
	if s := g.Stats(); s.RTT != 0 || s.FractionLost != 0.25 {
		t.Errorf("stats = %+v", s)
	}
	g.ReceiverReport(2540*ms, rtcp.ReceptionReport{LastSenderReport: lsr, Delay: 1 << 15}) // sent at 2 s, held 0.5 s
	if s := g.Stats(); s.RTT != 40*time.Millisecond || s.Report.Trip != 40*ms {
		t.Errorf("round trip = %v", s.RTT)
	}
	g.ReceiverReport(5540*ms, rtcp.ReceptionReport{LastSenderReport: lsr, Delay: 1 << 15}) // made long before it came
	if s := g.Stats(); s.RTT != time.Second || s.Report.Trip != 3040*ms {
		t.Errorf("round trip = %v, of the report %v", s.RTT, s.Report.Trip)
	}
	g.ReceiverReport(5600*ms, rtcp.ReceptionReport{LastSenderReport: 12345})
	if s := g.Stats(); s.RTT != time.Second || s.Report.Trip != 0 {
		t.Errorf("round trip = %v, of a report that does not tell %v", s.RTT, s.Report.Trip)
	}
	g.ReceiverReport(2540*ms, rtcp.ReceptionReport{LastSenderReport: lsr, Delay: 1<<32 - 1}) // a lie
	if s := g.Stats(); s.RTT != time.Millisecond {
		t.Errorf("round trip = %v", s.RTT)
	}
}

// TestReceiverReportSaysWhatIsHeardOf: how many of our packets the viewer knows of, and how many it lacks.
func TestReceiverReportSaysWhatIsHeardOf(t *testing.T) {
	g := newRig(t, "VP8", nil)
	if s := g.Stats(); s.Report != (Report{}) || s.Reports != 0 || s.Latest != 0 {
		t.Errorf("before the first packet: %+v", s)
	}
	first := g.publish(5*ms, 1<<16, 1000, true, 0x10, 0)
	for i := range uint64(9) {
		g.publish(media.Time(6+i)*ms, 1<<16+1+i, 1000, false, make([]byte, 100+i)...)
	}
	if s := g.Stats(); s.Latest != 14*ms || s.Largest != 12+108 || s.Report.At != 0 {
		t.Errorf("after ten: %+v", s)
	}
	for _, c := range []struct {
		report rtcp.ReceptionReport
		want   int64
		lost   int64
	}{
		{rtcp.ReceptionReport{}, 0, 0}, // nothing came
		{rtcp.ReceptionReport{LastSequenceNumber: uint32(first.SequenceNumber)}, 1, 0},
		{rtcp.ReceptionReport{LastSequenceNumber: uint32(first.SequenceNumber) + 9, TotalLost: 4}, 10, 4},
		{rtcp.ReceptionReport{LastSequenceNumber: uint32(first.SequenceNumber) + 9, TotalLost: 1<<24 - 3}, 10, -3},
		{rtcp.ReceptionReport{LastSequenceNumber: uint32(first.SequenceNumber) + 10}, -1, 0}, // never sent
		{rtcp.ReceptionReport{LastSequenceNumber: 1<<32 - 1}, -1, 0},
	} {
		g.ReceiverReport(20*ms, c.report)
		if s := g.Stats(); s.Report.Heard != c.want || s.Lost != c.lost || s.Report.At != 20*ms {
			t.Errorf("%+v: heard of %d packets, %d lost; want %d, %d", c.report, s.Report.Heard, s.Lost, c.want, c.lost)
		}
	}
	if s := g.Stats(); s.Reports != 6 || s.Report.Sent != 10 {
		t.Errorf("%d reports, the latest when %d packets were sent", s.Reports, s.Report.Sent)
	}
	g.SenderReport(25 * ms)
	g.publish(30*ms, 1<<16+9+1000, 1000, false, 0) // what the publisher lost is a gap of ours, and no packet
	g.ReceiverReport(40*ms, rtcp.ReceptionReport{LastSequenceNumber: uint32(first.SequenceNumber) + 9})
	if s := g.Stats(); s.Report.Sent != 11 || s.Report.Heard != 10 {
		t.Errorf("before a gap: heard of %d packets of %d", s.Report.Heard, s.Report.Sent)
	}
	g.ReceiverReport(50*ms, rtcp.ReceptionReport{LastSequenceNumber: uint32(first.SequenceNumber) + 9 + 1000})
	if s := g.Stats(); s.Report.Heard != 11 {
		t.Errorf("after a gap: heard of %d packets of %d", s.Report.Heard, s.Report.Sent)
	}
}
