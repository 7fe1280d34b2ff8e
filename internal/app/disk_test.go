package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"tertulia/internal/cluster/natsd"
	"tertulia/internal/cluster/stream"
	"tertulia/internal/fault"
	"tertulia/internal/testkit"
)

func TestWhatALittleRoomIs(t *testing.T) {
	const MB, GB = 1 << 20, 1 << 30
	for _, c := range []struct {
		free, size uint64
		low, tight bool
	}{
		{0, 16 * MB, true, true},
		{8 * MB, 16 * MB, false, false},
		{160 << 10, 16 * MB, true, true},
		{600 * MB, 20 * GB, false, false},
		{500 * MB, 20 * GB, true, false},
		{150 * MB, 20 * GB, true, true},
		{300 * MB, 2 * GB, false, false},
		{9 * GB, 1000 * GB, true, false},
		{200 * MB, 1000 * GB, true, true},
	} {
		r := room{c.free, c.size}
		if r.low() != c.low || r.tight() != c.tight {
			t.Errorf("%d of %d: low %v, tight %v", c.free, c.size, r.low(), r.tight())
		}
	}
}

// The oldest events go first, a thousand stay.
func TestFAQ_18__OldestEventsAreForgotten(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	events := eventsOn(t, t.TempDir())
	for n := range 3000 {
		events.Append("x", fmt.Appendf(nil, "%d", n))
	}
	if err := events.Written(ctx, 3000); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d := newDisk(t.TempDir(), events, slog.New(slog.NewTextHandler(&log, nil)))
	d.look = func() *room { return &room{1, 1000} }
	for _, want := range []uint64{1501, 2001, 2001} {
		once, cancel := context.WithCancel(ctx)
		cancel()
		d.evict(ctx)
		_ = d.Run(once) // it looks once, without room for what is asked of the store
		if oldest, latest, err := events.Bounds(ctx); oldest != want || latest != 3000 || err != nil {
			t.Fatalf("%d to %d are left, %v; want %d to 3000", oldest, latest, err, want)
		}
	}
	if check := d.check(); check.OK || check.Code != "DISK_LOW" || !check.Bearable || d.evicted.Load() != 2000 {
		t.Errorf("%+v, %d evicted", check, d.evicted.Load())
	}
	if !bytes.Contains(log.Bytes(), []byte("code=DISK_LOW")) {
		t.Errorf("the log: %s", &log)
	}
}

// Events that go make room even where none is left.
func TestFAQ_18__RoomIsMade(t *testing.T) {
	if !testkit.OwnMounts(t) {
		return
	}
	ctx, folder := t.Context(), testkit.SmallDisk(t, "64m")
	events := eventsOn(t, folder)
	for range 20_000 {
		text := make([]byte, 1000)
		_, _ = rand.Read(text) // it must not be compressed away
		events.Append("x", text)
	}
	if err := events.Written(ctx, 20_000); err != nil {
		t.Fatal(err)
	}
	d := newDisk(folder, events, slog.New(slog.DiscardHandler))
	var left *room
	for range 10 { // the store frees what it has collected, a little later
		testkit.FillDisk(t, folder)
		if left = d.look(); left.tight() {
			break
		}
	}
	if !left.tight() {
		t.Fatalf("%+v", left)
	}
	d.evict(ctx)
	if now := d.look(); now.Free < 4<<20 || now.low() {
		t.Errorf("%+v after events went", now)
	}
	events.Append("x", []byte("one more"))
	if err := events.Written(ctx, 20_001); err != nil {
		t.Error(err)
	}
}

// eventsOn is a stream in a folder.
func eventsOn(t *testing.T, folder string) *stream.Stream {
	t.Helper()
	ctx := t.Context()
	nats := natsd.New(natsd.Config{Dir: folder})
	running, _ := newParts(ctx)
	t.Cleanup(func() { _ = running.stop() })
	running.start("nats", nats.Run)
	conn, err := nats.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	running.hold("connection", func() error { conn.Close(); return nil })
	events, err := stream.Open(ctx, conn, stream.Config{Name: "events"})
	if err != nil {
		t.Fatal(err)
	}
	running.start("events", events.Run)
	return events
}

// flaky is a store that fails when told to.
type flaky struct {
	broken  bool
	records map[string]string
}

func (f *flaky) write(id, record string) error {
	if f.broken {
		return fault.New(fault.Timeout, "no answer")
	}
	f.records[id] = record
	return nil
}
func (f *flaky) Create(_ context.Context, id string, record []byte) error {
	if _, taken := f.records[id]; taken {
		return fault.New(fault.SessionExists, "taken")
	}
	return f.write(id, string(record))
}
func (f *flaky) Put(_ context.Context, id string, record []byte) error {
	return f.write(id, string(record))
}
func (f *flaky) Delete(_ context.Context, id string) error {
	if f.broken {
		return errors.New("broken")
	}
	delete(f.records, id)
	return nil
}
func (f *flaky) Load(context.Context, func(string, []byte) error) error { return nil }

func TestFAQ_18__RecordsWaitInMemory(t *testing.T) {
	f := &flaky{records: map[string]string{"old": "0"}}
	var now room
	s := newSpare(f, func() *room { return &now }, func(context.Context) error { f.broken = false; return nil }, func() bool { return false }, slog.New(slog.DiscardHandler))
	s.retry = time.Millisecond
	if err := s.Create(t.Context(), "old", nil); !fault.Is(err, fault.SessionExists) {
		t.Errorf("a taken id: %v", err)
	}
	f.broken, now = true, room{1, 1000}
	over, end := context.WithCancel(t.Context())
	end()
	if err := s.Put(over, "old", []byte("1")); err == nil || !s.check().OK {
		t.Errorf("a caller who has given up says nothing of the disk: %v", err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if err := s.Create(t.Context(), id, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Put(t.Context(), "b", []byte("2"))
	for range 100 { // sessions that come and go leave nothing behind
		_ = s.Create(t.Context(), "brief", []byte("1"))
		_ = s.Put(t.Context(), "brief", []byte("2"))
		_ = s.Delete(t.Context(), "brief")
	}
	_ = s.Delete(t.Context(), "c")
	_ = s.Delete(t.Context(), "old")
	if check := s.check(); check.OK || check.Code != "STORE_IN_MEMORY" || !check.Bearable || s.waiting() != 3 {
		t.Errorf("%+v, %d owed", check, s.waiting())
	}
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(full); !fault.Is(err, fault.Internal) || !f.broken {
		t.Errorf("a process that ends on a full disk says %v", err)
	}
	now = room{1 << 30, 1 << 31}
	s.recover(t.Context())
	if fmt.Sprint(f.records) != "map[a:1 b:2]" || !s.check().OK || s.waiting() != 0 {
		t.Errorf("%v on the disk, %d owed", f.records, s.waiting())
	}
}
