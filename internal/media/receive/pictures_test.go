package receive

import (
	"testing"

	"tertulia/internal/media"
)

// TestPicturesAreCounted by their timestamps: not packets, not padding, and what comes late is of a counted one.
func TestPicturesAreCounted(t *testing.T) {
	g := newRig(t, nil)
	send := func(now media.Time, sequence uint16, timestamp uint32, payload ...byte) {
		t.Helper()
		if err := g.RTP(now, rtpPacket(ssrc, pt, sequence, timestamp, payload...)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(pictures uint64, at media.Time) {
		t.Helper()
		if s := g.Stats(); s.Pictures != pictures || s.Pictured != at {
			t.Errorf("%d pictures, the latest at %d ms; want %d, %d", s.Pictures, s.Pictured/ms, pictures, at/ms)
		}
	}
	first := uint32(0xffff_f000) // it goes round // the timestamp goes round
	want(0, 0)
	send(10*ms, 1, first, 0x10, 1)
	send(11*ms, 2, first, 0x00, 1)
	want(1, 10*ms)
	send(43*ms, 5, first+6000, 0x10, 1)
	want(2, 43*ms)
	send(44*ms, 4, first+3000, 0x10, 1) // late
	send(45*ms, 6, first+9000)          // no payload
	want(2, 43*ms)
	send(76*ms, 7, first+9000, 0x10, 1)
	want(3, 76*ms)
	send(80*ms, 8, 1<<30, 0x10, 1) // another clock
	want(4, 80*ms)
	send(90*ms, 9, 1<<29, 0x10, 1) // and one that is far behind
	send(99*ms, 10, 1<<29+3000, 0x10, 1)
	want(6, 99*ms)
}
