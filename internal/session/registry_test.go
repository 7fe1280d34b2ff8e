package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// house is a registry that runs inside a synctest bubble. Stopping it waits for all it started; synctest fails the
// test if a goroutine is left.
type house struct {
	*Registry
	t     *testing.T
	node  *node
	store Store
	stop  func()
}

func open(t *testing.T, store Store, change func(*Config)) *house {
	h := &house{t: t, node: &node{takes: 100 * time.Millisecond}, store: store}
	cfg := Config{Store: store, Media: h.node, Log: slog.New(slog.DiscardHandler), Node: "n1"}
	if change != nil {
		change(&cfg)
	}
	h.Registry = New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	<-h.Ready()
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return h
}

// bubble runs a test in fake time, on a registry with a memory store.
func bubble(t *testing.T, change func(*Config), test func(*testing.T, *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, new(MemoryStore), change)
		test(t, h)
		h.stop()
	})
}

// pass lets fake time pass.
func (h *house) pass(d time.Duration) { <-time.After(d) }

func (h *house) create(id string) {
	h.t.Helper()
	if _, err := h.Create(h.t.Context(), Properties{CustomSessionID: id}); err != nil {
		h.t.Fatal(err)
	}
}

// join makes a connection by REST and joins it.
func (h *house) join(id string, role Role) *Attachment {
	h.t.Helper()
	made, err := h.Do(h.t.Context(), id, CreateConnection{Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	a, err := h.Join(h.t.Context(), id, "1", Join{Token: made.(*Connection).Token, SDKVersion: "2.32.2"})
	if err != nil {
		h.t.Fatal(err)
	}
	if m := h.next(a); m.Seq != 0 || m.Reply == nil || m.Reply.Request != "1" {
		h.t.Fatalf("the first message is %+v", m)
	}
	return a
}

func (h *house) next(a *Attachment) Message {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	m, err := a.Next(ctx)
	if err != nil {
		h.t.Fatalf("%s: %v", a.Connection, err)
	}
	return m
}

func (h *house) send(a *Attachment, request string, c Command) {
	h.t.Helper()
	if err := a.Send(h.t.Context(), request, c); err != nil {
		h.t.Fatal(err)
	}
}

// expect reads a's next message and compares it as the scripts show it.
func (h *house) expect(a *Attachment, want string) Message {
	h.t.Helper()
	m := h.next(a)
	var got string
	if m.Reply != nil {
		got = "#" + m.Reply.Request + " " + showResult(m.Reply.Result, m.Reply.Err)
	} else {
		got = showNotice(m.Notice)
	}
	if got != want {
		h.t.Fatalf("%s got %q, want %q", a.Connection, got, want)
	}
	return m
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v, want an error of kind %s", err, kind)
	}
}

func TestCall(t *testing.T) {
	bubble(t, func(c *Config) { c.NewID = counter() }, func(t *testing.T, h *house) {
		h.create("room")
		a := h.join("room", Publisher)
		h.send(a, "2", Publish{Offer: "offer", Media: camera})
		h.send(a, "3", Candidate{Candidate: mediactl.Candidate{Candidate: "c"}})
		h.expect(a, "#3 ok")
		m := h.next(a)
		stream := m.Reply.Result.(PublishResult).Stream

		h.pass(time.Second) // the candidate is with the node
		b := h.join("room", Subscriber)
		h.expect(a, "Joined Connection:"+b.Connection+" CreatedAt:"+itoa(b.Self.ActiveAt)+" Metadata:")
		h.send(b, "2", Subscribe{Sender: stream, Offer: "offer"})
		h.expect(b, "#2 answer")
		if s, err := h.State("room"); err != nil || s.find(b.Connection).Subscriptions[0].Phase != Flowing {
			t.Fatalf("state %+v, %v", s, err)
		}
		h.send(a, "4", Leave{})
		h.expect(a, "#4 ok")
		h.expect(b, "Left Connection:"+a.Connection+" Reason:disconnect")
		if _, err := a.Next(t.Context()); !fault.Is(err, fault.ConnectionClosed) {
			t.Fatalf("after leaving: %v", err)
		}
		wantKind(t, a.Send(t.Context(), "5", Leave{}), fault.ConnectionClosed)
		_, err := h.Resume(t.Context(), a.RPC, time.Now())
		wantKind(t, err, fault.ReconnectionUnknown)

		h.send(b, "3", Leave{})
		h.expect(b, "#3 ok")
		synctest.Wait()
		_, err = h.State("room")
		wantKind(t, err, fault.SessionNotFound)
		h.pass(time.Second)
		want := []string{
			"Publish " + a.Connection, "Trickle " + a.Connection + " c", "Subscribe " + b.Connection + "_" + stream,
		}
		if got := h.node.called(); !slices.Equal(got[:3], want) || got[len(got)-1] != "Release" {
			t.Fatalf("the node was asked %q", got)
		}
	})
}

// TestLanes: one endpoint's requests come one after the other, different endpoints' side by side.
func TestLanes(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		var clients []*Attachment
		for range 4 {
			clients = append(clients, h.join("room", Publisher))
		}
		begin := time.Now()
		for _, a := range clients {
			h.send(a, "2", Publish{Offer: "o", Media: camera})
			h.send(a, "3", Candidate{})
		}
		synctest.Wait()
		if n := h.node.sideBySide(); n != 4 {
			t.Fatalf("%d requests side by side, want 4", n)
		}
		h.pass(time.Second)
		if n := len(h.node.called()); n != 8 || time.Since(begin) > 2*time.Second {
			t.Fatalf("%d calls", n)
		}
	})
}

// TestDeadline: a node that does not answer ends a request, not the session; what it may have made is released.
func TestDeadline(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a := h.join("room", Publisher)
		h.node.takes = time.Hour
		begin := time.Now()
		h.send(a, "2", Publish{Offer: "o", Media: camera})
		h.expect(a, "#2 error timeout")
		if d := time.Since(begin); d != 8*time.Second {
			t.Fatalf("after %v", d)
		}
		synctest.Wait()
		if got := h.node.called(); len(got) != 2 || got[1] != "Release "+a.Connection {
			t.Fatalf("the node was asked %q", got)
		}
	})
}

func TestCreateAndFind(t *testing.T) {
	bubble(t, func(c *Config) { c.MaxSessions = 3 }, func(t *testing.T, h *house) {
		h.create("b")
		h.pass(time.Millisecond)
		h.create("a")
		_, err := h.Create(t.Context(), Properties{CustomSessionID: "a"})
		wantKind(t, err, fault.SessionExists)
		_, err = h.Create(t.Context(), Properties{CustomSessionID: "a/b"})
		wantKind(t, err, fault.Invalid)
		s, err := h.Create(t.Context(), Properties{})
		if err != nil || len(s.ID) != len("ses_")+10 {
			t.Fatalf("%+v, %v", s, err)
		}
		_, err = h.Create(t.Context(), Properties{})
		wantKind(t, err, fault.NoCapacity)
		if all := h.List(); len(all) != 3 || all[0].ID != "b" || all[1].ID != "a" {
			t.Fatalf("%+v", all)
		}
		_, err = h.Do(t.Context(), "c", Close{})
		wantKind(t, err, fault.SessionNotFound)
		_, err = h.Join(t.Context(), "c", "1", Join{Token: "tok_1"})
		wantKind(t, err, fault.SessionNotFound)
		stats, err := h.Stats(t.Context(), "a")
		if err != nil || stats[0].Endpoint != "of a" {
			t.Fatalf("%v, %v", stats, err)
		}
		h.Event(mediactl.Event{Session: "a", Type: mediactl.Failed})
	})
}

// TestCloseAndCreate: a session that is closing refuses joins, and its id is free once it is gone.
func TestCloseAndCreate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a := h.join("room", Publisher)
		if _, err := h.Do(t.Context(), "room", Close{Reason: "sessionClosedByServer"}); err != nil {
			t.Fatal(err)
		}
		_, err := h.State("room")
		wantKind(t, err, fault.SessionNotFound)
		_, err = h.Join(t.Context(), "room", "1", Join{Insecure: true})
		wantKind(t, err, fault.SessionClosed)
		h.create("room") // waits
		h.expect(a, "Evicted Connection:"+a.Connection+" Reason:sessionClosedByServer")
		if _, err := a.Next(t.Context()); !fault.Is(err, fault.ConnectionClosed) {
			t.Fatal(err)
		}
		h.join("room", Publisher)
	})
}

// TestInsecureJoinCreates: clients of 1.x make their session by joining; two at once share it.
func TestInsecureJoinCreates(t *testing.T) {
	bubble(t, func(c *Config) { c.Defaults.ForcedVideoCodec = "NONE" }, func(t *testing.T, h *house) {
		results := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := h.Join(t.Context(), "room", "1", Join{Insecure: true, LegacyRole: true})
				results <- err
			}()
		}
		if err := errors.Join(<-results, <-results); err != nil {
			t.Fatal(err)
		}
		if s, err := h.State("room"); err != nil || s.participants() != 2 || s.Properties.ForcedVideoCodec != "NONE" {
			t.Fatalf("%+v, %v", s, err)
		}
		_, err := h.Join(t.Context(), "no/such", "1", Join{Insecure: true})
		wantKind(t, err, fault.Invalid)
	})
}

func TestCollection(t *testing.T) {
	bubble(t, func(c *Config) { c.GCInterval, c.GCThreshold = 15*time.Minute, time.Hour }, func(t *testing.T, h *house) {
		h.create("unused")
		h.create("used")
		h.join("used", Publisher)
		h.pass(50 * time.Minute)
		if len(h.List()) != 2 {
			t.Fatal("collected too early")
		}
		h.pass(time.Hour)
		if all := h.List(); len(all) != 1 || all[0].ID != "used" {
			t.Fatalf("%d sessions", len(all))
		}
	})
}
