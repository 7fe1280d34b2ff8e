package receive

import (
	"testing"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

func isPLI(p rtcp.Packet) bool { _, ok := p.(*rtcp.PictureLossIndication); return ok }

// nacked lists what the NACKs among packets ask for.
func nacked(t *testing.T, packets []rtcp.Packet) (numbers []uint16) {
	t.Helper()
	for _, p := range packets {
		if n, ok := p.(*rtcp.TransportLayerNack); ok {
			if n.MediaSSRC != ssrc || n.SenderSSRC != 9 {
				t.Errorf("NACK from %x about %x", n.SenderSSRC, n.MediaSSRC)
			}
			for _, pair := range n.Nacks {
				numbers = append(numbers, pair.PacketList()...)
			}
		}
	}
	if _, err := rtcp.Marshal(packets); err != nil {
		t.Error(err)
	}
	return numbers
}

func TestNACKBacksOff(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 65534, key...)
	g.original(0, 2, delta...)
	equal(t, "first", nacked(t, g.Feedback(0, 9, nil)), []uint16{65535, 0, 1})
	g.original(ms, 0, delta...)
	var at []media.Time
	for now := ms; now < 2000*ms; now += ms {
		if got := nacked(t, g.Feedback(now, 9, nil)); got != nil {
			equal(t, "again", got, []uint16{65535, 1})
			at = append(at, now)
		}
	}
	equal(t, "repeated at", at, []media.Time{100 * ms, 300 * ms, 600 * ms})
	if s := g.Stats(); s.Abandoned != 2 || s.NACKed != 9 || s.KeyframeRequests == 0 {
		t.Errorf("stats = %+v", s)
	}
}

func TestNACKLearnsTheRoundTrip(t *testing.T) {
	g := newRig(t, nil)
	number, now := uint16(0), media.Time(0)
	g.original(now, number, key...)
	for range 30 {
		now += 100 * ms
		number += 2
		g.original(now, number, delta...)
		g.Feedback(now, 9, nil)
		g.rtx(now+20*ms, number, number-1, delta...)
	}
	if rtt := media.Time(g.Stats().RTT); rtt < 20*ms || rtt > 22*ms {
		t.Errorf("round trip = %v", g.Stats().RTT)
	}
}

func TestTooManyMissingIsAKeyframe(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 0, key...)
	g.original(0, 257, delta...) // 256 are missing: as many as are asked for
	if got := nacked(t, g.Feedback(0, 9, nil)); len(got) != 256 {
		t.Errorf("asked for %d", len(got))
	}
	g.original(0, 259, delta...)
	got := g.Feedback(ms, 9, nil)
	if len(got) != 1 || !isPLI(got[0]) {
		t.Errorf("feedback = %v, want a PLI alone", got)
	}
}

func TestKeyframeRequestsAreThrottled(t *testing.T) {
	g := newRig(t, nil)
	var at []media.Time
	for now := media.Time(0); now < 1000*ms; now += 10 * ms {
		switch now {
		case 100 * ms, 110 * ms, 120 * ms, 650 * ms:
			g.RequestKeyframe(now)
		case 500 * ms:
			g.original(now, 1, key...)
		}
		for _, p := range g.Feedback(now, 9, nil) {
			if isPLI(p) {
				at = append(at, now)
			}
		}
	}
	// At once; again while none arrives; the one of 650 ms is remembered until the quiet time is over.
	equal(t, "asked at", at, []media.Time{100 * ms, 400 * ms, 700 * ms})
}

func TestFIRCountsRequestsNotRepetitions(t *testing.T) {
	g := newRig(t, func(c *Config) { c.PLI, c.FIR = false, true })
	var numbers []uint8
	ask := func(now media.Time) {
		for _, p := range g.Feedback(now, 9, nil) {
			fir := p.(*rtcp.FullIntraRequest)
			if fir.FIR[0].SSRC != ssrc {
				t.Errorf("FIR = %v", fir)
			}
			numbers = append(numbers, fir.FIR[0].SequenceNumber)
		}
	}
	g.RequestKeyframe(0)
	ask(0)
	ask(300 * ms)
	g.original(300*ms, 1, key...)
	g.RequestKeyframe(600 * ms)
	ask(600 * ms)
	equal(t, "numbers", numbers, []uint8{1, 1, 2})
}

func TestNothingIsAskedWhereNothingWasNegotiated(t *testing.T) {
	g := newRig(t, func(c *Config) { c.NACK, c.PLI = false, false })
	g.original(0, 1, key...)
	g.original(0, 9, delta...)
	g.RequestKeyframe(0)
	if got := g.Feedback(0, 9, nil); got != nil {
		t.Errorf("feedback = %v", got)
	}
}

func TestIdleFeedbackAllocatesNothing(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 1, key...)
	if n := testing.AllocsPerRun(100, func() { g.Feedback(ms, 9, nil); g.Report(ms) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestWanting: who asks for feedback is told when there is something to ask the publisher for, and Wants says so until
// it has come.
func TestWanting(t *testing.T) {
	calls := 0
	g := newRig(t, func(c *Config) { c.Wanting = func() { calls++ } })
	want := func(when string, n int, wants bool) {
		t.Helper()
		if calls != n || g.Wants() != wants {
			t.Errorf("%s: told %d times, want %d; wants %v", when, calls, n, g.Wants())
		}
	}
	g.original(0, 1, key...)
	calls = 0 // the beginning of a stream is a wish of its own, which its key frame ends
	g.original(0, 2, delta...)
	want("in order", 0, false)
	g.original(0, 4, delta...)
	want("a gap", 1, true)
	g.original(ms, 3, delta...)
	want("closed", 1, false)
	g.RequestKeyframe(ms)
	want("a wish", 2, true)
	g.original(2*ms, 5, key...)
	want("granted", 2, false)
	g.original(3*ms, 5+2*maxMissing, delta...)
	want("too many lost", 3, true)
}

// TestLossesTakeNoRoomBeforehand, and none per packet later.
func TestLossesTakeNoRoomBeforehand(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 1, key...)
	if g.losses.missing != nil || g.losses.ask != nil {
		t.Error("lists of losses without a loss")
	}
	g.original(0, 3, delta...)
	if cap(g.losses.missing) != maxMissing || cap(g.losses.ask) != maxMissing {
		t.Errorf("room for %d losses and %d requests, want %d", cap(g.losses.missing), cap(g.losses.ask), maxMissing)
	}
}
