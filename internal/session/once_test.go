package session

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
)

// snapshot is what a store holds now: what a process that dies leaves behind.
func snapshot(t *testing.T, store *MemoryStore) *MemoryStore {
	kept := new(MemoryStore)
	if err := store.Load(t.Context(), func(id string, record []byte) error { kept.put(id, record); return nil }); err != nil {
		t.Fatal(err)
	}
	return kept
}

// TestAnEndIsToldOnce: a process that dies while a session that has ended is being released leaves a record, of which the
// next process tells nothing and which it deletes.
func TestAnEndIsToldOnce(t *testing.T) {
	ways := map[string]func(*house, *Attachment){
		"closed": func(h *house, _ *Attachment) {
			_, _ = h.Do(h.t.Context(), "room", Close{Reason: sessionClosedByServer})
		},
		"left": func(h *house, a *Attachment) { h.send(a, "2", Leave{}) },
		"broken": func(h *house, a *Attachment) {
			n := h.directory.lookUp("room")
			synctest.Wait() // the state is the runner's
			n.state.Connections = append(n.state.Connections, nil)
			h.send(a, "2", Leave{})
		},
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, before, after := new(MemoryStore), &witness{}, &witness{}
				h := open(t, store, func(c *Config) { c.Observe = before.observe })
				h.create("room")
				a := h.join("room", Publisher)
				h.publish(a)
				h.node.takes = 5 * time.Second
				end(h, a)
				h.pass(time.Second)
				if got := before.taken(nil); !strings.HasPrefix(got[len(got)-1], "session.ended") {
					t.Fatalf("told %q", got)
				}
				kept := snapshot(t, store)
				next := open(t, kept, func(c *Config) { c.Observe = after.observe })
				next.pass(time.Minute)
				if got := after.taken(nil); len(got) > 0 {
					t.Errorf("told again %q", got)
				}
				if len(next.List())+len(kept.records) > 0 {
					t.Errorf("%d sessions and %d records are left", len(next.List()), len(kept.records))
				}
				h.stop()
				next.stop()
			})
		})
	}
}

// TestARestartKeepsTheBooks: a graceful end of the process tells the ends of what the record does not keep; the next process
// tells of the others neither their begin again nor their end unless it comes.
func TestARestartKeepsTheBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, w := new(MemoryStore), &witness{}
		watched := func(c *Config) { c.Observe = w.observe }
		h := open(t, store, watched)
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Subscriber)
		stream := h.publish(a)
		h.send(b, "2", Subscribe{Sender: stream, Offer: "offer"})
		h.pass(time.Second)
		w.taken(nil)
		h.stop()
		who := map[string]string{a.Connection: "A", b.Connection: "B", stream: "S"}
		media := "Media{CAMERA audio video 30} Since=946684800"
		w.expect(t, who, "B stream.unsubscribed Stream=S Endpoint=B_S Publisher=A Reason=mediaServerReconnect "+media+"100")

		h = open(t, store, watched)
		h.pass(5 * time.Second)
		again, err := h.Resume(t.Context(), a.RPC, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		h.send(again, "3", Reconnect{Stream: stream, SDP: "offer"})
		h.pass(time.Minute) // B does not come back
		w.expect(t, who, "A socket.back After=5000",
			"A stream.published Stream=S Endpoint=A HasVideo=true Again=true Media{CAMERA audio video 30}",
			"B connection.left Reason=networkDisconnect Joined{SDKVersion=2.32.2 Location=unknown} Since=946684800000")
		h.send(again, "4", Leave{})
		w.expect(t, who, "A stream.unpublished Stream=S Reason=disconnect "+media+"000",
			"A connection.left Reason=disconnect Joined{SDKVersion=2.32.2 Location=unknown} Since=946684800000",
			"session.ended Reason=lastParticipantLeft")
		h.stop()
	})
}

// TestOneOfManyCreatesIt: of requests for the same custom id at once, one makes the session, all others are told 409.
func TestOneOfManyCreatesIt(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		var calls sync.WaitGroup
		var mu sync.Mutex
		outcomes := map[string]int{}
		for range 50 {
			calls.Go(func() {
				_, err := h.Create(context.Background(), Properties{CustomSessionID: "room"})
				mu.Lock()
				defer mu.Unlock()
				outcomes[string(fault.Of(err))]++
			})
		}
		calls.Wait()
		if outcomes[string(fault.SessionExists)] != 49 || len(outcomes) != 2 {
			t.Errorf("%v", outcomes)
		}
		w.expect(t, nil, "session.created CustomSessionID=room")
	})
}

// TestTwoTabs: a token admits one of two tabs; two tokens of one browser admit both.
func TestTwoTabs(t *testing.T) {
	observed(t, func(t *testing.T, h *house, _ *witness) {
		h.create("room")
		token := func() string {
			made, err := h.Do(t.Context(), "room", CreateConnection{Role: Publisher})
			if err != nil {
				t.Fatal(err)
			}
			return made.(*Connection).Token
		}
		same := token()
		if _, err := h.Join(t.Context(), "room", "1", Join{Token: same, FinalUserID: "browser"}); err != nil {
			t.Fatal(err)
		}
		_, err := h.Join(t.Context(), "room", "1", Join{Token: same, FinalUserID: "browser"})
		wantKind(t, err, fault.TokenInvalid)
		if _, err := h.Join(t.Context(), "room", "1", Join{Token: token(), FinalUserID: "browser"}); err != nil {
			t.Errorf("another token of the same browser: %v", err)
		}
		s, err := h.State("room")
		if err != nil || s.participants() != 2 {
			t.Errorf("%d participants, %v", s.participants(), err)
		}
	})
}

// TestAClosedTab: a page that unloads closes its socket without leaving; the others hear of it when its grace is over.
func TestAClosedTab(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		h.next(a) // B has joined
		who := map[string]string{a.Connection: "A", b.Connection: "B"}
		w.taken(nil)
		begin := time.Now()
		b.Detach(event.SocketLost{Code: 1001})
		if h.expect(a, fmt.Sprintf("Left Connection:%s Reason:networkDisconnect", b.Connection)); time.Since(begin) != 10*time.Second {
			t.Errorf("after %v", time.Since(begin))
		}
		w.expect(t, who, "B socket.lost Code=1001", "B connection.left Reason=networkDisconnect "+joined)
	})
}
