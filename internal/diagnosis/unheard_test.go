package diagnosis

import (
	"math/rand/v2"
	"slices"
	"testing"

	"tertulia/internal/wire/mediactl"
)

// downlink is a viewer whose two tracks are sent over a network, in steps of 20 ms, and who reports as Chromium does: on video
// every 0.5 to 1.5 s, on sound every 2.5 to 7.5 s, and not on what it has not got for 8 s.
type downlink struct {
	random *rand.Rand
	trip   int64 // milliseconds one way
	lost   func(kind string, at int64) bool
	leaves func(track int, at int64) int64 // when a report leaves that was made at a time
	still  bool                            // the video is a screen on which little happens
	blind  bool                            // the round trip is not known
	tracks [2]sentTrack
	under  []underWay // reports
	reads  int64      // when facts are read next
	calm   int64      // milliseconds between two readings as long as all is well
	call   *call
}

type sentTrack struct {
	facts   mediactl.TrackFacts
	former  int64    // when the report before the latest came
	every   [2]int64 // between two reports, milliseconds
	next    int64
	came    []int64 // when packets arrived that are still under way, and their numbers
	numbers []int64
	highest int64
	latest  int64
	at      int64 // when the latest report came
}

type underWay struct {
	made    int64
	at      int64
	track   int
	highest int64
}

func newDownlink(seed uint64, trip int64) *downlink {
	l := &downlink{random: rand.New(rand.NewPCG(seed, 1)), trip: trip, calm: oftenEvery, call: &call{flows: map[string]*Endpoint{}}}
	l.lost = func(string, int64) bool { return false }
	l.leaves = func(_ int, at int64) int64 { return at }
	l.tracks[0] = sentTrack{facts: mediactl.TrackFacts{Kind: "audio"}, every: [2]int64{2500, 7500}}
	l.tracks[1] = sentTrack{facts: mediactl.TrackFacts{Kind: "video"}, every: [2]int64{500, 1500}}
	for i := range l.tracks {
		t := &l.tracks[i]
		t.facts.Sends, t.next = true, l.between(t.every)
	}
	l.reads = l.random.Int64N(1000)
	v := viewer()
	v.Past, v.Facts.Age = nil, 0
	l.call.flows[v.Facts.Endpoint] = v
	return l
}

func (l *downlink) between(limits [2]int64) int64 {
	return limits[0] + l.random.Int64N(limits[1]-limits[0])
}

// step is 20 ms: a packet of sound, two to four of video; it returns what is found where facts are read.
func (l *downlink) step(now int64) []Code {
	for i := range l.tracks {
		t := &l.tracks[i]
		n := 1
		if i == 1 {
			n = 2 + l.random.IntN(3)
			if l.still {
				n = 2 * int(1-min(now%700, 1))
			}
		}
		for range n {
			t.facts.Packets++
			if !l.lost(t.facts.Kind, now) {
				t.came, t.numbers = append(t.came, now+l.trip), append(t.numbers, int64(t.facts.Packets))
			}
		}
		for len(t.came) > 0 && t.came[0] <= now {
			t.highest, t.latest = t.numbers[0], now
			t.came, t.numbers = t.came[1:], t.numbers[1:]
		}
		if t.next <= now {
			t.next = now + l.between(t.every)
			if now-t.latest < 8000 {
				l.under = append(l.under, underWay{now, l.leaves(i, now) + l.trip, i, t.highest})
				slices.SortStableFunc(l.under, func(a, b underWay) int { return int(a.at - b.at) })
			}
		}
	}
	for len(l.under) > 0 && l.under[0].at <= now {
		u := l.under[0]
		t := &l.tracks[u.track]
		t.facts.Reports++
		t.facts.Former, t.former = t.facts.Report, t.at
		t.facts.Report, t.at = mediactl.Report{Sent: t.facts.Packets, Heard: u.highest}, now
		if !l.blind {
			t.facts.Report.Trip = l.trip + now - u.made
		}
		l.under = l.under[1:]
	}
	if now < l.reads {
		return nil
	}
	f := viewer().Facts
	f.Age, f.Tracks = now+1, nil
	for _, t := range l.tracks {
		t.facts.Report.Age, t.facts.Former.Age = age(now, t.at), age(now, t.former)
		f.Tracks = append(f.Tracks, t.facts)
	}
	l.call.note(&f, start+now)
	e := l.call.flows[f.Endpoint]
	if l.reads = now + oftenEvery; !e.uneasy() {
		l.reads = now + l.calm
	}
	v := seen(e)
	v.Now = start + now
	return codes(v)
}

// Sound that is lost alone is named within 10 s, whenever the viewer reports and however long the call has lasted.
func TestKMS_19a__SoundThatStopsIsNamedInTime(t *testing.T) {
	const runs = 500
	for _, c := range []struct{ trip, calm int64 }{{10, oftenEvery}, {150, oftenEvery}, {10, calmEvery}, {150, calmEvery}} {
		late, slowest := 0, int64(0)
		for seed := range uint64(runs) {
			l := newDownlink(seed, c.trip)
			l.calm = c.calm
			strikes := 20_000 + l.random.Int64N(10_000)
			l.lost = func(kind string, at int64) bool { return kind == "audio" && at >= strikes }
			took := l.untilNamed(t, strikes)
			slowest = max(slowest, took)
			if took > 10_000 {
				late++
			}
		}
		t.Logf("round trip %d ms, a look every %d ms: %d of %d named after more than 10 s, the slowest after %d ms", 2*c.trip, c.calm, late, runs, slowest)
		if late > runs/20 || slowest > 12_000 {
			t.Errorf("%d of %d are late, the slowest by %d ms", late, runs, slowest-10_000)
		}
	}
}

// untilNamed plays until AUDIO_ONE_WAY is found, alone, and returns how long that took, in milliseconds.
func (l *downlink) untilNamed(t *testing.T, strikes int64) (took int64) {
	for now := int64(0); now < strikes+20_000; now += 20 {
		found := l.step(now)
		if len(found) == 0 {
			continue
		}
		if now < strikes || !slices.Equal(found, []Code{AudioOneWay}) {
			t.Fatalf("%v, %d ms after the strike", found, now-strikes)
		}
		return now - strikes
	}
	t.Fatal("never named")
	return 0
}

// A network that pauses, there or back, as Wi-Fi does when it changes channels, is no path that loses sound alone.
func TestAPauseOfTheNetworkIsNotOneWay(t *testing.T) {
	for seed := range uint64(2400) {
		length := 300 + int64(seed%25)*100
		pauses := func(at int64) bool { return at%13_000 < length }
		l := newDownlink(seed, 10+int64(seed%15)*10)
		l.calm = []int64{oftenEvery, calmEvery}[seed%2]
		what := seed % 6
		if what < 3 {
			l.lost = func(_ string, at int64) bool { return pauses(at) }
		} else {
			l.leaves = func(_ int, at int64) int64 {
				if pauses(at) {
					return at - at%13_000 + length
				}
				return at
			}
		}
		l.blind, l.still = what%3 == 1, what%3 == 2
		for now := int64(0); now < 60_000; now += 20 {
			if found := l.step(now); len(found) > 0 {
				t.Fatalf("seed %d: %v at %d ms, pauses of %d ms, %d", seed, found, now, length, what)
			}
		}
	}
}

// A client that has too much to do sends each report when it comes to it.
func TestReportsThatAreHeldUpAreNotOneWay(t *testing.T) {
	for seed := range uint64(1000) {
		l := newDownlink(seed, 10)
		var last [2]int64
		l.leaves = func(track int, at int64) int64 {
			if at > 10_000 {
				at += l.random.Int64N(1 + int64(seed%40)*100)
			}
			last[track] = max(last[track], at)
			return last[track]
		}
		for now := int64(0); now < 60_000; now += 20 {
			if found := l.step(now); len(found) > 0 {
				t.Fatalf("seed %d: %v at %d ms", seed, found, now)
			}
		}
	}
}

func age(now, at int64) int64 {
	if at == 0 {
		return -1
	}
	return now - at
}
