package bench

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRatiosCompareWhatIsOfOneRun(t *testing.T) {
	w := &sweep{plan: plan{runs: 3}}
	r := &w.results
	r.add(0, ours, "forward-burst-gcm", 2)
	r.add(0, floorName, "forward-burst-gcm", 1)
	r.add(0, ours, "forward-burst-gcm on two cores", 2.2)
	r.Curve = []Point{
		{ours, 0, 200, 9, 0}, // of the forwarding step: another process
		{ours, 0, 200, 2, 0}, {ours, 0, 1000, 2.1, 0},
		{"livekit", 0, 1000, 90, 0},
		{ours, 1, 200, 2, 0}, {ours, 1, 1000, 3, 0.2}, // what is lost costs nothing
	}
	r.add(1, ours, "forward-burst-gcm", 3)
	r.add(2, floorName, "forward-burst-gcm", 1)
	w.ratios()
	for _, want := range []struct {
		figure Figure
		run    int
		value  float64
	}{
		{"floor-ratio", 0, 2}, {"floor-ratio", 1, math.NaN()}, {"floor-ratio", 2, math.NaN()},
		{"two-cores", 0, 1.1}, {"two-cores", 1, math.NaN()},
		{"thousand-viewers", 0, 1.05}, {"thousand-viewers", 1, math.NaN()}, {"thousand-viewers", 2, math.NaN()},
	} {
		got := r.of(want.run, ours, want.figure)
		if math.IsNaN(got) != math.IsNaN(want.value) || math.Abs(got-want.value) > 1e-9 {
			t.Errorf("%s of run %d is %v, want %v", want.figure, want.run, got, want.value)
		}
	}
}

func TestServersTakeTurnsToBeginARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress bytes.Buffer
		l := fakeLab(&fakeServer{name: ours}, &fakeServer{name: "livekit"}, &fakeServer{name: "janus"})
		l.errs = &progress
		o := checked(t, defaults())
		o.Runs = 5
		if _, err := runAll(t.Context(), l, o); err != nil {
			t.Fatal(err)
		}
		first := map[string]string{} // by run
		var began []string
		for line := range strings.Lines(progress.String()) {
			words := strings.Fields(line) // 05:00:00 run 1, floor: forwarding
			if len(words) < 5 || words[1] != "run" || !strings.HasSuffix(words[2], ",") || first[words[2]] != "" {
				continue
			}
			first[words[2]] = words[3]
			began = append(began, strings.TrimSuffix(words[3], ":"))
		}
		if want := []string{floorName, ours, "livekit", "janus", floorName}; !slices.Equal(began, want) {
			t.Errorf("the runs began with %v, want %v", began, want)
		}
	})
}

func TestEveryFigureThatIsMeasuredHasARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Runs = 1
		found, err := runAll(t.Context(), fakeLab(&fakeServer{name: ours}), o)
		if err != nil {
			t.Fatal(err)
		}
		r := found.(*Results)
		var p page
		r.write(&p)
		for _, s := range r.Samples {
			row := string(s.Figure)
			if i := slices.IndexFunc(Budgets, func(b Budget) bool { return b.Figure == s.Figure }); i >= 0 {
				row = Budgets[i].What
			}
			if !strings.Contains(p.String(), "| "+row+" |") {
				t.Errorf("%s was measured and is not in the report", s.Figure)
			}
		}
	})
}

func TestPlansAreBounded(t *testing.T) {
	for _, quick := range []bool{false, true} {
		o := defaults()
		o.Quick = quick
		p := o.plan()
		if p.window <= 0 || p.idle <= 0 || p.most <= 0 || p.runs < 1 || p.participants < 1 || p.audience < 1 {
			t.Errorf("quick %v: %+v", quick, p)
		}
		if p.once == quick {
			t.Errorf("quick %v: the searches for the promises are what quick leaves out", quick)
		}
	}
	full, quick := defaults(), defaults()
	quick.Quick = true
	if full.plan().endpoints != 2500 || quick.plan().most >= full.plan().most {
		t.Errorf("%+v and %+v: a budget names 2,500 endpoints, and quick is quicker", full.plan(), quick.plan())
	}
}

func TestTroubleOfOneServerIsNotTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Runs = 1
		healthy := &fakeServer{name: ours}
		weak := &fakeServer{name: "livekit", broken: &fuse{left: 300}} // it fails once, in the middle of its steps
		found, err := runAll(t.Context(), fakeLab(healthy, weak), o)
		if err != nil {
			t.Fatal(err)
		}
		r := found.(*Results)
		if len(r.Troubles) != 1 || !strings.Contains(r.Troubles[0], "run 1, livekit, ") || !strings.Contains(r.Troubles[0], errBurnt.Error()) {
			t.Errorf("%v", r.Troubles)
		}
		for _, f := range traffic {
			if len(r.values(ours, f)) != 1 {
				t.Errorf("%s of ours has %v", f, r.values(ours, f))
			}
		}
		missing := 0
		for _, f := range traffic {
			missing += count(len(r.values("livekit", f)) == 0)
		}
		if missing == 0 || missing == len(traffic) {
			t.Errorf("%d of %d figures of LiveKit are missing: want those of the step that failed", missing, len(traffic))
		}
	})
}

func TestPromisesKeepWhatTheSweepFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		known := Capacity{1600, "enough"}
		w := &sweep{l: fakeLab(&fakeServer{name: ours, fits: 480}), o: o, results: Results{Promises: Promises{Viewers: known}}}
		w.promise(t.Context())
		if p := w.results.Promises; p.Viewers != known || p.Pairs.Most != 336 || p.Fours.Most != 37 {
			t.Errorf("%+v", p)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		w.promise(ended)
		if len(w.results.Troubles) != 1 || w.results.Promises.Viewers != known {
			t.Errorf("troubles %v, promises %+v", w.results.Troubles, w.results.Promises)
		}
	})
}

func TestProgressTellsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress bytes.Buffer
		(&lab{errs: &progress}).say("%d of %d", 1, 2)
		if want := time.Now().Format("15:04:05") + "  1 of 2\n"; progress.String() != want {
			t.Errorf("%q, want %q", progress.String(), want)
		}
	})
}

func TestClimbSaysWhyItFailed(t *testing.T) {
	for want, traffic := range map[string]Traffic{
		"at 7, 2 % of the packets were lost; the server used 97 % of a core":                      {Loss: 0.02, Lag: time.Second, Share: 0.97},
		"at 7, packets came 310ms after the publishers had ended; the server used 90 % of a core": {Lag: 312 * time.Millisecond, Share: 0.9},
		"the generator had no time left, so the server may do more":                               {Loss: 0.02, Generator: 0.95},
		"at 7, other processes used 30 % of the server's CPU, so the server may do more":          {Loss: 0.02, Others: 0.3},
	} {
		if got := traffic.failing(7); got != want || traffic.keepsUp() {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if keeps := (&Traffic{Lag: mostLag}); !keeps.keepsUp() {
		t.Error("a lag that is allowed is a failure")
	}
}

func TestStoppingAllIsNoErrorOfItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		w := &sweep{l: fakeLab(&fakeServer{name: ours}), o: o, plan: o.plan()}
		w.take(ctx, 0, ours)
		if len(w.results.Troubles) != 1 || !strings.Contains(w.results.Troubles[0], gone.Error()) {
			t.Errorf("%v: one line says why the rest is missing", w.results.Troubles)
		}
	})
}
