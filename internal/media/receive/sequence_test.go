package receive

import (
	"testing"
	"time"

	"tertulia/internal/media"
)

func TestSequenceExtends(t *testing.T) {
	type step struct {
		number uint16
		quiet  bool
		want   int64 // minus 1<<16
		as     verdict
	}
	for name, steps := range map[string][]step{
		"wrap":             {{65535, false, 65535, ahead}, {0, false, 65536, ahead}, {65534, false, 65534, behind}},
		"before the first": {{0, false, 0, ahead}, {65535, false, -1, behind}},
		"dropout":          {{0, false, 0, ahead}, {2999, false, 2999, ahead}, {5999, false, -1 << 16, suspicious}},
		"edge of window":   {{5000, false, 5000, ahead}, {3977, false, 3977, behind}, {3976, false, -1 << 16, suspicious}},
		"restart by two":   {{7, false, 7, ahead}, {30000, false, -1 << 16, suspicious}, {30001, false, 2<<16 + 30001, restarted}},
		"one stray in between": {
			{7, false, 7, ahead}, {30000, false, -1 << 16, suspicious}, {8, false, 8, ahead}, {30001, false, -1 << 16, suspicious},
		},
		"restart after a pause":      {{7, false, 7, ahead}, {30000, true, 2<<16 + 30000, restarted}},
		"no restart after a pause":   {{7, false, 7, ahead}, {8, true, 8, ahead}},
		"restart to a lower number":  {{60000, false, 60000, ahead}, {10000, true, 2<<16 + 10000, restarted}},
		"restart, then behind":       {{7, false, 7, ahead}, {30000, true, 2<<16 + 30000, restarted}, {29999, false, 2<<16 + 29999, behind}},
		"half the circle is no jump": {{0, false, 0, ahead}, {32768, false, -1 << 16, suspicious}},
	} {
		s := sequence{window: 1024}
		for i, step := range steps {
			got, as := s.extend(step.number, step.quiet)
			if int64(got)-1<<16 != step.want || as != step.as {
				t.Errorf("%s, step %d: %d, %v; want %d, %v", name, i, int64(got)-1<<16, as, step.want, step.as)
			}
		}
	}
}

func TestRestartBeginsAnew(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 100, key...)
	g.original(0, 102, delta...) // 101 is missing
	generation := g.track.Generation
	g.original(ms, 40000, key...) // not believed yet
	g.original(ms, 40001, key...)
	if g.track.Generation != generation+1 {
		t.Errorf("generation went from %d to %d", generation, g.track.Generation)
	}
	if got := g.Feedback(10*ms, 1, nil); len(got) != 0 {
		t.Errorf("asked for %v of the former numbers", got)
	}
	if r := g.Report(10 * ms); r.LastSequenceNumber != 40001 || r.TotalLost != 0 {
		t.Errorf("report = %+v", r)
	}
	if s := g.Stats(); s.Restarts != 1 || s.Suspicious != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestLatePacketsAreDropped(t *testing.T) {
	g := newRig(t, func(c *Config) { c.CachePackets = 16 })
	g.original(0, 100, key...)
	g.original(0, 120, delta...)
	g.original(0, 104, delta...)
	g.original(0, 105, delta...)
	equal(t, "sequences", g.sink.sequences, []uint64{100, 120, 105})
}

func TestLongGapIsNotAskedFor(t *testing.T) {
	g := newRig(t, nil)
	g.original(0, 1, key...)
	g.original(media.Time(3*time.Second), 50, delta...)
	got := g.Feedback(media.Time(3*time.Second), 9, nil)
	if len(got) != 1 || !isPLI(got[0]) {
		t.Errorf("feedback = %v, want a PLI and no NACK", got)
	}
}
