package stream_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/cluster/stream"
)

// sink notes what it takes.
type sink struct {
	mu      sync.Mutex
	on      bool
	changed chan struct{}
	stuck   chan struct{} // nil: it takes all
	given   chan struct{} // told when it is given something, unless nil
	took    chan string
}

func newSink(on bool) *sink {
	return &sink{on: on, changed: make(chan struct{}), took: make(chan string, 1000)}
}

func (s *sink) Wanted() (bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on, s.changed
}

func (s *sink) turn(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = on
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sink) Take(ctx context.Context, number uint64, name string, text []byte) bool {
	if s.given != nil {
		s.given <- struct{}{}
	}
	if s.stuck != nil {
		select {
		case <-s.stuck:
		case <-ctx.Done():
			return false
		}
	}
	s.took <- fmt.Sprintf("%d%s", number, text)
	return true
}

func (s *sink) next(t *testing.T) string {
	t.Helper()
	select {
	case got := <-s.took:
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("nothing more comes")
		return ""
	}
}

// feed runs a reader until stop.
func feed(t *testing.T, r *stream.Reader, to stream.Sink) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Feed(ctx, to) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestFeedOverARestart(t *testing.T) {
	dir := t.TempDir()
	conn, down := serve(t, dir)
	s, end := open(t, conn, stream.Config{})
	to := newSink(true)
	stop := feed(t, reader(t, s, "webhook"), to)
	s.Append("n", []byte("a"))
	s.Append("n", []byte("b"))
	equal(t, "taken", to.next(t)+to.next(t), "1a2b")
	s.Append("n", []byte("c"))
	end() // the order in which a node stops
	stop()
	equal(t, "what was left is taken", to.next(t), "3c")
	down()

	conn, _ = serve(t, dir)
	s, end = open(t, conn, stream.Config{})
	to.stuck = make(chan struct{})
	stop = feed(t, reader(t, s, "webhook"), to)
	s.Append("n", []byte("d"))
	s.Append("n", []byte("e"))
	end()
	began := time.Now()
	stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a sink that takes nothing delayed the end by %v", took)
	}
	to.stuck = nil
	s, _ = open(t, conn, stream.Config{})
	feed(t, reader(t, s, "webhook"), to)
	equal(t, "nothing is lost or doubled", to.next(t)+to.next(t), "4d5e")
}

// What happens while a sink is off is not given to it later, not even after a restart.
func TestASinkThatIsOff(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, _ := open(t, conn, stream.Config{})
	to := newSink(false)
	r := reader(t, s, "webhook")
	stop := feed(t, r, to)
	s.Append("n", []byte("a"))
	wait(t, s, 1)
	to.turn(true)
	last := uint64(1)
	for taken := false; !taken; {
		s.Append("n", []byte("b")) // until it is seen that it is on
		last++
		select {
		case got := <-to.took:
			equal(t, "after it was turned on", strings.TrimLeft(got, "0123456789"), "b")
			taken = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	wait(t, s, last)
	to.turn(false)
	s.Append("n", []byte("c"))
	skipped(t, r, last+1)
	stop()
	s.Append("n", []byte("d"))
	wait(t, s, last+2)
	to = newSink(true)
	feed(t, reader(t, s, "webhook"), to) // as the next process
	s.Append("n", []byte("e"))
	equal(t, "after the restart", to.next(t), fmt.Sprintf("%de", last+3))
}

// A sink that was turned on and has not taken anything yet loses nothing by a restart.
func TestASinkThatIsTurnedOnAndStuck(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, end := open(t, conn, stream.Config{})
	to := newSink(false)
	to.stuck, to.given = make(chan struct{}), make(chan struct{}, 1000)
	stop := feed(t, reader(t, s, "webhook"), to)
	s.Append("n", []byte("a"))
	wait(t, s, 1)
	to.turn(true)
	last := uint64(1)
	for given := false; !given; {
		s.Append("n", []byte("b")) // until it is seen that it is on
		last++
		select {
		case <-to.given:
			given = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	wait(t, s, last)
	end()
	stop()
	s, _ = open(t, conn, stream.Config{})
	again := reader(t, s, "webhook") // as the next process
	if again.Behind() == 0 {
		t.Error("what the sink was given and has not taken is lost")
	}
}

// skipped waits until a reader is behind nothing.
func skipped(t *testing.T, r *stream.Reader, latest uint64) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.Place() < latest {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the reader stands at %d", r.Place())
		}
	}
}
