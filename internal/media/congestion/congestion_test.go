package congestion

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

const ms = media.Time(time.Millisecond)

// decode sends feedback over the wire and reads it as the draft says, with nothing of ours: arrival times in 250 µs by
// sequence number, 0 for lost.
func decode(t testing.TB, packets []rtcp.Packet) (times map[uint16]int64, order []uint16) {
	t.Helper()
	times = map[uint16]int64{}
	for _, p := range packets {
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > 1200 {
			t.Fatalf("a feedback packet of %d bytes", len(raw))
		}
		var fb rtcp.TransportLayerCC
		if err := fb.Unmarshal(raw); err != nil {
			t.Fatalf("%v in %x", err, raw)
		}
		var statuses []uint16
		for _, c := range fb.PacketChunks {
			switch c := c.(type) {
			case *rtcp.RunLengthChunk:
				for range c.RunLength {
					statuses = append(statuses, c.PacketStatusSymbol)
				}
			case *rtcp.StatusVectorChunk:
				statuses = append(statuses, c.SymbolList...)
			}
		}
		now, deltas := int64(fb.ReferenceTime)*256, fb.RecvDeltas
		for i, s := range statuses[:fb.PacketStatusCount] {
			number := fb.BaseSequenceNumber + uint16(i)
			order = append(order, number)
			times[number] = 0
			if s != 0 {
				now += deltas[0].Delta / 250
				deltas = deltas[1:]
				times[number] = now
			}
		}
		if len(deltas) != 0 {
			t.Fatalf("%d deltas too many", len(deltas))
		}
	}
	return times, order
}

func TestFeedbackTellsWhatArrived(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 7))
		var a Arrivals
		now, number := media.Time(seed)*1e9, uint16(65000)
		want, got := map[uint16]int64{}, map[uint16]int64{}
		for range 30 {
			for range random.IntN(200) {
				number++
				if random.IntN(10) > 0 {
					a.Record(now, number)
					want[number] = int64(now)/250000 + 1
				}
				now += media.Time(random.IntN(3)) * ms
				if random.IntN(100) == 0 {
					now += media.Time(random.IntN(12)) * 1000 * ms
				}
			}
			times, _ := decode(t, a.Feedback(1, 2, nil))
			for n, at := range times {
				got[n] = at
			}
		}
		for n, at := range want {
			if got[n] != at {
				t.Fatalf("seed %d: packet %d arrived at %d, feedback says %d", seed, n, at, got[n])
			}
		}
		for n, at := range got {
			if at != 0 && want[n] != at {
				t.Fatalf("seed %d: packet %d was lost, feedback says %d", seed, n, at)
			}
		}
	}
}

func TestFeedbackSaysEachThingOnce(t *testing.T) {
	var a Arrivals
	if got := a.Feedback(1, 2, nil); got != nil {
		t.Errorf("feedback about nothing: %v", got)
	}
	if a.Waiting() {
		t.Error("nothing waits to be told")
	}
	a.Record(10*ms, 100)
	a.Record(11*ms, 102)
	if !a.Waiting() {
		t.Error("two arrivals wait to be told")
	}
	_, order := decode(t, a.Feedback(1, 2, nil))
	if a.Waiting() {
		t.Error("everything is told")
	}
	if len(order) != 3 || order[0] != 100 {
		t.Errorf("reported %v", order)
	}
	a.Record(12*ms, 102) // doubled
	if got := a.Feedback(1, 2, nil); got != nil {
		t.Errorf("feedback about nothing new: %v", got)
	}
	a.Record(13*ms, 101) // late
	times, order := decode(t, a.Feedback(1, 2, nil))
	if len(order) != 2 || times[101] != 53 || times[102] != 45 {
		t.Errorf("reported %v, %v", order, times)
	}
	a.Record(14*ms, 99) // from before the first
	if _, order := decode(t, a.Feedback(1, 2, nil)); order[0] != 99 || len(order) != 4 {
		t.Errorf("reported %v", order)
	}
}

func TestFeedbackIsCounted(t *testing.T) {
	var a Arrivals
	for i := range uint16(300) {
		a.Record(ms, i)
		p := a.Feedback(7, 8, nil)[0].(*rtcp.TransportLayerCC)
		if p.FbPktCount != uint8(i) || p.SenderSSRC != 7 || p.MediaSSRC != 8 {
			t.Fatalf("packet %d: %v", i, p)
		}
	}
}

func TestJumpsStayWithinReach(t *testing.T) {
	var a Arrivals
	a.Record(ms, 0)
	a.Record(ms, 20000)
	times, order := decode(t, a.Feedback(1, 2, nil))
	if len(order) != reach || times[20000] == 0 {
		t.Errorf("reported %d packets, the last at %d", len(order), times[20000])
	}
	a.Record(ms, 10) // 20000 late
	if got := a.Feedback(1, 2, nil); got != nil {
		t.Errorf("feedback about what is out of reach: %v", got)
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	var a Arrivals
	number := uint16(0)
	if n := testing.AllocsPerRun(5000, func() { number += 3; a.Record(media.Time(number)*ms, number) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestREMB(t *testing.T) {
	raw, err := REMB(1, 2_500_000, make([]uint32, 300)...).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var p rtcp.ReceiverEstimatedMaximumBitrate
	if err := p.Unmarshal(raw); err != nil || p.Bitrate < 2_490_000 || p.Bitrate > 2_500_000 || len(p.SSRCs) != 255 {
		t.Errorf("read back %v, %v", p.Bitrate, err)
	}
}

func BenchmarkFeedback(b *testing.B) {
	var a Arrivals
	number := uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		for range 25 { // 100 ms of 2.5 Mbit/s
			number++
			a.Record(media.Time(number)*4*ms, number)
		}
		a.Feedback(1, 2, nil)
	}
}

func FuzzArrivals(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 200, 5})
	f.Add([]byte{255, 255, 1, 0, 128, 9, 7})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var a Arrivals
		number, now := uint16(0), media.Time(0)
		for _, s := range steps {
			number += uint16(s) * uint16(s)
			now += media.Time(s) * 100 * ms
			a.Record(now, number)
			if s&1 == 0 {
				decode(t, a.Feedback(1, 2, nil))
			}
		}
		decode(t, a.Feedback(1, 2, nil))
	})
}
