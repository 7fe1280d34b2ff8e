package session

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
)

// TestMissedAcrossARestart: what a client missed while it was cut off it still gets, in order and once, though the process
// ended meanwhile; what it had acknowledged does not come again.
func TestMissedAcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		h := open(t, store, func(c *Config) { c.NewID = counter() })
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		h.next(a) // B has joined
		a.Ack(1)
		a.Detach(event.SocketLost{})
		h.send(b, "2", ClientSignal{Data: new("hi")})
		stream := h.publish(b)
		h.send(b, "3", ChangeStream{Property: "audioActive", NewValue: "false"})
		h.pass(time.Second)
		h.stop()

		h = open(t, store, nil)
		for range 2 { // it is cut off again before it has acknowledged
			again, err := h.Resume(t.Context(), a.RPC)
			if err != nil {
				t.Fatal(err)
			}
			h.expect(again, "Signal from="+b.Connection+" type=absent data=hi")
			h.expect(again, "StreamPublished "+b.Connection+" "+stream+" audio=true video=true")
			if m := h.expect(again, "StreamChanged Connection:"+b.Connection+" Stream:"+stream+" Property:audioActive NewValue:false Reason:"); m.Seq == 0 {
				t.Error("it is not numbered")
			}
		}
		if s, err := h.State("room"); err != nil || s.find(a.Connection).Missed != nil {
			t.Errorf("the state still holds what was missed: %v", err)
		}
		h.stop()
	})
}

// TestMissedKinds: every notice that means something to the next process survives the record as it was.
func TestMissedKinds(t *testing.T) {
	for _, n := range []Notice{
		Joined{"con_a", 7, "m"}, StreamPublished{"con_a", Stream{ID: "str_a", CreatedAt: 8, Phase: Published, Media: camera}},
		StreamUnpublished{"con_a", "unpublish"}, Left{"con_a", "disconnect"}, Signal{"con_a", new("t"), nil, true},
		StreamChanged{"con_a", "str_a", "p", "v", "r"}, ConnectionChanged{"role", "MODERATOR"}, QualityChanged{"con_a", 5, 1},
	} {
		m, ok := missedOf(n)
		text, err := json.Marshal(m)
		var read Missed
		if err != nil || json.Unmarshal(text, &read) != nil || !ok || !reflect.DeepEqual(read.notice(), n) {
			t.Errorf("%s became %+v", text, read.notice())
		}
	}
	for _, n := range []Notice{RemoteCandidate{}, ForcedOffer{}, Evicted{}} {
		if _, ok := missedOf(n); ok {
			t.Errorf("%T is kept", n)
		}
	}
	if n := (Missed{}).notice(); n != nil {
		t.Errorf("what another release wrote became %+v", n)
	}
}

// TestMissedIsBounded: a record does not grow beyond what stores take.
func TestMissedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(MemoryStore)
		h := open(t, store, nil)
		h.create("room")
		a, b, c := h.join("room", Publisher), h.join("room", Publisher), h.join("room", Publisher)
		for range 4 {
			h.send(c, "2", ClientSignal{To: []string{a.Connection}, Data: new(strings.Repeat("x", maxMissed/3))})
		}
		h.send(c, "3", ClientSignal{To: []string{b.Connection}, Data: new("small")})
		synctest.Wait()
		h.stop()
		if record := store.records["room"]; len(record) > maxMissed || !strings.Contains(string(record), "small") || strings.Contains(string(record), "xxx") {
			t.Errorf("the record has %d bytes", len(record))
		}
	})
}

// TestHeardRaw: Android's client writes types as it likes, and says nothing of the browsers beside it.
func TestHeardRaw(t *testing.T) {
	for platform, want := range map[string]bool{"Chrome": true, "Android 9": false, "": false} {
		s := State{Connections: []*Connection{{ActiveAt: 1, Platform: "Chrome"}, {ActiveAt: 1, Platform: platform, SignalForm: RawSignals}}}
		if got := s.heardRaw(); got != want {
			t.Errorf("%q: %v", platform, got)
		}
	}
	if (&State{Connections: []*Connection{{Platform: "Chrome", SignalForm: RawSignals}}}).heardRaw() {
		t.Error("of one who has not joined")
	}
}
