package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
)

func itoa(n int64) string { return fmt.Sprint(n) }

// counter makes short ids in order.
func counter() func(string, int) string {
	var n atomic.Int64
	return func(prefix string, _ int) string { return fmt.Sprint(prefix, n.Add(1)) }
}

// TestResume: what a client misses for 5 s it gets on its next socket, in order; an older socket is cut off.
func TestResume(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		h.next(a) // Joined
		a.Ack(1)
		h.send(a, "9", Publish{Offer: "o", Media: camera}) // its answer will come too late
		a.Detach(event.SocketLost{})
		wantKind(t, a.Send(t.Context(), "10", Leave{}), fault.ConnectionClosed)
		data := "hi"
		h.send(b, "2", ClientSignal{Data: &data})
		h.send(b, "3", ClientSignal{})
		h.pass(5 * time.Second)

		again, err := h.Resume(t.Context(), a.RPC, time.Now())
		if err != nil || again.Self.ID != a.Connection || again.Self.SDKVersion != "2.32.2" {
			t.Fatalf("%+v, %v", again, err)
		}
		first := h.expect(again, "Signal from="+b.Connection+" type=absent data=hi")
		second := h.expect(again, "Signal from="+b.Connection+" type=absent data=absent")
		if first.Seq != 2 || second.Seq != 3 {
			t.Fatalf("numbered %d, %d", first.Seq, second.Seq)
		}
		third, err := h.Resume(t.Context(), a.RPC, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Next(t.Context()); !fault.Is(err, fault.ConnectionClosed) {
			t.Fatalf("the older socket: %v", err)
		}
		again.Ack(3)                     // no longer its to say
		again.Detach(event.SocketLost{}) // nor this
		if m := h.expect(third, "Signal from="+b.Connection+" type=absent data=hi"); m.Seq != 4 {
			t.Fatalf("numbered %d: a late receipt for the older socket's could be taken for it", m.Seq)
		}
		third.Ack(4)
		h.pass(time.Minute)
		if s, _ := h.State("room"); s.find(a.Connection) == nil {
			t.Fatal("evicted although it is back")
		}
	})
}

func TestGraceOver(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		begin := time.Now()
		a.Detach(event.SocketLost{})
		h.expect(b, "Left Connection:"+a.Connection+" Reason:networkDisconnect")
		if d := time.Since(begin); d != 10*time.Second {
			t.Fatalf("after %v", d)
		}
		_, err := h.Resume(t.Context(), a.RPC, time.Now())
		wantKind(t, err, fault.ReconnectionUnknown)
	})
}

// TestRestart: another registry on the same store has the same sessions, connections and streams.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		h := open(t, store, nil)
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Subscriber)
		h.next(a) // Joined
		h.send(a, "2", Publish{Offer: "o", Media: camera})
		published := h.next(a).Reply.Result.(PublishResult)
		h.next(b) // StreamPublished
		a.Ack(1)
		b.Ack(1)
		h.send(b, "2", Subscribe{Sender: published.Stream, Offer: "o"})
		h.next(b)
		before, _ := h.State("room")
		h.stop()
		if _, err := a.Next(t.Context()); !fault.Is(err, fault.ConnectionClosed) {
			t.Fatalf("after the stop: %v", err)
		}

		h = open(t, store, nil)
		after, err := h.State("room")
		if err != nil || after.Epoch != before.Epoch+1 || after.find(a.Connection).Stream.ID != published.Stream {
			t.Fatalf("%+v, %v", after, err)
		}
		subscriber, err := h.Resume(t.Context(), b.RPC, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		h.send(subscriber, "5", Reconnect{Stream: published.Stream, SDP: "o"})
		h.pass(3 * time.Second)
		publisher, err := h.Resume(t.Context(), a.RPC, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		h.send(publisher, "7", Reconnect{Stream: published.Stream, SDP: "o"})
		if again := h.next(publisher); again.Reply.Result != published {
			t.Fatalf("%+v, want %+v", again.Reply, published)
		}
		h.expect(subscriber, "#5 answer")
		h.pass(time.Minute)
		if s, _ := h.State("room"); s.participants() != 2 {
			t.Fatal("somebody was evicted")
		}
		h.stop()
	})
}

func TestRestartWithoutClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		h := open(t, store, nil)
		h.create("room")
		h.join("room", Publisher)
		h.pass(time.Second)
		h.stop()
		store.Put(t.Context(), "broken", []byte("{"))
		h = open(t, store, nil)
		h.pass(31 * time.Second)
		if all := h.List(); len(all) != 0 {
			t.Fatalf("%d sessions", len(all))
		}
		h.stop()
	})
}

// sick is a store that fails while it is told to.
type sick struct {
	MemoryStore
	down  atomic.Bool
	calls atomic.Int32
}

func (s *sick) Create(ctx context.Context, id string, record []byte) error {
	if s.down.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.MemoryStore.Create(ctx, id, record)
}

func (s *sick) Put(ctx context.Context, id string, record []byte) error {
	s.calls.Add(1)
	if s.down.Load() {
		return errors.New("no quorum")
	}
	return s.MemoryStore.Put(ctx, id, record)
}

// TestStoreDown: calls go on without the store, new sessions do not; the record catches up.
func TestStoreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(sick)
		h := open(t, store, nil)
		h.create("room")
		store.down.Store(true)
		begin := time.Now()
		_, err := h.Create(t.Context(), Properties{})
		wantKind(t, err, fault.NoCapacity)
		if d := time.Since(begin); d != time.Second {
			t.Fatalf("refused after %v", d)
		}
		a := h.join("room", Publisher)
		h.send(a, "2", Publish{Offer: "o", Media: camera})
		h.next(a)
		h.pass(time.Minute)
		if n := store.calls.Load(); n > 25 {
			t.Fatalf("%d writes in a minute: no backoff", n)
		}
		store.down.Store(false)
		h.pass(15 * time.Second)
		record := &State{}
		store.Load(t.Context(), func(id string, b []byte) error {
			record, _ = readRecord(id, b)
			return nil
		})
		if c := record.find(a.Connection); c == nil || c.Stream == nil {
			t.Fatalf("the record is behind: %+v", record)
		}
		h.stop()
	})
}

// TestFlood: a client that sends too much is made to wait; one that reads nothing is evicted; others notice nothing.
func TestFlood(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		h.next(a) // Joined

		for sent := range maxMessages - 1 { // it has one notice already
			h.send(b, itoa(int64(sent)), ClientSignal{To: []string{a.Connection}})
			h.next(b)
		}
		if _, err := h.State("room"); err != nil || len(a.outbox.messages) != maxMessages {
			t.Fatalf("%d messages, %v", len(a.outbox.messages), err)
		}
		h.send(b, "last", ClientSignal{To: []string{a.Connection}})
		h.next(b)
		h.expect(b, "Left Connection:"+a.Connection+" Reason:networkDisconnect")
		if len(b.queued) != 0 {
			t.Fatalf("%d commands of b are counted as waiting", len(b.queued))
		}
	})
}

// TestSendWaits: above maxQueued commands a client waits for its turn, as long as its socket lives.
func TestSendWaits(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a := h.join("room", Publisher)
		for range maxQueued {
			a.queued <- struct{}{} // as if its session were slow
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Send(ctx, "2", ClientSignal{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		sent := make(chan error, 1)
		go func() { sent <- a.Send(t.Context(), "3", Unpublish{}) }()
		synctest.Wait()
		<-a.queued
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		h.expect(a, "#3 error not_publishing")
	})
}

// TestPanic: a rule that panics ends its session, and no other.
func TestPanic(t *testing.T) {
	trap := func(c *Config) {
		c.NewID = func(prefix string, n int) string {
			if strings.HasPrefix(prefix, "str_") {
				panic("nobody could foresee it")
			}
			return RandomID(prefix, n)
		}
	}
	bubble(t, trap, func(t *testing.T, h *house) {
		h.create("room")
		h.create("other")
		a := h.join("room", Publisher)
		h.send(a, "2", Publish{Offer: "o"})
		h.expect(a, "Evicted Connection:"+a.Connection+" Reason:nodeCrashed")
		h.pass(time.Second)
		if all := h.List(); len(all) != 1 || all[0].ID != "other" {
			t.Fatalf("%+v", all)
		}
		h.join("other", Publisher)
	})
}

// TestAnOlderSocketIsLate: one that the client had dropped, and that is read after the next, does not take over.
func TestAnOlderSocketIsLate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a := h.join("room", Publisher)
		older := time.Now()
		h.pass(time.Second)
		again, err := h.Resume(t.Context(), a.RPC, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Resume(t.Context(), a.RPC, older)
		wantKind(t, err, fault.ConnectionClosed)
		data := "hi"
		h.send(again, "9", ClientSignal{Data: &data})
		h.expect(again, "Signal from="+a.Connection+" type=absent data=hi")
	})
}
