package load_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

const (
	eventsKept = 1000 // the least EVENTS_MAX
	eventsEach = 2 + 2*people
	// settle is how much more memory than before the system may see: the Go runtime gives pages back little by little, and
	// never to the same point.
	settle = 1.25
)

// TestAThousandSessionsComeAndGo: sessions of four, all there at once, are left, closed and cut off, twice. The second
// time leaves the process as the first did: goroutines, descriptors, its heap, and memory as the system sees it. Of their
// events only so many are kept as may be. LOAD_SESSIONS says how many.
func TestAThousandSessionsComeAndGo(t *testing.T) {
	const few = 100
	sessions := count(t, "LOAD_SESSIONS", few)
	if sessions == few {
		t.Parallel() // it mostly waits for the grace time, and looks at a process of its own
	}
	s := start(t, memory(t), fmt.Sprint("--events-max=", eventsKept))
	began := time.Now()
	fresh := s.figures()
	first := max(sessions, 250) // more than the 200 whose timelines are kept after their end
	s.crowd(t, first)
	before := s.deserted(t, func(map[string]float64) bool { return true })
	busy := s.crowd(t, sessions)
	after := s.deserted(t, func(now map[string]float64) bool {
		return now["go_goroutines"] <= before["go_goroutines"]+longer && now["process_open_fds"] <= before["process_open_fds"] &&
			now["go_memstats_heap_alloc_bytes"] <= before["go_memstats_heap_alloc_bytes"]+spare &&
			now["process_resident_memory_bytes"] <= before["process_resident_memory_bytes"]*settle
	})
	report := fmt.Sprintf("%d sessions of %d, then %d, in %v\n", first, people, sessions, time.Since(began).Round(time.Second))
	for _, name := range []string{"go_goroutines", "process_open_fds", "go_memstats_heap_alloc_bytes", "process_resident_memory_bytes"} {
		report += fmt.Sprintf("%-30s fresh %9.0f  warm %9.0f  busy %9.0f  after %9.0f\n", name, fresh[name], before[name], busy[name], after[name])
	}
	s.keep(t, "thousand", report)
	t.Log(report)
	if n := after["go_goroutines"]; n < before["go_goroutines"]-longer {
		t.Errorf("%.0f goroutines, %.0f before: something has ended that should go on", n, before["go_goroutines"])
	}
	var kept struct{ Oldest, Latest int }
	s.read(t, "GET", "/events?limit=1", "", &kept)
	if told := (first + sessions) * eventsEach; kept.Latest != told || kept.Latest-kept.Oldest+1 != eventsKept {
		t.Errorf("events %d to %d are kept, want the last %d of %d", kept.Oldest, kept.Latest, eventsKept, told)
	}
}

// deserted is what the process has when nobody is there, ok holds, and its garbage is collected.
func (s *server) deserted(t *testing.T, ok func(map[string]float64) bool) map[string]float64 {
	t.Helper()
	s.http.CloseIdleConnections()
	return s.settled(t, "is deserted", func(now map[string]float64) bool { return now["tertulia_events_waiting"] == 0 && ok(now) }, 0)
}

// crowd fills sessions, and empties them when all are full. It returns the figures of then.
func (s *server) crowd(t *testing.T, sessions int) map[string]float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	names, pages := make([]string, sessions), make([][]*page, sessions)
	err := sideBySide(sessions, func(i int) error {
		var made struct{ ID string }
		if _, err := s.api(ctx, "POST", "/sessions", "{}", &made); err != nil {
			return err
		}
		names[i] = made.ID
		for range people {
			p, err := s.admit(ctx, made.ID)
			if err != nil {
				return err
			}
			pages[i] = append(pages[i], p)
		}
		return nil
	})
	defer func() {
		for _, all := range pages {
			for _, p := range all {
				p.kill()
			}
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	busy := s.figures()
	for name, want := range map[string]int{"tertulia_sessions": sessions, "tertulia_connections": people * sessions, "tertulia_websockets": people * sessions} {
		if got := busy[name]; got != float64(want) {
			t.Errorf("%s is %.0f, want %d", name, got, want)
		}
	}
	err = sideBySide(sessions, func(i int) error {
		switch i % 3 {
		case 0:
			for _, p := range pages[i] {
				if err := p.leave(ctx); err != nil {
					return err
				}
			}
		case 1:
			if _, err := s.api(ctx, "DELETE", "/sessions/"+names[i], "", nil); err != nil {
				return err
			}
			fallthrough
		default: // the server finds out
			for _, p := range pages[i] {
				p.kill()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return busy
}
