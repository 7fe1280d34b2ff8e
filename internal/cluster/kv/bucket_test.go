package kv_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tertulia/internal/cluster/kv"
	"tertulia/internal/cluster/natsd"
	"tertulia/internal/fault"
	"tertulia/internal/testkit"
)

// serve runs a NATS server on dir and returns a connection; stop ends both and waits.
func serve(t *testing.T, dir string) (conn *nats.Conn, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server, ended := natsd.New(natsd.Config{Dir: dir}), make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	conn, err := server.Connect(t.Context())
	if err != nil {
		cancel()
		t.Fatal(err, <-ended)
	}
	stop = func() {
		conn.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return conn, stop
}

func open(t *testing.T, conn *nats.Conn) *kv.Bucket {
	t.Helper()
	bucket, err := kv.Open(t.Context(), conn, kv.Config{Name: "sessions", Taken: fault.SessionExists})
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

func load(t *testing.T, bucket *kv.Bucket) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := bucket.Load(t.Context(), func(id string, record []byte) error {
		found[id] = string(record)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRecords(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket, ctx := open(t, conn), t.Context()

	if got := load(t, bucket); len(got) != 0 {
		t.Fatalf("a new bucket holds %v", got)
	}
	must(t, bucket.Create(ctx, "ses_A", []byte(`{"n":1}`)))
	must(t, bucket.Create(ctx, "sala.ñ >", []byte(`{}`)))
	must(t, bucket.Put(ctx, "ses_A", []byte(`{"n":2}`)))
	must(t, bucket.Put(ctx, "ses_B", []byte(`{"n":3}`)))
	want := map[string]string{"ses_A": `{"n":2}`, "sala.ñ >": `{}`, "ses_B": `{"n":3}`}
	if got := load(t, bucket); !maps.Equal(got, want) {
		t.Errorf("loaded %v, want %v", got, want)
	}

	must(t, bucket.Delete(ctx, "ses_B"))
	must(t, bucket.Delete(ctx, "ses_B"))
	must(t, bucket.Delete(ctx, "never"))
	delete(want, "ses_B")
	if got := load(t, bucket); !maps.Equal(got, want) {
		t.Errorf("after the deletion %v, want %v", got, want)
	}
}

func TestCreateOfATakenID(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket, ctx := open(t, conn), t.Context()

	must(t, bucket.Create(ctx, "room", []byte("first")))
	must(t, bucket.Create(ctx, "room", []byte("first"))) // the answer was lost, the caller tries again
	if err := bucket.Create(ctx, "room", []byte("second")); !fault.Is(err, fault.SessionExists) {
		t.Errorf("a taken id: %v, want kind %s", err, fault.SessionExists)
	}
	if got := load(t, bucket)["room"]; got != "first" {
		t.Errorf("the loser's record was written: %q", got)
	}
	must(t, bucket.Delete(ctx, "room"))
	must(t, bucket.Create(ctx, "room", []byte("third")))
}

func TestOneOfManyCreatesWins(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket, results := open(t, conn), make(chan error, 8)
	for i := range cap(results) {
		go func() { results <- bucket.Create(t.Context(), "room", fmt.Appendf(nil, "owner %d", i)) }()
	}
	won := 0
	for range cap(results) {
		switch err := <-results; {
		case err == nil:
			won++
		case !fault.Is(err, fault.SessionExists):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of the creates succeeded, want 1", won)
	}
}

func TestRecordsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	conn, stop := serve(t, dir)
	bucket, want := open(t, conn), map[string]string{}
	for i := range 50 {
		id := fmt.Sprint("ses_", i)
		want[id] = strings.Repeat(id, 100)
		must(t, bucket.Create(t.Context(), id, []byte("draft")))
		must(t, bucket.Put(t.Context(), id, []byte(want[id])))
	}
	must(t, bucket.Delete(t.Context(), "ses_7"))
	delete(want, "ses_7")
	born := bucket.Born()
	if born.IsZero() {
		t.Error("it was never born")
	}
	stop()

	conn, stop = serve(t, dir)
	defer stop()
	bucket = open(t, conn)
	if got := load(t, bucket); !maps.Equal(got, want) {
		t.Errorf("after the restart %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	if !bucket.Born().Equal(born) {
		t.Errorf("born %v before the restart, %v after it", born, bucket.Born())
	}
	if err := bucket.Create(t.Context(), "ses_1", []byte("x")); !fault.Is(err, fault.SessionExists) {
		t.Errorf("an id taken before the restart: %v", err)
	}
}

func TestTheLargestRecord(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket := open(t, conn)
	must(t, bucket.Put(t.Context(), "big", make([]byte, kv.MaxRecord)))
	if err := bucket.Put(t.Context(), "big", make([]byte, kv.MaxRecord+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("one byte more: %v, want kind %s", err, fault.TooLarge)
	}
	if got := len(load(t, bucket)["big"]); got != kv.MaxRecord {
		t.Errorf("loaded %d bytes", got)
	}
}

func TestLoadEndsAtTheVisitorsError(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket, calls, unreadable := open(t, conn), 0, errors.New("unreadable")
	must(t, bucket.Put(t.Context(), "a", nil))
	must(t, bucket.Put(t.Context(), "b", nil))
	err := bucket.Load(t.Context(), func(string, []byte) error { calls++; return unreadable })
	if !errors.Is(err, unreadable) || calls != 1 {
		t.Errorf("Load = %v after %d calls, want the visitor's error after 1", err, calls)
	}
}

func TestDeletedIDsLeaveNothingForLong(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket := open(t, conn)
	must(t, bucket.Put(t.Context(), "a", []byte("x")))
	must(t, bucket.Delete(t.Context(), "a"))
	js, err := jetstream.New(conn)
	must(t, err)
	stream, err := js.Stream(t.Context(), "KV_sessions")
	must(t, err)
	marker, err := stream.GetLastMsgForSubject(t.Context(), "$KV.sessions.a")
	must(t, err)
	if marker.Header.Get(jetstream.MsgTTLHeader) != "1m0s" || len(marker.Data) != 0 {
		t.Errorf("what is left of a deleted record: %v, %d bytes; want an empty marker that ends in a minute", marker.Header, len(marker.Data))
	}
}

// A store that does not answer costs the limit and no more: calls must not wait for it.
func TestTheTimeLimit(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	bucket, err := kv.Open(t.Context(), conn, kv.Config{Name: "sessions", Taken: fault.SessionExists, Limit: 50 * time.Millisecond})
	must(t, err)
	js, err := jetstream.New(conn)
	must(t, err)
	must(t, js.DeleteKeyValue(t.Context(), "sessions")) // nobody acknowledges a write any more
	defer stop()
	write := map[string]func() error{
		"create": func() error { return bucket.Create(t.Context(), "a", nil) },
		"put":    func() error { return bucket.Put(t.Context(), "a", nil) },
		"delete": func() error { return bucket.Delete(t.Context(), "a") },
		"load":   func() error { return bucket.Load(t.Context(), func(string, []byte) error { return nil }) },
	}
	for name, call := range write {
		began := time.Now()
		if err := call(); err == nil || time.Since(began) > time.Second {
			t.Errorf("%s without a store: %v after %v", name, err, time.Since(began))
		}
	}
}

func TestAnEndedContextIsATimeout(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	defer stop()
	bucket := open(t, conn)
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if err := bucket.Put(ctx, "a", nil); !fault.Is(err, fault.Timeout) {
		t.Errorf("put: %v, want kind %s", err, fault.Timeout)
	}
}

func TestNothingRunsAfterTheEnd(t *testing.T) {
	conn, stop := serve(t, t.TempDir())
	must(t, open(t, conn).Put(t.Context(), "a", nil))
	stop()
	testkit.NoGoroutines(t, "nats-io/", "kv.(*")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
