package session

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// witness keeps what a registry tells.
type witness struct {
	mu     sync.Mutex
	events []event.Event
}

func (w *witness) observe(e event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// taken returns the events since the last call, as "connection kind fields"; connections are named by who.
func (w *witness) taken(who map[string]string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for id, name := range who {
		names = append(names, id, name)
	}
	short := strings.NewReplacer(names...)
	var lines []string
	for _, e := range w.events {
		lines = append(lines, short.Replace(strings.TrimSpace(showHappened(Happened{Connection: e.Connection, Body: e.Body}))))
	}
	w.events = nil
	return lines
}

func (w *witness) expect(t *testing.T, who map[string]string, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := w.taken(who); !slices.Equal(got, want) {
		t.Errorf("told\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

// observed runs a test in fake time on a registry whose events are kept.
func observed(t *testing.T, test func(*testing.T, *house, *witness)) {
	w := &witness{}
	bubble(t, func(c *Config) { c.Observe = w.observe }, func(t *testing.T, h *house) { test(t, h, w) })
}

// joined is how a Left tells again what was told of a client of this file; synctest begins with the year 2000.
const joined = "Joined{SDKVersion=2.32.2 Location=unknown} Since=946684800000"

// TestEventsOfACall: every kind of event, in the order of the decisions.
func TestEventsOfACall(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		w.expect(t, nil, "session.created CustomSessionID=room")
		a, b := h.join("room", Publisher), h.join("room", Moderator)
		who := map[string]string{a.Connection: "A", b.Connection: "B"}
		w.expect(t, who, "A connection.joined SDKVersion=2.32.2 Location=unknown",
			"B connection.joined SDKVersion=2.32.2 Location=unknown")

		h.send(a, "2", Publish{Offer: "offer", Media: camera})
		h.next(a) // Joined
		stream := h.next(a).Reply.Result.(PublishResult).Stream
		who[stream] = "S"
		h.send(b, "2", Subscribe{Sender: stream, Offer: "offer"})
		h.pass(time.Second)
		w.expect(t, who, "A stream.published Stream=S Endpoint=A HasVideo=true Media{CAMERA audio video 30}",
			"B stream.subscribed Stream=S Publisher=A Endpoint=B_S Media{CAMERA audio video 30}")

		h.Event(mediactl.Event{Session: "room", Endpoint: b.Connection + "_" + stream, Type: mediactl.Failed, Reason: "consent expired"})
		h.Event(mediactl.Event{Session: "room", Endpoint: a.Connection, Type: mediactl.Connected})
		h.Event(mediactl.Event{Session: "room", Endpoint: "con_gone", Type: mediactl.Connected})
		h.Event(mediactl.Event{Session: "room", Endpoint: a.Connection, Type: mediactl.Again}) // changes nothing
		w.expect(t, who, "B transport Endpoint=B_S State=failed Reason=consent expired", "A transport Endpoint=A State=connected")

		h.send(b, "3", Subscribe{Sender: stream}) // our offer is no subscription yet
		h.pass(time.Second)
		w.expect(t, who)
		h.send(b, "4", AnswerSubscription{Sender: stream, SDP: "answer"})
		h.pass(time.Second)
		h.send(b, "5", AnswerSubscription{Sender: stream, SDP: "answer"})
		h.send(b, "6", ForceUnpublish{Stream: stream})
		w.expect(t, who, "B stream.subscribed Stream=S Publisher=A Endpoint=B_S Again=true Media{CAMERA audio video 30}",
			"B request.refused Method=receiveVideoFrom Stream=S Code=sdp_invalid Text=no offer of A awaits this sdpAnswer; ask for one with prepareReceiveVideoFrom",
			"A stream.unpublished Stream=S Reason=forceUnpublishByUser Media{CAMERA audio video 30} Since=946684800000",
			"B stream.unsubscribed Stream=S Endpoint=B_S Publisher=A Reason=forceUnpublishByUser Media{CAMERA audio video 30} Since=946684800100")

		h.send(a, "3", Publish{Offer: "offer", Media: camera})
		h.pass(time.Second)
		w.taken(nil)
		h.send(a, "4", Unpublish{})
		h.send(b, "7", ForceDisconnect{Target: a.Connection})
		h.send(b, "8", Leave{})
		synctest.Wait()
		got := w.taken(who)
		if len(got) != 4 || !strings.Contains(got[0], "Reason=unpublish ") {
			t.Fatalf("told %q", got)
		}
		if want := []string{"A connection.left Reason=forceDisconnectByUser " + joined, "B connection.left Reason=disconnect " + joined,
			"session.ended Reason=lastParticipantLeft"}; !slices.Equal(got[1:], want) {
			t.Errorf("told %q, want %q", got[1:], want)
		}
	})
}

// TestEventsOfRefusals: a failure is told with what its client was told, by the name of what it asked; no secret is.
func TestEventsOfRefusals(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a := h.join("room", Publisher)
		who := map[string]string{a.Connection: "A"}
		synctest.Wait()
		w.taken(nil)
		_, err := h.Join(t.Context(), "room", "1", Join{Token: "tok_MY_SECRET"})
		wantKind(t, err, fault.TokenInvalid)
		w.expect(t, who, "request.refused Method=joinRoom Code=token_invalid Text=the token is unknown or was used before; make a new connection by REST")

		h.node.err = fault.New(fault.SDPInvalid, "the offer has no fingerprint")
		h.send(a, "2", Publish{Offer: "offer", Media: camera})
		h.pass(time.Second)
		h.node.err = fmt.Errorf("disk /secret is full")
		h.send(a, "3", Publish{Offer: "offer", Media: camera})
		h.pass(time.Second)
		synctest.Wait()
		got := w.taken(who)
		if len(got) != 2 || !strings.Contains(got[0], "Method=publishVideo Stream=str_CAM_") ||
			!strings.Contains(got[0], "Code=sdp_invalid Text=the offer has no fingerprint") || !strings.Contains(got[1], "Code=media_failed") {
			t.Errorf("told %q", got)
		}
		if _, err := h.Do(t.Context(), "room", DeleteConnection{Connection: "con_none"}); err == nil {
			t.Error("a connection that is not there was deleted")
		}
		w.expect(t, who) // what REST is refused is no event of the call
		for from, method := range h.directory.lookUp("room").observer.methods {
			t.Errorf("%s of %+v is still awaited", method, from)
		}
	})
}

// TestEventsOfACrash: a rule that panics ends the session for those who listen, too.
func TestEventsOfACrash(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a := h.join("room", Publisher)
		who := map[string]string{a.Connection: "A"}
		synctest.Wait()
		w.taken(nil)
		n := h.directory.lookUp("room")
		n.state.Connections = append(n.state.Connections, nil) // breaks every rule that looks at it
		h.send(a, "2", Leave{})
		w.expect(t, who, "A connection.left Reason=nodeCrashed Joined{Location=unknown}", "session.ended Reason=nodeCrashed")
		n.handle(t.Context(), letter{command: reported{mediactl.Event{Session: "room", Endpoint: "con_late"}}}) // nor does what comes late
		w.expect(t, who)
	})
}

// TestRestartIsNoLoss: sockets that end with the process are not told as lost; those who come back are.
func TestRestartIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		h := open(t, store, nil)
		h.create("room")
		a := h.join("room", Publisher)
		h.stop()
		w := &witness{}
		h = open(t, store, func(c *Config) { c.Observe = w.observe })
		h.pass(3 * time.Second)
		if _, err := h.Resume(t.Context(), a.RPC, time.Now()); err != nil {
			t.Fatal(err)
		}
		w.expect(t, map[string]string{a.Connection: "A"}, "A socket.back After=3000")
		h.stop()
	})
}

// TestEventsOfDrops: a socket that is lost is told with what is known of it, and when the client is back.
func TestEventsOfDrops(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a := h.join("room", Publisher)
		who := map[string]string{a.Connection: "A"}
		synctest.Wait()
		w.taken(nil)
		a.Detach(event.SocketLost{Age: 60_000, Silent: 3_000, Code: 1006, Reason: "idle"})
		w.expect(t, who, "A socket.lost Age=60000 Silent=3000 Code=1006 Reason=idle")
		h.pass(4 * time.Second)
		again, err := h.Resume(t.Context(), a.RPC, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		w.expect(t, who, "A socket.back After=4000")
		a.Detach(event.SocketLost{}) // the old socket has nothing to say any more
		w.expect(t, who)
		again.Detach(event.SocketLost{Age: 1})
		h.pass(time.Minute)
		w.expect(t, who, "A socket.lost Age=1", "A connection.left Reason=networkDisconnect "+joined,
			"session.ended Reason=lastParticipantLeft")
	})
}

// TestRestored: a start tells when the oldest session was created, before any goes on.
func TestRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		var told []time.Time
		var events atomic.Int64
		note := func(c *Config) {
			c.Restored = func(oldest time.Time) { told = append(told, oldest) }
			c.Observe = func(event.Event) {
				if events.Add(1); len(told) == 0 {
					t.Error("an event came first")
				}
			}
		}
		h := open(t, store, note)
		created := time.Now()
		for _, id := range []string{"b", "a"} {
			h.create(id)
			h.join(id, Publisher)
			h.pass(time.Minute)
		}
		h.stop()
		if len(told) != 1 || !told[0].IsZero() || events.Load() == 0 {
			t.Errorf("%d events, and told %v, want the zero time", events.Load(), told)
		}
		told = nil
		events.Store(0)
		h = open(t, store, note)
		h.pass(2 * time.Minute) // nobody comes back
		h.stop()
		if len(told) != 1 || !told[0].Equal(created) || events.Load() == 0 {
			t.Errorf("%d events, and told %v, want %v", events.Load(), told, created)
		}
	})
}
