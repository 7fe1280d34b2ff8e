package natsd

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tertulia/internal/testkit"
)

func run(t *testing.T, server *Server) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func TestItListensNowhere(t *testing.T) {
	opened := testkit.Sockets(t)
	server := New(Config{Dir: t.TempDir()})
	stop := run(t, server)
	conn, err := server.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Request("nobody", nil, time.Second); err == nil {
		t.Error("a request without a responder was answered")
	}
	if sockets := opened(); len(sockets) != 0 {
		t.Errorf("the server opened %v", sockets)
	}
	conn.Close()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAcknowledgedMessagesOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		server := New(Config{Dir: dir})
		stop := run(t, server)
		conn, err := server.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stream, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := stream.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := kept.CachedInfo().State.Msgs; got != uint64(round) {
			t.Errorf("round %d: %d messages kept", round, got)
		}
		if _, err := stream.Publish(t.Context(), "s", []byte("hello")); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheDiskLimit(t *testing.T) {
	server := New(Config{Dir: t.TempDir(), MaxStore: 1 << 20})
	stop := run(t, server)
	defer func() { _ = stop() }()
	conn, err := server.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err = stream.Publish(t.Context(), "s", make([]byte, 300<<10)); err != nil {
			return
		}
	}
	t.Error("1.5 MB were stored where 1 MiB is allowed")
}

func TestADirectoryThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	server := New(Config{Dir: file, Log: slog.New(slog.NewTextHandler(log, nil))})
	err := server.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "writable") {
		t.Errorf("Run = %v, want the directory and the remedy", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := server.Connect(ctx); err == nil {
		t.Error("a server that did not start gave a connection")
	}
}

func TestAStopThatTakesTooLong(t *testing.T) {
	server := New(Config{Dir: t.TempDir(), StopTimeout: time.Nanosecond})
	stop := run(t, server)
	conn, err := server.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // or it would try to reconnect for ever
	if err := stop(); err == nil || !strings.Contains(err.Error(), "did not stop") {
		t.Errorf("Run = %v, want the missed deadline", err)
	}
	server.running.WaitForShutdown()
}

func TestNothingRunsAfterRun(t *testing.T) {
	server := New(Config{Dir: t.TempDir()})
	stop := run(t, server)
	conn, err := server.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	testkit.NoGoroutines(t, "nats-io/", "natsd.(*")
}

// What was acknowledged is there after the store was opened again, under connections of before.
func TestTheStoreIsOpenedAgain(t *testing.T) {
	server := New(Config{Dir: t.TempDir()})
	stop := run(t, server)
	conn, err := server.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	jet, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jet.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= 3; n++ {
		ack, err := jet.Publish(t.Context(), "s", []byte("x"))
		if err != nil || ack.Sequence != n {
			t.Fatalf("message %d: %+v, %v", n, ack, err)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	conn.Close()
	if err := stop(); err != nil {
		t.Error(err)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(Config{Dir: t.TempDir()}).Restart(late); err == nil {
		t.Error("a server that does not run was opened again")
	}
}
