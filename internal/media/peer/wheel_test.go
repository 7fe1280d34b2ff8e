package peer

import (
	"math/rand/v2"
	"testing"

	"tertulia/internal/media"
)

// inert makes an endpoint whose tick does nothing but ask to come again a second later.
func inert(s *Shard) *Endpoint { return newEndpoint(s, EndpointConfig{}) }

// TestWheel against a plain list: whatever is put, moved and removed, and however far time goes at once, each endpoint
// ticks when its time has come, never early, at most a step late, and next never lets one be overslept.
func TestWheel(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		b := newBench(t, 0)
		w := &b.shard.due
		now := media.Time(random.Int64N(int64(5 * second)))
		w.run(now)
		var list []*Endpoint
		due, since := map[*Endpoint]media.Time{}, map[*Endpoint]media.Time{} // and when it was put
		for range 200 {
			list = append(list, inert(b.shard))
		}
		for range 400 {
			e := list[random.IntN(len(list))]
			switch random.IntN(4) {
			case 0:
				w.remove(e)
				delete(due, e)
			default:
				at := now + media.Time(random.Int64N(int64(6*second))) - second/2
				w.put(e, at)
				due[e], since[e] = at, now
			}
			if random.IntN(4) > 0 {
				continue
			}
			now += media.Time(random.Int64N(int64(second)) >> random.IntN(12))
			if random.IntN(50) == 0 {
				now += 10 * second // a process that was stopped
			}
			wake, any := w.next()
			w.run(now)
			if any != (len(due) > 0) {
				t.Fatalf("seed %d: next says %v of %d endpoints", seed, any, len(due))
			}
			for e, at := range due {
				came := e.due != at
				switch {
				case came && at > now:
					t.Fatalf("seed %d: ticked %d early", seed, at-now)
				case !came && max(at, since[e]) <= now-wheelStep:
					t.Fatalf("seed %d: %d late, and has not ticked", seed, now-max(at, since[e]))
				case came && now < wake:
					t.Fatalf("seed %d: ticked at %d, next said %d", seed, now, wake)
				}
				if came {
					due[e], since[e] = e.due, now
				}
			}
			if w.count != len(due) {
				t.Fatalf("seed %d: %d in the wheel, want %d", seed, w.count, len(due))
			}
		}
	}
}

// TestWheelWakes: who sleeps until next says finds the earliest endpoint due, wherever the hand stands.
func TestWheelWakes(t *testing.T) {
	b := newBench(t, 0)
	w := &b.shard.due
	for i := range media.Time(3 * wheelSlots) {
		now := i * wheelStep
		w.run(now)
		e := inert(b.shard)
		at := now + 1 + i*7%(wheelSlots-2)*wheelStep
		w.put(e, at)
		wake, ok := w.next()
		if !ok || wake < at || wake >= at+wheelStep {
			t.Fatalf("hand at %d: next says %d for %d", w.at, wake, at)
		}
		w.remove(e)
		w.remove(e)
		if _, ok := w.next(); ok || w.count != 0 {
			t.Fatal("something is left")
		}
	}
}

// TestWheelDuringRun: a tick that releases, moves or puts others, in its own slot and elsewhere, upsets nothing.
func TestWheelDuringRun(t *testing.T) {
	b := newBench(t, 0)
	w := &b.shard.due
	var list []*Endpoint
	for range 60 {
		list = append(list, inert(b.shard))
	}
	ticks := 0
	for i, e := range list {
		e.consent = -consentFor // its tick says so, and calls Event
		e.config.Event = func(Event) {
			ticks++
			list[(i+1)%len(list)].release()
			w.put(list[(i+2)%len(list)], wheelStep*3)
			w.put(list[(i+3)%len(list)], 0)
		}
		w.put(e, wheelStep)
	}
	w.run(wheelStep)
	closed := 0
	for i, e := range list {
		if !e.closed {
			continue
		}
		closed++
		if e.slot != 0 || e.next != nil || e.prev != nil {
			t.Errorf("%d is closed and stands in the wheel", i)
		}
		w.put(e, 1)
	}
	if ticks == 0 || closed == 0 || w.count != len(list)-closed {
		t.Errorf("%d ticks; %d of %d are closed, %d stand in the wheel", ticks, closed, len(list), w.count)
	}
	w.run(3 * wheelStep)
	w.run(4 * wheelStep)
	for i, e := range list {
		if !e.closed && e.state != Failed {
			t.Errorf("%d has not ticked", i)
		}
	}
}

// TestBeatsAreSpread: endpoints that came together do not report together, and each keeps its second.
func TestBeatsAreSpread(t *testing.T) {
	b := newBench(t, 0)
	random := rand.New(rand.NewPCG(1, 2))
	const many = 2500
	slots := map[int64]int{}
	for range many {
		e := inert(b.shard)
		e.ssrc = random.Uint32()
		now := 5*second + media.Time(random.IntN(1000))
		at := e.beat(now)
		if at > now || now-at >= sparse || e.beat(at) != at || e.beat(now+sparse) != at+sparse {
			t.Fatalf("the beat at %d is %d", now, at)
		}
		slots[stepOf(at)]++
	}
	most := 0
	for _, n := range slots {
		most = max(most, n)
	}
	if most > 2*many/beats || len(slots) > 2*beats {
		t.Errorf("%d of %d endpoints report at once, %d times are used", most, many, len(slots))
	}
}

func BenchmarkWheel(b *testing.B) {
	bench := newBench(b, 0)
	w := &bench.shard.due
	for range 2500 {
		e := inert(bench.shard)
		e.state = Failed
		w.put(e, media.Time(rand.Int64N(int64(second))))
	}
	b.ReportAllocs()
	now := media.Time(0)
	for b.Loop() {
		now += second
		for at := now - second; at <= now; at += wheelStep {
			w.run(at)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2500, "ns/tick")
}
