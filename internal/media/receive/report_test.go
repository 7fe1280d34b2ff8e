package receive

import (
	"testing"

	"tertulia/internal/media"
)

func TestReportCountsLoss(t *testing.T) {
	g := newRig(t, nil)
	if r := g.Report(0); r.SSRC != ssrc || r.LastSequenceNumber != 0 || r.TotalLost != 0 {
		t.Errorf("before the first packet: %+v", r)
	}
	for s := uint16(65530); s != 4; s++ { // 10 packets over the wrap
		if s != 65535 && s != 1 {
			g.original(0, s, delta...)
		}
	}
	g.rtx(0, 1, 65535, delta...) // makes good for the viewers, not for the report
	r := g.Report(0)
	if r.FractionLost != 2*256/10 || r.TotalLost != 2 || r.LastSequenceNumber != 1<<16|3 {
		t.Errorf("report = %+v", r)
	}
	if s := g.Stats(); s.Fraction != 2*256/10 || s.Lost != 2 || s.Largest != 12+len(delta) {
		t.Errorf("stats = %+v", s)
	}
	for s := range uint16(10) {
		g.original(7*ms, 4+s, delta...)
	}
	if s := g.Stats(); s.Latest != 7*ms {
		t.Errorf("the latest came at %d", s.Latest)
	}
	if r := g.Report(0); r.FractionLost != 0 || r.TotalLost != 2 {
		t.Errorf("next interval: %+v", r)
	}
	if s := g.Stats(); s.Fraction != 0 || s.Measured {
		t.Errorf("stats = %+v", s)
	}
	for range 5 {
		g.original(0, 13, delta...)
	}
	if r := g.Report(0); r.TotalLost != 0 || r.FractionLost != 0 {
		t.Errorf("with doubled packets: %+v", r)
	}
}

func TestReportAnswersSenderReport(t *testing.T) {
	g := newRig(t, nil)
	if _, _, _, ok := g.ClockAt(); ok {
		t.Error("a clock before the first sender report")
	}
	g.SenderReport(1000*ms, 0x1122334455667788, 90000, 77)
	r := g.Report(1500 * ms)
	if r.LastSenderReport != 0x33445566 || r.Delay != 1<<15 {
		t.Errorf("LSR %x, DLSR %x", r.LastSenderReport, r.Delay)
	}
	ntp, rtp, at, ok := g.ClockAt()
	if ntp != 0x1122334455667788 || rtp != 90000 || at != 1000*ms || !ok {
		t.Errorf("clock = %x, %d, %d, %v", ntp, rtp, at, ok)
	}
	if n := g.Stats().Claimed; n != 77 {
		t.Errorf("%d packets are claimed, want 77", n)
	}
}

func TestJitter(t *testing.T) {
	steady, shaky := newRig(t, nil), newRig(t, nil)
	for i := range uint16(500) {
		at := media.Time(i) * 20 * ms
		raw := rtpPacket(ssrc, pt, i, uint32(i)*1800, delta...)
		if err := steady.RTP(at, raw); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			at += 10 * ms // every step is 10 ms too long or too short
		}
		if err := shaky.RTP(at, raw); err != nil {
			t.Fatal(err)
		}
	}
	if j := steady.Report(0).Jitter; j != 0 {
		t.Errorf("steady jitter = %d", j)
	}
	if j := shaky.Report(0).Jitter; j < 890 || j > 910 {
		t.Errorf("shaky jitter = %d, want 900 (10 ms)", j)
	}
	// A pause and a jump of the timestamp are not jitter.
	before := steady.Report(0).Jitter
	if err := steady.RTP(60000*ms, rtpPacket(ssrc, pt, 500, 1<<31, delta...)); err != nil {
		t.Fatal(err)
	}
	if j := steady.Report(0).Jitter; j != before {
		t.Errorf("jitter after a jump = %d", j)
	}
}
