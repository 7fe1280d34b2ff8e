package bench

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/bench/target"
)

// TestEveryFailureEndsTheScenario lets the first operation of the server fail, then the second, until all of a scenario
// succeed: the error comes out, nothing hangs, and nobody is left behind.
func TestEveryFailureEndsTheScenario(t *testing.T) {
	small := defaults()
	small.Viewers, small.Rooms, small.Size, small.Participants, small.Endpoints, small.Seconds, small.Load = 3, 2, 2, 3, 9, 1, 1
	for name, run := range map[string]func(context.Context, *lab, Options) (outcome, error){
		"forward": runForward, "rooms": runRooms, "join": runJoin, "idle": runIdle, "latency": runLatency,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := checked(t, small)
				for n := 0; ; n += 1 + n/8 { // every one of the first, then ever fewer
					server := &fakeServer{name: ours, broken: &fuse{left: n}}
					_, err := run(t.Context(), fakeLab(server), o)
					if server.started || server.here != 0 {
						t.Fatalf("operation %d failed: the server runs on, %d participants are left", n+1, server.here)
					}
					if !server.broken.burntOut() {
						if err != nil || n < 5 {
							t.Fatalf("%d operations succeeded and it ended with %v", n, err)
						}
						return
					}
					if !errors.Is(err, errBurnt) {
						t.Fatalf("operation %d failed and it ended with %v", n+1, err)
					}
				}
			})
		})
	}
}

// TestCancelEndsEveryScenario stops each scenario at many moments.
func TestCancelEndsEveryScenario(t *testing.T) {
	for _, v := range verbs() {
		if v.name == "all" || v.name == "floor" {
			continue // all reports what is missing instead; the floor has no stage
		}
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := defaults()
				if v.tune != nil {
					v.tune(&o)
				}
				o = checked(t, o)
				o.Endpoints, o.Participants = 16, 4
				enough := errors.New("enough")
				for after := time.Millisecond; after < 3*time.Second; after += 333 * time.Millisecond {
					ctx, cancel := context.WithTimeoutCause(t.Context(), after, enough)
					server := &fakeServer{name: ours}
					_, err := v.run(ctx, fakeLab(server), o)
					cancel()
					if server.started || server.here != 0 {
						t.Errorf("stopped after %v: the server runs on, %d participants are left", after, server.here)
					}
					if err != nil && !errors.Is(err, enough) && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("stopped after %v: %v", after, err)
					}
				}
			})
		})
	}
}

func TestAllStopsWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := checked(t, defaults())
		o.Into = filepath.Join(t.TempDir(), "bench")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("the user has gone"))
		defer cancel()
		found, err := runAll(ctx, fakeLab(&fakeServer{name: ours}), o)
		if err != nil {
			t.Fatal(err)
		}
		r := found.(*Results)
		if r.Runs != 0 || len(r.Troubles) == 0 || !strings.Contains(strings.Join(r.Troubles, "\n"), "the user has gone") {
			t.Errorf("%d runs, troubles %v", r.Runs, r.Troubles)
		}
		if _, err := os.Stat(filepath.Join(o.Into, "report.md")); err != nil {
			t.Errorf("what was measured until then is lost: %v", err)
		}
	})
}

func TestWhatCannotBeMadeIsTold(t *testing.T) {
	none := errors.New("none left")
	o := checked(t, defaults())
	for name, breaks := range map[string]func(*lab){
		"server":  func(l *lab) { l.server = func(string) (target.Server, error) { return nil, none } },
		"clients": func(l *lab) { l.clients = func(string, netip.Addr) (clients, error) { return clients{}, none } },
		"shape":   func(l *lab) { l.score = func(string, int, string) (score, error) { return score{}, none } },
		"viewer": func(l *lab) {
			l.clients = func(string, netip.Addr) (clients, error) {
				all := fakeClients(func() (client, error) { return &fakeClient{}, nil })
				all.viewer = func() (client, error) { return nil, none }
				return all, nil
			}
		},
		"publisher": func(l *lab) {
			l.clients = func(string, netip.Addr) (clients, error) {
				return fakeClients(func() (client, error) { return nil, none }), nil
			}
		},
		"loop": func(l *lab) {
			l.clients = func(string, netip.Addr) (clients, error) {
				all := fakeClients(func() (client, error) { return &fakeClient{stuck: true}, nil })
				all.run = func(context.Context) error { return none }
				return all, nil
			}
		},
	} {
		server := &fakeServer{name: ours}
		l := fakeLab(server)
		breaks(l)
		if _, err := runForward(t.Context(), l, o); !errors.Is(err, none) || server.started {
			t.Errorf("without a %s it ended with %v, server started: %v", name, err, server.started)
		}
	}
}

func TestFloorIsAskedForEveryFigureItIsComparedWith(t *testing.T) {
	none := errors.New("no CPU")
	l := fakeLab()
	tell := l.floor
	l.floor = func(ctx context.Context, o Options, rooms, viewers int) (Traffic, error) {
		if o.SRTP == "cm" {
			return Traffic{}, none
		}
		return tell(ctx, o, rooms, viewers)
	}
	w := &sweep{l: l, plan: plan{window: time.Second}}
	if err := floorOf(t.Context(), w, 0, defaults()); !errors.Is(err, none) {
		t.Errorf("%v", err)
	}
	for _, f := range traffic {
		if want := count(f != "forward-burst-cm"); len(w.results.values(floorName, f)) != want {
			t.Errorf("%s has %v, want %d values: one that fails does not end the others", f, w.results.values(floorName, f), want)
		}
	}
	if len(w.results.Curve) != 1 {
		t.Errorf("%d points of the floor in the plot, want that of bursts and GCM", len(w.results.Curve))
	}
}

func TestSaveTellsWhatItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sampleResults().save(filepath.Join(file, "bench")); err == nil {
		t.Error("a folder inside a file was written")
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "report.md"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sampleResults().save(folder); err == nil {
		t.Error("a report was written over a folder")
	}
}

func TestPerformPinsAndLifts(t *testing.T) {
	o := checked(t, defaults())
	o.OwnCPUs = o.CPUs
	var progress strings.Builder
	l := fakeLab()
	l.errs = &progress
	ran := false
	v := verb{run: func(context.Context, *lab, Options) (outcome, error) {
		ran = true
		return Traffic{}, nil
	}}
	if _, err := perform(t.Context(), l, v, o); err != nil || !ran {
		t.Fatalf("%v, ran %v", err, ran)
	}
	if !strings.Contains(progress.String(), "share a CPU") {
		t.Errorf("%q: two processes on one CPU deserve a word", progress.String())
	}
	o.OwnCPUs = cpuList{1000}
	if _, err := perform(t.Context(), &lab{errs: io.Discard}, v, o); err == nil {
		t.Error("it ran on a CPU that is not there")
	}
}
