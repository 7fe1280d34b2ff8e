package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tertulia/internal/cluster/natsd"
	"tertulia/internal/cluster/stream"
)

// serve runs a NATS on a folder until stop.
func serve(t *testing.T, dir string) (*nats.Conn, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server, ended := natsd.New(natsd.Config{Dir: dir, MaxStore: 2 << 40}), make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	conn, err := server.Connect(t.Context())
	must(t, err)
	stop := sync.OnceFunc(func() {
		conn.Close()
		cancel()
		must(t, <-ended)
	})
	t.Cleanup(stop)
	return conn, stop
}

// open opens a stream and lets it run until stop, which writes what waits.
func open(t *testing.T, conn *nats.Conn, config stream.Config) (*stream.Stream, func()) {
	t.Helper()
	config.Name = "events"
	s, err := stream.Open(t.Context(), conn, config)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return s, stop
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read takes n records from a reader and says that they are done.
func read(t *testing.T, r *stream.Reader, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var list []string
	for range n {
		number, name, text, err := r.Next(ctx)
		must(t, err)
		list = append(list, fmt.Sprintf("%d %s %s", number, name, text))
		must(t, r.Done(ctx, number))
	}
	return list
}

// reader opens a place.
func reader(t *testing.T, s *stream.Stream, name string) *stream.Reader {
	t.Helper()
	r, err := s.Reader(t.Context(), name)
	must(t, err)
	return r
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestNumbersAndPlacesOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	conn, stop := serve(t, dir)
	s, end := open(t, conn, stream.Config{})
	webhook, cdr := reader(t, s, "webhook"), reader(t, s, "cdr")
	for i := range 5 {
		s.Append("joined", fmt.Append(nil, i))
	}
	equal(t, "first", read(t, webhook, 2), "[1 joined 0 2 joined 1]")
	equal(t, "the other place", read(t, cdr, 1), "[1 joined 0]")
	must(t, webhook.Save(t.Context()))
	must(t, cdr.Save(t.Context()))
	end()
	stop()

	conn, _ = serve(t, dir)
	s, end = open(t, conn, stream.Config{})
	webhook, cdr = reader(t, s, "webhook"), reader(t, s, "cdr")
	s.Append("left", []byte("x"))
	equal(t, "after the restart", read(t, webhook, 4), "[3 joined 2 4 joined 3 5 joined 4 6 left x]")
	equal(t, "the other place", read(t, cdr, 1), "[2 joined 1]")
	equal(t, "waiting for it", cdr.Behind(), 4)
	fresh := reader(t, s, "fresh")
	s.Append("left", []byte("y"))
	equal(t, "a new place begins at the end", read(t, fresh, 1), "[7 left y]")
	end()
	if _, _, _, err := fresh.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	equal(t, "what was there at the end", read(t, webhook, 1), "[7 left y]")
}

// What was given before the end is on the disk after it.
func TestTheEndWritesWhatWaits(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, end := open(t, conn, stream.Config{})
	for i := range 1000 {
		s.Append("n", fmt.Append(nil, i))
	}
	end()
	list, err := s.After(t.Context(), 0, 2000)
	must(t, err)
	equal(t, "written", len(list), 1000)
	for i, e := range list {
		if e.Number != uint64(i+1) || string(e.Text) != fmt.Sprint(i) {
			t.Fatalf("entry %d is %d %s", i, e.Number, e.Text)
		}
	}
	stats := s.Stats()
	equal(t, "stats", stats, stream.Stats{Written: 1000, Latest: 1000})
}

func TestTheOldestAreForgotten(t *testing.T) {
	log := &bytes.Buffer{}
	conn, _ := serve(t, t.TempDir())
	s, _ := open(t, conn, stream.Config{MaxRecords: 10, Log: slog.New(slog.NewTextHandler(log, nil))})
	slow := reader(t, s, "slow")
	quick := reader(t, s, "quick")
	for i := range 25 {
		s.Append("n", fmt.Append(nil, i+1))
	}
	equal(t, "nothing is lost of who reads in time", read(t, quick, 1)[0] != "", true)
	wait(t, s, 25)
	oldest, latest, err := s.Bounds(t.Context())
	must(t, err)
	equal(t, "bounds", []uint64{oldest, latest}, "[16 25]")
	equal(t, "slow", read(t, slow, 10)[0], "16 n 16")
	equal(t, "missed", slow.Missed(), 15)
	if !strings.Contains(log.String(), "EVENTS_MAX") {
		t.Errorf("the log says nothing of it: %s", log)
	}
	list, err := s.After(t.Context(), 3, 2)
	must(t, err)
	equal(t, "after 3", []uint64{list[0].Number, list[1].Number}, "[16 17]")
	for _, after := range []uint64{25, 26, 1 << 60, ^uint64(0)} {
		list, err := s.After(t.Context(), after, 10)
		if err != nil || len(list) != 0 {
			t.Errorf("after %d: %v %v", after, list, err)
		}
	}
}

// wait returns when the record of a number is written.
func wait(t *testing.T, s *stream.Stream, number uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	must(t, s.Written(ctx, number))
}

// A store that is gone delays nobody: what is given waits in memory, the oldest is lost when that is full, and all else
// is written when the store is back.
func TestAStoreThatIsGone(t *testing.T) {
	log := &bytes.Buffer{}
	conn, _ := serve(t, t.TempDir())
	jet, err := jetstream.New(conn)
	must(t, err)
	s, _ := open(t, conn, stream.Config{MaxWaiting: 300, Retry: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil))})
	s.Append("n", []byte("before"))
	wait(t, s, 1)
	config := stored(t, jet)
	must(t, jet.DeleteStream(t.Context(), "events"))
	began := time.Now()
	for i := range 1000 {
		s.Append("n", fmt.Append(nil, i))
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("1,000 records took %v", took)
	}
	if stats := s.Stats(); stats.Waiting > 300 || stats.Dropped+uint64(stats.Waiting) != 1000 {
		t.Errorf("%+v", stats)
	}
	_, err = jet.CreateStream(t.Context(), config)
	must(t, err)
	kept := uint64(1000) - s.Stats().Dropped
	wait(t, s, kept)
	list, err := s.After(t.Context(), 0, 1000)
	must(t, err)
	equal(t, "kept", len(list), kept)
	equal(t, "the last one", string(list[len(list)-1].Text), "999")
	last := -1
	for _, e := range list {
		var n int
		if _, err := fmt.Sscan(string(e.Text), &n); err != nil || n <= last {
			t.Fatalf("%s after %d", e.Text, last)
		}
		last = n
	}
	equal(t, "warnings of the loss", strings.Count(log.String(), "events are lost"), 1)
}

func stored(t *testing.T, jet jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()
	have, err := jet.Stream(t.Context(), "events")
	must(t, err)
	return have.CachedInfo().Config
}

// The end does not wait for a store that is gone, and says what it cost.
func TestTheEndWithoutAStore(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	jet, err := jetstream.New(conn)
	must(t, err)
	s, err := stream.Open(t.Context(), conn, stream.Config{Name: "events"})
	must(t, err)
	must(t, jet.DeleteStream(t.Context(), "events"))
	for range 3 {
		s.Append("n", []byte("x"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err == nil || !strings.Contains(err.Error(), "3 events were not written") {
		t.Errorf("Run: %v", err)
	}
}

// A disk that is full refuses records; those that fit later do not overtake them.
func TestNothingOvertakesWhatWasRefused(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	jet, err := jetstream.New(conn)
	must(t, err)
	s, _ := open(t, conn, stream.Config{Retry: 10 * time.Millisecond})
	s.Append("n", []byte("small"))
	wait(t, s, 1)
	config := stored(t, jet)
	full := config
	full.MaxMsgSize = 200 // with the record's headers
	_, err = jet.UpdateStream(t.Context(), full)
	must(t, err)
	s.Append("n", bytes.Repeat([]byte("x"), 1000))
	for range 20 {
		s.Append("n", []byte("small"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Written(ctx, 2); err == nil {
		t.Error("a small record was written before the big one")
	}
	_, err = jet.UpdateStream(t.Context(), config)
	must(t, err)
	wait(t, s, 22)
	list, err := s.After(t.Context(), 1, 1)
	must(t, err)
	equal(t, "the next one", len(list[0].Text), 1000)
}

// EVENTS_MAX may be lowered: what is too much then is forgotten, and numbers go on.
func TestAStreamThatShrinks(t *testing.T) {
	dir := t.TempDir()
	for i, limit := range []int{1_000_000_000, 1_000_000, 10} {
		conn, stop := serve(t, dir)
		s, end := open(t, conn, stream.Config{MaxRecords: limit})
		for range 50 {
			s.Append("n", []byte("x"))
		}
		end()
		oldest, latest, err := s.Bounds(t.Context())
		must(t, err)
		equal(t, "bounds", []uint64{oldest, latest}, [][]uint64{{1, 50}, {1, 100}, {141, 150}}[i])
		stop()
	}
}

func TestARecordThatIsTooLong(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, end := open(t, conn, stream.Config{})
	s.Append("n", make([]byte, stream.MaxRecord+1))
	s.Append("n", make([]byte, stream.MaxRecord))
	end()
	equal(t, "stats", s.Stats(), stream.Stats{Written: 1, Dropped: 1, Latest: 1})
}

// A reader that skips begins at the end, also after a restart that it did not live to see.
func TestSkip(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, _ := open(t, conn, stream.Config{})
	r := reader(t, s, "webhook")
	s.Append("n", []byte("a"))
	s.Append("n", []byte("b"))
	wait(t, s, 2)
	must(t, r.Skip(t.Context()))
	equal(t, "behind", r.Behind(), 0)
	s.Append("n", []byte("c"))
	wait(t, s, 3)
	again := reader(t, s, "webhook") // as the next process
	s.Append("n", []byte("d"))
	equal(t, "the next process", read(t, again, 1), "[4 n d]")
	equal(t, "the one that skipped", read(t, r, 2), "[3 n c 4 n d]")
}

// A process that is killed reads again what it has not kept yet, and nothing else.
func TestAKill(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, _ := open(t, conn, stream.Config{})
	r := reader(t, s, "webhook")
	for _, text := range []string{"a", "b", "c", "d"} {
		s.Append("n", []byte(text))
	}
	wait(t, s, 4)
	must(t, r.Done(t.Context(), 1))
	must(t, r.Save(t.Context()))
	equal(t, "within a second", read(t, r, 2), "[2 n b 3 n c]")
	again := reader(t, s, "webhook")
	equal(t, "the next process", read(t, again, 3), "[2 n b 3 n c 4 n d]")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, _, err := again.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("at the end: %v", err)
	}
	equal(t, "a pause keeps the place", reader(t, s, "webhook").Place(), 4)
}

func TestNextEndsWithItsContext(t *testing.T) {
	conn, _ := serve(t, t.TempDir())
	s, _ := open(t, conn, stream.Config{})
	r := reader(t, s, "webhook")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next: %v", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	dir := b.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	server, ended := natsd.New(natsd.Config{Dir: dir, MaxStore: 2 << 40}), make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	conn, err := server.Connect(ctx)
	if err != nil {
		b.Fatal(err)
	}
	s, err := stream.Open(ctx, conn, stream.Config{Name: "events", MaxWaiting: 1 << 30, MaxMemory: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	over, text := make(chan error, 1), bytes.Repeat([]byte(`{"sessionId":"room"},`), 20)
	writing, stop := context.WithCancel(ctx)
	go func() { over <- s.Run(writing) }()
	b.ResetTimer()
	for range b.N { // not b.Loop: the wait for the disk counts
		s.Append("participantJoined", text)
	}
	_ = s.Written(ctx, uint64(b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	stop()
	<-over
	conn.Close()
	cancel()
	<-ended
}
