package session

import (
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
)

// publish publishes and returns the stream's id; other messages that come before are passed over.
func (h *house) publish(a *Attachment) string {
	h.t.Helper()
	h.send(a, "p", Publish{Offer: "offer", Media: camera})
	for {
		if m := h.next(a); m.Reply != nil && m.Reply.Request == "p" {
			return m.Reply.Result.(PublishResult).Stream
		}
	}
}

// TestLOSS_10__SubscribersAreFilled: who receives a stream is in the state that REST shows, for as long as it does.
func TestLOSS_10__SubscribersAreFilled(t *testing.T) {
	observed(t, func(t *testing.T, h *house, _ *witness) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Subscriber)
		stream := h.publish(a)
		count := func(want int) {
			t.Helper()
			s, err := h.State("room")
			if err != nil {
				t.Fatal(err)
			}
			got := s.find(b.Connection).Subscriptions
			if len(got) != want {
				t.Fatalf("%s has %d subscriptions, want %d", b.Connection, len(got), want)
			}
			for _, u := range got {
				if u.Stream != stream || u.Publisher != a.Connection || u.Phase != Flowing || u.CreatedAt != time.Now().UnixMilli()-1000 {
					t.Errorf("the subscription is %+v", u)
				}
			}
		}
		count(0)
		h.send(b, "2", Subscribe{Sender: stream, Offer: "offer"})
		h.pass(time.Second)
		count(1)
		h.send(b, "3", Unsubscribe{Sender: a.Connection})
		synctest.Wait()
		count(0)
	})
}

// TestLOSS_19__InboundEvents: both ends of a subscription are told, with the publisher's media and when it began.
func TestLOSS_19__InboundEvents(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Subscriber)
		stream := h.publish(a)
		who := map[string]string{a.Connection: "A", b.Connection: "B", stream: "S"}
		w.taken(who)
		h.send(b, "2", Subscribe{Sender: stream, Offer: "offer"})
		h.pass(time.Minute)
		w.expect(t, who, "B stream.subscribed Stream=S Publisher=A Endpoint=B_S Media{CAMERA audio video 30}")
		h.send(b, "3", Unsubscribe{Sender: a.Connection})
		w.expect(t, who, "B stream.unsubscribed Stream=S Endpoint=B_S Publisher=A Reason=unsubscribe Media{CAMERA audio video 30} Since=946684800100")
	})
}

// TestLOSS_12__SixLevels: each of the levels 0 to 5 reaches every participant and the event, with the one before.
func TestLOSS_12__SixLevels(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Subscriber)
		h.publish(a)
		h.pass(time.Second)
		w.taken(nil)
		old := 0
		for _, level := range []int{5, 4, 3, 2, 1, 0} {
			if _, err := h.Do(t.Context(), "room", SetQuality{Connection: a.Connection, Level: level}); err != nil {
				t.Fatal(err)
			}
			want := QualityChanged{Connection: a.Connection, Old: old, New: level}
			for _, client := range []*Attachment{a, b} {
				for got := Notice(nil); got != want; {
					m := h.next(client)
					if got = m.Notice; got != want {
						if q, other := got.(QualityChanged); other {
							t.Fatalf("%s was told %+v, want %+v", client.Connection, q, want)
						}
					}
				}
			}
			w.mu.Lock()
			if last := w.events[len(w.events)-1]; last.Body != event.Body(event.QualityChanged{Old: old, New: level}) || last.Connection != a.Connection {
				t.Errorf("the event is %+v", last)
			}
			w.mu.Unlock()
			old = level
		}
	})
}

// TestLOSS_21__Location: what is known of a participant's place is told, and "unknown" if nothing is.
func TestLOSS_21__Location(t *testing.T) {
	for given, want := range map[string]string{"Sevilla, Spain": "Sevilla, Spain", "": "unknown"} {
		observed(t, func(t *testing.T, h *house, w *witness) {
			h.create("room")
			a, err := h.Join(t.Context(), "room", "1", Join{Insecure: true, Location: given, Host: "call.example:443", ClientData: "c", FinalUserID: "u"})
			if err != nil {
				t.Fatal(err)
			}
			h.send(a, "2", Leave{})
			synctest.Wait()
			told := event.Joined{Host: "call.example:443", Location: want, ClientData: "c", FinalUserID: "u"}
			now := time.Now().UnixMilli()
			if len(w.events) != 4 || w.events[1].Body != event.Body(told) || w.events[1].At != now ||
				w.events[2].Body != event.Body(event.Left{Reason: "disconnect", Joined: told, Since: now}) {
				t.Errorf("told %+v", w.events)
			}
			for _, e := range w.events {
				if e.Began != now || e.Session != "room" || e.Hidden {
					t.Errorf("%s began %d, hidden %v", e.Body.Kind(), e.Began, e.Hidden)
				}
			}
		})
	}
}

// TestLOSS_22__FrameRateIsMeasured: what the media node measures is what REST shows and what the end of a stream says.
func TestLOSS_22__FrameRateIsMeasured(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a := h.join("room", Publisher)
		h.publish(a)
		for _, rate := range []int{24, 24, 0, -1, 17} {
			h.Event(mediactl.Event{Session: "room", Endpoint: a.Connection, Type: mediactl.Measured, FrameRate: rate})
		}
		synctest.Wait()
		s, err := h.State("room")
		if err != nil || s.find(a.Connection).Stream.Media.FrameRate != 17 {
			t.Fatalf("the stream is %+v, %v", s.find(a.Connection).Stream, err)
		}
		w.taken(nil)
		h.send(a, "3", Unpublish{})
		synctest.Wait()
		if b, ok := w.events[0].Body.(event.Unpublished); !ok || b.Media.FrameRate != 17 {
			t.Errorf("told %+v", w.events)
		}
	})
}

// TestHiddenOnesAreMarked: what the recording page does is told, but not to applications.
func TestHiddenOnesAreMarked(t *testing.T) {
	observed(t, func(t *testing.T, h *house, w *witness) {
		h.create("room")
		a := h.join("room", Publisher)
		stream := h.publish(a)
		for _, join := range []Join{{Insecure: true, Recorder: true}, {Insecure: true, SpeechToText: true}} {
			w.taken(nil)
			page, err := h.Join(t.Context(), "room", "1", join)
			if err != nil {
				t.Fatal(err)
			}
			h.next(page)
			h.send(page, "2", Subscribe{Sender: stream, Offer: "offer"})
			h.pass(time.Second)
			h.send(page, "3", Unpublish{})
			page.Detach(event.SocketLost{})
			h.pass(time.Minute)
			h.send(a, "4", ClientSignal{})
			synctest.Wait()
			hidden := 0
			for _, e := range w.events {
				if own := e.Connection == page.Connection; own != e.Hidden {
					t.Errorf("%s of %s: hidden %v", e.Body.Kind(), e.Connection, e.Hidden)
				} else if own {
					hidden++
				}
			}
			if hidden != 6 || len(w.events) != 7 { // joined, subscribed, refused, socket lost, unsubscribed, left; the signal
				t.Errorf("%d hidden events of %+v", hidden, w.events)
			}
		}
	})
}
