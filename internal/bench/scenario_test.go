package bench

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func checked(t *testing.T, o Options) Options {
	t.Helper()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCapacityIsFoundAndLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{name: ours, fits: 1300}
		r, err := fakeLab(server).findCapacity(t.Context(), checked(t, defaults()))
		if err != nil {
			t.Fatal(err)
		}
		if r.Most != 1000 || len(r.Steps) != 3 || r.At60.Viewers != 600 || r.At60.Loss != 0 || server.started {
			t.Errorf("%d (%s) after %d steps, then %d viewers with loss %v", r.Most, r.Why, len(r.Steps), r.At60.Viewers, r.At60.Loss)
		}
		var p page
		if r.write(&p); !strings.Contains(p.String(), "largest without loss or lag: 1000") || !strings.Contains(p.String(), "600 viewers") {
			t.Errorf("%s", p.String())
		}
	})
}

func TestPromisesCountUsersAndRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Seconds = 1
		found, err := runPromises(t.Context(), fakeLab(&fakeServer{name: ours, fits: 480}), o)
		if err != nil {
			t.Fatal(err)
		}
		// 480 viewers: 168 calls of two (the next step, 253 calls, has 506), 37 rooms of four (the next, 56, has 672), 200 of one.
		p := found.(Promises)
		if p.Pairs.Most != 336 || p.Fours.Most != 37 || p.Viewers.Most != 200 {
			t.Errorf("%+v", p)
		}
	})
}

func TestRoomsAndForwardCountTheirViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := fakeLab(&fakeServer{name: "janus"})
		o := checked(t, defaults())
		o.Server = "janus"
		for _, test := range []struct {
			verb                string
			publishers, viewers int
		}{{"forward", 1, 200}, {"rooms", 20, 200}} {
			verb := verbs()[slices.IndexFunc(verbs(), func(v verb) bool { return v.name == test.verb })]
			found, err := verb.run(t.Context(), l, o)
			if err != nil {
				t.Fatal(err)
			}
			got := found.(Traffic)
			if got.Publishers != test.publishers || got.Viewers != test.viewers || got.Loss != 0 || got.Server != "janus" {
				t.Errorf("%s: %+v", test.verb, got)
			}
		}
	})
}

func TestCrowdCountsWhoCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		for _, server := range []string{ours, "livekit"} {
			o.Server, o.Participants, o.Endpoints = server, 100, 64
			l := fakeLab(&fakeServer{name: server})
			came, err := runJoin(t.Context(), l, o)
			if err != nil {
				t.Fatal(err)
			}
			stayed, err := runIdle(t.Context(), l, o)
			if err != nil {
				t.Fatal(err)
			}
			c, s := came.(Coming), stayed.(Staying)
			if c.Join.Count != 100 || c.Setup.Count != 64 || c.Endpoints != 64 || c.Empty != 0 {
				t.Errorf("%s: %+v", server, c)
			}
			if s.Join.Count != 100 || s.Endpoints != 64 || s.Empty < 1<<20 {
				t.Errorf("%s: %+v", server, s)
			}
			var p page
			c.write(&p)
			s.write(&p)
			for _, want := range []string{"100 participants (TLS", "64 endpoints (signalling", "64 connected", "empty process"} {
				if !strings.Contains(p.String(), want) {
					t.Errorf("%q is not in\n%s", want, p.String())
				}
			}
		}
	})
}

func TestGatherings(t *testing.T) {
	if g := cameras(2500); g.members != 50 || g.publishers != 50 {
		t.Errorf("%+v: 50 cameras have 50 publishers and 50 × 49 viewers", g)
	}
	if g := cameras(2499); g.members != 49 {
		t.Errorf("%+v: at most as many endpoints as asked for", g)
	}
	if g := cameras(4); g.members != 2 {
		t.Errorf("%+v", g)
	}
	if g := audience(100); g.members != 100 || g.publishers != 1 {
		t.Errorf("%+v", g)
	}
	if got := (Entry{Count: 4, CPU: 10 * time.Millisecond}).each(); got != 2500*time.Microsecond {
		t.Errorf("%v each", got)
	}
	if got := (Entry{}).each(); got != 0 {
		t.Errorf("%v each of nobody", got)
	}
}

func TestLatencyListensToTheProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Rooms, o.Size, o.Viewers, o.Seconds = 3, 5, 9, 1
		found, err := runLatency(t.Context(), fakeLab(&fakeServer{name: ours}), o)
		if err != nil {
			t.Fatal(err)
		}
		l := found.(Latency)
		if l.RoomsHeard.Video.Count < 3 || l.BurstHeard.Last.Count != 3 || l.BesideHeard.Audio.Count != 3 {
			t.Errorf("%+v: want a probe in each room and three of one publisher", l)
		}
		if l.worst() != 4*time.Millisecond || l.audio() != 0.75 || l.Burst.Shape != "burst" || l.Beside.Shape != "tiles" {
			t.Errorf("%+v", l)
		}
		if want := time.Duration(8 * 9 * l.Burst.Micros * 1000); l.Serial != want {
			t.Errorf("a frame of 8 packets to 9 viewers takes %v, want %v", l.Serial, want)
		}
		var p page
		if l.write(&p); !strings.Contains(p.String(), "last packet of a frame") {
			t.Errorf("%s", p.String())
		}
	})
}

func TestEnoughRooms(t *testing.T) {
	for _, test := range []struct {
		rooms       int
		share, load float64
		most, want  int
	}{{20, 0.1, 0.2, 400, 40}, {20, 0.19, 0.2, 400, 20}, {20, 0.5, 0.2, 400, 20}, {20, 0.001, 0.2, 400, 400}, {20, 0, 0.2, 400, 20}, {500, 0.1, 0.2, 400, 500}} {
		if got := enough(test.rooms, test.share, test.load, test.most); got != test.want {
			t.Errorf("%+v: %d rooms", test, got)
		}
	}
}

func TestAllFillsTheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Runs, o.Into = 2, filepath.Join(t.TempDir(), "bench")
		found, err := runAll(t.Context(), fakeLab(&fakeServer{name: ours}, &fakeServer{name: "livekit"}), o)
		if err != nil {
			t.Fatal(err)
		}
		r := found.(*Results)
		for _, b := range Budgets {
			if b.Figure == "two-cores" && len(o.usable) < 2 {
				continue
			}
			if n := len(r.values(ours, b.Figure)); n != 2 {
				t.Errorf("%s was measured %d times in 2 runs; troubles %v", b.Figure, n, r.Troubles)
			}
		}
		for _, f := range traffic {
			if len(r.values("livekit", f)) != 2 || len(r.values(floorName, f)) != 2 {
				t.Errorf("%s: LiveKit %v, floor %v", f, r.values("livekit", f), r.values(floorName, f))
			}
		}
		if r.Runs != 2 || r.Promises.Pairs.Why == "" || r.Promises.Viewers.Most != 4800 {
			t.Errorf("%d runs, %+v", r.Runs, r.Promises)
		}
		if c := r.Servers[2]; c.Name != "janus" || !strings.Contains(c.Absent, "scripts/bench-peers") {
			t.Errorf("%+v", r.Servers)
		}
		text, err := os.ReadFile(filepath.Join(o.Into, "results.json"))
		var back Results
		if err != nil || json.Unmarshal(text, &back) != nil || len(back.Samples) != len(r.Samples) {
			t.Errorf("results.json: %v", err)
		}
		files, err := os.ReadDir(o.Into)
		if err != nil || len(files) != 3 {
			t.Errorf("%v, %v: want results.json, report.md, report.svg", files, err)
		}
	})
}

// TestPinningTakesNoCPUFromTheServer: who pins itself to one CPU must not believe that there is no other.
func TestPinningTakesNoCPUFromTheServer(t *testing.T) {
	o := checked(t, defaults())
	o.usable = cpuList{0, 0, 6} // the clocks of CPU 0 are everywhere
	server := &fakeServer{name: ours}
	synctest.Test(t, func(t *testing.T) {
		w := &sweep{l: fakeLab(server), plan: plan{window: time.Second}}
		if err := twoCoresOf(t.Context(), w, 0, o); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(server.cpus, []int{0, 0}) || len(w.results.values(ours, "forward-burst-gcm on two cores")) != 1 {
			t.Errorf("the server ran on %v, results %v", server.cpus, w.results.Samples)
		}
		o.usable = cpuList{0}
		if err := twoCoresOf(t.Context(), w, 0, o); err == nil {
			t.Error("two cores of one")
		}
	})
}

func TestAllEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Quick = true
		l := fakeLab(&fakeServer{name: ours})
		began := time.Now()
		found, err := runAll(t.Context(), l, o)
		if took, most := time.Since(began), o.plan().most; err != nil || took > most {
			t.Errorf("took %v of %v, %v", took, most, err)
		}
		if r := found.(*Results); !r.Quick || r.Runs != 1 || r.Promises.Pairs.Why != "" {
			t.Errorf("quick %v, %d runs", r.Quick, r.Runs)
		}
	})
}

func TestAllTellsWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Runs = 1
		server := &fakeServer{name: ours}
		l := fakeLab(server)
		l.clients = func(string, netip.Addr) (clients, error) {
			return fakeClients(func() (client, error) { return &fakeClient{stuck: true}, nil }), nil
		}
		found, err := runAll(t.Context(), l, o)
		if err != nil {
			t.Fatal(err)
		}
		r := found.(*Results)
		if len(r.Troubles) < len(ourSteps) || !strings.Contains(r.Troubles[0], "run 1, tertulia, forwarding: publish 1 of 1: no answer in 30s") {
			t.Errorf("%v", r.Troubles)
		}
		if len(r.values(floorName, "forward-burst-gcm")) != 1 {
			t.Error("the floor was not measured because something else failed")
		}
	})
}
