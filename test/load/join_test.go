package load_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	joinsWanted = 500 // for each second of a core
	tick        = 100 // of a core's second: USER_HZ of every Linux there is
)

// TestFiveHundredJoinsASecond: over sockets that are open already, the program joins 500 participants in a second of one
// core, whatever comes of it counted too: the others are told, records and events are written. It runs on one
// (GOMAXPROCS=1); what the system counts as its time leaves ours out. LOAD_JOINS says how many join, sessions of four.
// With LOAD_PROFILE a profile of it is written to test/out/load.
func TestFiveHundredJoinsASecond(t *testing.T) {
	sessions := (count(t, "LOAD_JOINS", 1000) + people - 1) / people
	s := startIn(t, []string{"GOMAXPROCS=1"}, memory(t))
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	s.joins(ctx, t, min(sessions, 50)) // whatever is made once
	if _, wanted := os.LookupEnv("LOAD_PROFILE"); wanted {
		profile := make(chan string, 1)
		go func() { profile <- s.get("/debug/pprof/profile?seconds=8") }()
		defer func() { s.write(t, "join.cpu.pb.gz", <-profile) }()
	}
	joined, busy, took := s.joins(ctx, t, sessions)
	rate := float64(joined) / busy.Seconds()
	report := fmt.Sprintf("%d joins in %v: %v of a core, %.0f joins for each second of it\n", joined, took.Round(time.Millisecond), busy, rate)
	s.write(t, "join.txt", report)
	t.Log(report)
	if rate < joinsWanted {
		t.Errorf("%.0f joins for each second of a core, want %d", rate, joinsWanted)
	}
}

// joins opens sockets for new sessions, then has all of them join. It returns the core's time the process took, and ours.
func (s *server) joins(ctx context.Context, t *testing.T, sessions int) (joined int, busy, took time.Duration) {
	t.Helper()
	pages, tokens := make([]*page, sessions*people), make([]string, sessions*people)
	defer func() {
		for _, p := range pages {
			p.kill()
		}
	}()
	err := sideBySide(sessions, func(i int) (err error) {
		var made struct{ ID string }
		if _, err := s.api(ctx, "POST", "/sessions", "{}", &made); err != nil {
			return err
		}
		for j := i * people; j < (i+1)*people && err == nil; j++ {
			if tokens[j], err = s.token(ctx, made.ID); err == nil {
				pages[j], err = s.dial(ctx, made.ID)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	written := func(now map[string]float64) bool { return now["tertulia_events_waiting"] == 0 }
	s.await(ctx, "all is written", written, false)
	began, before := time.Now(), s.busy(t)
	if err := sideBySide(len(pages), func(i int) error { return pages[i].join(ctx, tokens[i]) }); err != nil {
		t.Fatal(err)
	}
	took = time.Since(began)
	s.await(ctx, "all is written", written, false)
	return len(pages), s.busy(t) - before, took
}

// busy is how long cores have worked for the process, in user mode and in the kernel.
func (s *server) busy(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		t.Fatal(err)
	}
	var ticks int
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from the third on (proc_pid_stat(5))
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / tick
}
