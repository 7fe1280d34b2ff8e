package load_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"tertulia/internal/testkit"
)

const (
	side   = 4       // calls at once
	warm   = 420     // cycles before the baseline, or a twentieth of all: what is made once, the timelines of 200 ended sessions among it, is no leak
	spare  = 4 << 20 // bytes by which two heaps differ that are in truth alike: the store's blocks and its cache of 1,024 subjects
	restIn = 90 * time.Second
	longer = 20 // goroutines more or less than before
)

// TestKMS_06__MemoryComesBack: participants join with media and leave, in every way there is to leave; afterwards the
// process has as many goroutines and descriptors as before, and its heap has not grown. With LOAD_IDLE it is then left
// alone, and its memory as the system sees it must be at most a quarter above what it was.
func TestKMS_06__MemoryComesBack(t *testing.T) {
	cycles, idle := count(t, "LOAD_CYCLES", 200), pause(t, "LOAD_IDLE")
	if idle == 0 {
		t.Parallel() // half of it is the grace time, and it looks at a process of its own
	}
	s := start(t, t.TempDir())
	fresh := s.figures()
	s.cycles(t, max(warm, cycles/20))
	before := s.settled(t, "has warmed up", func(map[string]float64) bool { return true }, idle)

	began := time.Now()
	s.cycles(t, cycles)
	took := time.Since(began)
	end := s.figures()
	after := s.settled(t, "has what it had before", func(now map[string]float64) bool {
		return idle > 0 || now["go_goroutines"] <= before["go_goroutines"]+longer && now["process_open_fds"] <= before["process_open_fds"] &&
			now["go_memstats_heap_alloc_bytes"] <= before["go_memstats_heap_alloc_bytes"]+spare
	}, idle)

	report := fmt.Sprintf("%d cycles in %v, then %v of rest\n", cycles, took.Round(time.Second), idle)
	for _, name := range []string{
		"go_goroutines", "process_open_fds", "go_memstats_heap_alloc_bytes", "go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes",
		"go_memstats_gc_sys_bytes", "process_resident_memory_bytes",
	} {
		report += fmt.Sprintf("%-30s fresh %9.0f  warm %9.0f  busy %9.0f  after %9.0f\n", name, fresh[name], before[name], end[name], after[name])
	}
	s.keep(t, "leak", report)
	t.Log(report)
	for name, spread := range map[string]float64{"go_goroutines": longer, "process_open_fds": 1, "go_memstats_heap_alloc_bytes": spare} {
		if after[name] > before[name]+spread {
			t.Errorf("%s has grown from %.0f to %.0f", name, before[name], after[name])
		}
	}
	if n := after["go_goroutines"]; n < before["go_goroutines"]-longer {
		t.Errorf("%.0f goroutines, %.0f before: something has ended that should go on", n, before["go_goroutines"])
	}
	if ratio := after["process_resident_memory_bytes"] / before["process_resident_memory_bytes"]; idle > 0 && ratio > 1.25 {
		t.Errorf("resident memory is %.2f times what it was", ratio)
	}
}

// settled waits until nobody is there and ok holds, then for as long as the process is to be left alone. The heap is that
// after a collection.
func (s *server) settled(t *testing.T, what string, ok func(map[string]float64) bool, idle time.Duration) map[string]float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), restIn)
	defer cancel()
	now := s.await(ctx, "it "+what, func(now map[string]float64) bool {
		return now["tertulia_sessions"]+now["tertulia_websockets"] == 0 && ok(now)
	}, idle == 0)
	if idle == 0 {
		return now
	}
	<-time.After(idle) // the pause is the subject
	resident := s.figures()["process_resident_memory_bytes"]
	s.collect()
	now = s.figures()
	now["process_resident_memory_bytes"] = resident // of the process as it was left
	return now
}

// keep writes figures and the heap's profile.
func (s *server) keep(t *testing.T, name, report string) {
	t.Helper()
	s.write(t, name+".txt", report)
	s.write(t, name+".heap.pb.gz", s.collect())
}

// write writes a file of test/out/load.
func (s *server) write(t *testing.T, name, text string) {
	t.Helper()
	dir := filepath.Join("..", "out", "load")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cycles has so many participants join and leave, two to a call.
func (s *server) cycles(t *testing.T, n int) {
	var next atomic.Int64
	var calls sync.WaitGroup
	for range side {
		calls.Go(func() {
			for i := next.Add(1); i <= int64(n/2) && !t.Failed(); i = next.Add(1) {
				t.Run(fmt.Sprint("call", i), func(t *testing.T) { s.call(t, int(i)) })
			}
		})
	}
	calls.Wait()
}

// call is one camera and one viewer; how they leave depends on its number.
func (s *server) call(t *testing.T, number int) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	session := s.rest(t, "POST", "/sessions", "{}", "id")
	alice, bob := s.join(ctx, t, session), s.join(ctx, t, session)
	camera, screen := client(t), client(t)
	published := alice.offer(ctx, camera)
	stream := alice.text(published, "id")
	camera.Accept(alice.text(published, "sdpAnswer"))
	camera.Publish(ctx)
	offer := bob.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	bob.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(bob.text(offer, "sdpOffer"))})
	screen.WaitPackets(ctx, "video", 3)
	switch number % 4 {
	case 0: // their sockets break: they are waited for, and so is their session
		_ = alice.socket.CloseNow()
		_ = bob.socket.CloseNow()
	case 1: // the application ends it
		s.rest(t, "DELETE", "/sessions/"+session, "", "")
	case 2: // the media goes first
		camera.Close()
		screen.Close()
		fallthrough
	default:
		alice.ask(ctx, "leaveRoom", nil)
		bob.ask(ctx, "leaveRoom", nil)
	}
}

// clients counts them, for their ports.
var clients atomic.Uint32

// client has ports to itself, which come round again after a thousand others: the server keeps the address of one whose
// socket broke for ten seconds, and the system would give it to the next client now and then.
func client(t *testing.T) *testkit.Client {
	const first, each, rounds = 10_000, 16, 1_000
	at := first + each*uint16(clients.Add(1)%rounds)
	return testkit.NewClient(t, testkit.ClientConfig{Tune: func(s *webrtc.SettingEngine) {
		if err := s.SetEphemeralUDPPortRange(at, at+each-1); err != nil {
			t.Fatal(err)
		}
	}})
}

// count is a number from the environment.
func count(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text, given := os.LookupEnv(name)
	if !given {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// pause is a time from the environment, 0 if it is not given.
func pause(t *testing.T, name string) time.Duration {
	t.Helper()
	text, given := os.LookupEnv(name)
	if !given {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
