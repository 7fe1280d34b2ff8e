package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// crowd is a world in which n publishers have joined, con_1 first.
func crowd(t testing.TB, n int) *world {
	w := newWorld(t, Properties{})
	for i := range n {
		w.rest(CreateConnection{Role: Publisher})
		w.rest(Join{Token: fmt.Sprintf("tok_%d", i+1), RPC: fmt.Sprintf("rpc%d", i+1)})
	}
	return w
}

// refusal returns the kind of error a client's command was answered with, "" for none.
func refusal(t testing.TB, effects []Effect) fault.Kind {
	t.Helper()
	for _, e := range effects {
		if r, ok := e.(Reply); ok {
			if r.Err == nil {
				return ""
			}
			return fault.Of(r.Err)
		}
	}
	t.Fatal("not answered")
	return ""
}

// TestEarlyCandidates: what comes before its endpoint is kept within bounds, and always answered.
func TestEarlyCandidates(t *testing.T) {
	const streams = 20
	w := crowd(t, streams)
	me := w.state.find("con_1")
	for i := range streams {
		for n := range maxEarly + 10 {
			got := w.client("con_1", "1", Candidate{Endpoint: fmt.Sprintf("con_%d", i+1), Candidate: mediactl.Candidate{SDPMLineIndex: n}})
			if kind := refusal(t, got); kind != "" {
				t.Fatalf("refused: %s", kind)
			}
		}
	}
	if n := len(me.early["con_2"]); n != maxEarly {
		t.Errorf("%d are kept for one endpoint, want %d", n, maxEarly)
	}
	if n := me.countEarly(); n != maxEarlyAll {
		t.Errorf("%d are kept, want %d", n, maxEarlyAll)
	}
	w.client("con_1", "2", Candidate{Endpoint: "con_unknown"})
	if _, kept := me.early["con_unknown"]; kept {
		t.Error("a candidate for nobody is kept")
	}
	w.client("con_2", "3", Leave{})
	if _, kept := me.early["con_2"]; kept {
		t.Error("candidates for somebody who has left are kept")
	}
	told := w.client("con_1", "4", Publish{Offer: "o", Media: camera})
	trickled := 0
	for _, e := range told {
		if q, ok := e.(Tell); ok && q.Request.(mediactl.Trickle).Candidate.SDPMLineIndex == trickled {
			trickled++
		}
	}
	if trickled != maxEarly {
		t.Errorf("%d of the publisher's own went to the node in order, want %d", trickled, maxEarly)
	}
}

// TestDimensions: what every other client will parse must parse.
func TestDimensions(t *testing.T) {
	for text, want := range map[string]bool{
		`{"width":640,"height":480}`: true, `{"width": 320, "height": 240}`: true, `{"width":640.5,"height":null}`: true, `{}`: true,
		``: false, `null`: false, `x`: false, `{`: false, `[640,480]`: false, `"640x480"`: false, `{"width":"640"}`: false,
		`{"width":640,"height":480}}`: false, `{"x":"` + strings.Repeat("x", maxDimensions) + `"}`: false,
	} {
		w := crowd(t, 2)
		media := camera
		media.Dimensions = text
		published := refusal(t, append(w.client("con_1", "1", Publish{Offer: "o", Media: media}), Reply{})) == ""
		if published != (want || text == "") { // a stream without video has none
			t.Errorf("%s: published %v", text, published)
		}
		if !published {
			w.client("con_1", "1", Publish{Offer: "o", Media: camera})
		}
		got := w.client("con_1", "2", ChangeStream{Property: "videoDimensions", NewValue: fmt.Sprintf("%q", text)})
		if changed := refusal(t, got) == ""; changed != want {
			t.Errorf("%s: changed %v", text, changed)
		}
		if kept := w.state.find("con_1").Stream.Media.Dimensions; kept != "" && !isDimensions(kept) {
			t.Errorf("%s is kept", kept)
		}
	}
}

// TestSignalTargets: naming somebody twice costs nothing, naming nobody's id stops all.
func TestSignalTargets(t *testing.T) {
	w := crowd(t, 3)
	everybody := slices.Repeat([]string{"con_3", "con_2"}, 5000)
	got := w.client("con_1", "1", ClientSignal{To: everybody})
	if n, ok := got[0].(Notify); !ok || !slices.Equal(n.To, []string{"con_3", "con_2"}) {
		t.Errorf("got %q", show(got))
	}
	got = w.client("con_1", "2", ClientSignal{To: append(everybody, strings.Repeat("x", 1000))})
	if len(got) != 1 || refusal(t, got) != fault.SignalTarget {
		t.Fatalf("got %q", show(got))
	}
	if text := got[0].(Reply).Err.Error(); len(text) > 300 {
		t.Errorf("a foreign id is told at length: %d bytes", len(text))
	}
}

// TestLaneIsBounded: behind a slow request only so many wait. The rest fail at once; what was made is released.
func TestLaneIsBounded(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Subscriber)
		h.next(a)
		h.send(a, "2", Publish{Offer: "o", Media: camera})
		h.next(a)
		h.next(b)
		const more = 10
		for i := range maxLane + more {
			h.send(b, itoa(int64(i)), Subscribe{Sender: a.Connection, Offer: "o"})
		}
		refused := 0
		for range maxLane + more {
			if m := h.next(b); fault.Is(m.Reply.Err, fault.RateLimited) {
				refused++
			}
		}
		if refused == 0 || refused > more {
			t.Errorf("%d requests were refused at once", refused)
		}
		for i := range 3 * maxLane {
			h.send(a, itoa(int64(i)), Candidate{})
			h.expect(a, fmt.Sprintf("#%d ok", i))
		}
		h.pass(time.Hour)
		trickled := 0
		for _, call := range h.node.called() {
			if strings.HasPrefix(call, "Trickle ") {
				trickled++
			}
		}
		if trickled > maxLane {
			t.Errorf("%d candidates waited", trickled)
		}
	})
}

// TestReleasesAreCoalesced: a release right behind a release says nothing, so that they need no limit.
func TestReleasesAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{takes: time.Second}
		l := lanes{media: n, deadline: time.Minute, inbox: newInbox(), jobs: map[string][]job{}}
		release := job{endpoint: "e", request: mediactl.Release{Session: "s", Endpoint: "e"}}
		trickle := job{endpoint: "e", request: mediactl.Trickle{Endpoint: "e"}}
		for _, j := range []job{release, release, release, trickle, release, release} {
			l.add(t.Context(), j)
		}
		// The first is under way: what was made since may need another.
		if got := len(l.jobs["e"]); got != 4 {
			t.Errorf("%d jobs wait, want release, release, trickle, release", got)
		}
		l.wait()
	})
}
