package diagnosis

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tertulia/internal/event"
)

// at is an event of con_ann in session s, ms after the start.
func at(ms int64, body event.Body) event.Event {
	return event.Event{At: start + ms, Session: "s", Connection: "con_ann", Body: body}
}

// journalOf makes a journal whose clock stands at the start, with ann in it.
func journalOf() (*Journal, *int64) {
	now := start
	j := NewJournal()
	j.now = func() time.Time { return time.UnixMilli(now) }
	j.Add(at(0, event.Joined{Platform: "Chrome 156", SDKVersion: "2.32.2", Address: "198.51.100.7", Host: "calls.example:443"}))
	return j, &now
}

func texts(t *testing.T, j *Journal, session string) []string {
	t.Helper()
	entries, ok := j.Timeline(session, 0, 0)
	if !ok {
		t.Fatalf("session %s is unknown", session)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Text)
	}
	return list
}

func TestEveryEventIsTold(t *testing.T) {
	for body, want := range map[event.Body]string{
		event.SessionCreated{}:                                        "session created",
		event.SessionEnded{Reason: "lastParticipantLeft"}:             "lastParticipantLeft",
		event.Joined{Platform: "Chrome", Address: "192.0.2.1"}:        "192.0.2.1",
		event.Left{Reason: "disconnect"}:                              "disconnect",
		event.SocketLost{Age: 60_040, Silent: 59_990, Reason: "gone"}: "60.0 s",
		event.SocketBack{After: 1500}:                                 "1.5 s",
		event.Published{Stream: "str_1", Audio: "opus"}:               "audio opus, video none",
		event.Unpublished{Stream: "str_1", Reason: "unpublish"}:       "unpublish",
		event.Subscribed{Stream: "str_1", Publisher: "con_x"}:         "con_x",
		event.Unsubscribed{Stream: "str_1"}:                           "str_1",
		event.Refused{Method: "publishVideo", Text: "no codec"}:       "publishVideo was refused: no codec",
		event.Transport{Endpoint: "con_x", State: "failed"}:           "failed",
	} {
		j, _ := journalOf()
		j.Add(at(5, body))
		entries, ok := j.Timeline("s", start, 0)
		if !ok || len(entries) != 1 {
			t.Fatalf("%T: %v", body, entries)
		}
		if e := entries[0]; !strings.Contains(e.Text, want) || e.Kind != body.Kind() || e.Source != FromServer || e.Connection != "con_ann" {
			t.Errorf("%T became %+v", body, e)
		}
	}
}

// TestSignalsAreNoStory: an application's talk is not written down; what a line is worth is.
func TestSignalsAreNoStory(t *testing.T) {
	j := NewJournal()
	j.Add(event.Event{At: 1, Session: "s", Body: event.SessionCreated{}})
	data := "hello"
	j.Add(event.Event{At: 2, Session: "s", Connection: "con_a", Body: event.SignalSent{To: []string{"con_b"}, Data: &data}})
	j.Add(event.Event{At: 3, Session: "s", Connection: "con_a", Body: event.QualityChanged{Old: 5, New: 2}})
	entries, _ := j.Timeline("s", 0, 10)
	if len(entries) != 2 || entries[1].Text != "network quality 2, was 5" || entries[1].Fields["newValue"] != 2 {
		t.Errorf("the timeline says %+v", entries)
	}
}

func TestTimelineIsOrderedAndPaged(t *testing.T) {
	j, _ := journalOf()
	for _, ms := range []int64{40, 10, 30, 20} {
		j.Add(at(ms, event.Left{Reason: fmt.Sprint(ms)}))
	}
	if got := texts(t, j, "s")[1:]; !slices.Equal(got, []string{"left: 10", "left: 20", "left: 30", "left: 40"}) {
		t.Errorf("order %q", got)
	}
	page, _ := j.Timeline("s", start+10, 2)
	if len(page) != 2 || page[0].At != start+20 || page[1].At != start+30 {
		t.Errorf("page %+v", page)
	}
	if page, ok := j.Timeline("s", start+40, 2); !ok || len(page) != 0 {
		t.Errorf("after the end: %+v", page)
	}
	if _, ok := j.Timeline("other", 0, 0); ok {
		t.Error("an unknown session has a timeline")
	}
}

// A client's lines stand where its clock, right or wrong, says they belong among the server's.
func TestClientLinesAreOrderedWithTheServers(t *testing.T) {
	for name, skew := range map[string]int64{"right": 0, "two hours ahead": 7_200_000, "a day behind": -86_400_000} {
		j, _ := journalOf()
		j.Add(at(1000, event.Transport{Endpoint: "con_ann", State: "connected"}))
		lines := func(ms ...int64) (list []ClientLine) {
			for _, m := range ms {
				list = append(list, ClientLine{At: start + m + skew, Level: "INFO", Text: fmt.Sprint("line ", m)})
			}
			return list
		}
		j.ClientLines("s", "con_ann", lines(500, 1500), start+1600)
		j.Add(at(2000, event.Left{Reason: "disconnect"}))
		got := texts(t, j, "s")[1:]
		want := []string{"line 500", "transport of con_ann connected", "line 1500", "left: disconnect"}
		if !slices.Equal(got, want) {
			t.Errorf("clock %s: %q", name, got)
		}
	}
}

func TestAClockIsLearntFromTheFastestBatch(t *testing.T) {
	var c clock
	c.set([]ClientLine{{At: 1_000_000}}, 1_104_000) // 100 s behind, and 4 s on the way
	c.set([]ClientLine{{At: 1_010_000}, {At: 1_009_000}}, 1_110_100)
	c.set([]ClientLine{{At: 1_020_000}}, 1_123_000)
	if c.offset() != 100_100 {
		t.Errorf("offset %d", c.offset())
	}
}

func TestNoLineIsOfTheFuture(t *testing.T) {
	j, _ := journalOf()
	j.ClientLines("s", "con_ann", []ClientLine{{At: start + 900, Text: "a"}}, start+1000)
	j.ClientLines("s", "con_ann", []ClientLine{{At: start + 99_000_000, Text: "b"}}, start+2000)
	entries, _ := j.Timeline("s", start, 0)
	if len(entries) != 2 || entries[1].At > start+2000 {
		t.Errorf("entries %+v", entries)
	}
}

func TestStrangersAddNothing(t *testing.T) {
	j, _ := journalOf()
	j.ClientLines("unknown", "con_ann", []ClientLine{{Text: "x"}}, start)
	j.ClientLines("s", "con_stranger", []ClientLine{{Text: "x"}}, start)
	j.ClientStats("unknown", "con_ann", map[string]any{"x": 1})
	j.ClientStats("s", "con_stranger", map[string]any{"x": 1})
	if got := texts(t, j, "s"); len(got) != 1 {
		t.Errorf("entries %q", got)
	}
	if _, ok := j.Timeline("unknown", 0, 0); ok {
		t.Error("a client made a session")
	}
	if _, ok := j.Diagnosis("s", "con_stranger"); ok {
		t.Error("a client made a connection")
	}
}

func TestStatisticsAreKeptAndBounded(t *testing.T) {
	j, _ := journalOf()
	j.ClientStats("s", "con_ann", map[string]any{"webrtc_stats": map[string]any{
		"outbound": map[string]any{"video": map[string]any{"packetsSent": 100.0}}, "list": []any{1.0, "tok_abc123"},
	}})
	j.ClientStats("s", "con_ann", map[string]any{"webrtc_stats": map[string]any{
		"outbound": map[string]any{"video": map[string]any{"packetsSent": 250.0}},
	}})
	clues := j.Clues("s", "con_ann")
	if !clues.sends("video", start) || clues.sends("audio", start) || clues.sends("video", start+60_000) {
		t.Errorf("clues %+v", clues)
	}
	j.ClientStats("s", "con_ann", map[string]any{"huge": strings.Repeat("x", 100_000)})
	entries, _ := j.Timeline("s", 0, 0)
	if text := fmt.Sprint(entries); strings.Contains(text, "abc123") || len(text) > 10_000 || !strings.Contains(text, "omitted") {
		t.Errorf("kept %.300s", text)
	}
	deep := map[string]any{}
	for inner, i := deep, 0; i < 50; i++ {
		next := map[string]any{}
		inner["x"], inner = next, next
	}
	j.ClientStats("s", "con_ann", deep)
}

func TestATimelineIsBounded(t *testing.T) {
	j, _ := journalOf()
	for i := range int64(100) {
		j.Add(at(i, event.Transport{State: fmt.Sprint("server ", i)}))
	}
	for i := range int64(3 * maxEntries) {
		j.ClientLines("s", "con_ann", []ClientLine{{At: start + i, Text: strings.Repeat("x", 5000)}}, start+i)
	}
	tl := j.sessions["s"]
	if len(tl.entries) != maxEntries {
		t.Errorf("%d entries", len(tl.entries))
	}
	servers := 0
	for _, e := range tl.entries {
		if e.Source == FromServer {
			servers++
		}
		if len(e.Text) > maxText {
			t.Fatalf("a text of %d bytes", len(e.Text))
		}
	}
	if servers != 101 {
		t.Errorf("a client left %d of the server's entries", servers)
	}
	if tl.bytes != j.bytes {
		t.Errorf("counted %d bytes of %d", j.bytes, tl.bytes)
	}
	for i := range int64(3 * maxEntries) {
		j.Add(at(10_000+i, event.Transport{}))
	}
	if len(tl.entries) != maxEntries || j.bytes != tl.bytes {
		t.Errorf("%d entries, %d bytes of %d", len(tl.entries), j.bytes, tl.bytes)
	}
}

// Requests that we refuse come as often as a client likes: they do not push out what else has happened.
func TestRefusalsLeaveTheStory(t *testing.T) {
	j, _ := journalOf()
	for i := range int64(3 * maxEntries) {
		j.Add(at(i, event.Refused{Method: "publishVideo", Text: "no"}))
	}
	if got := texts(t, j, "s"); !strings.HasPrefix(got[0], "joined from") {
		t.Errorf("first is %q", got[0])
	}
	if n := len(j.sessions["s"].entries); n != maxEntries {
		t.Errorf("%d entries", n)
	}
}

// Who reads page by page misses nothing of a millisecond in which much has happened.
func TestPagesEndBetweenMilliseconds(t *testing.T) {
	j, _ := journalOf()
	for i, ms := range []int64{10, 20, 20, 20, 30, 30, 40} {
		j.Add(at(ms, event.Left{Reason: fmt.Sprint(i)}))
	}
	for limit, want := range map[int]string{1: "[1 3 2 1]", 2: "[1 3 2 1]", 3: "[1 3 3]", 4: "[4 3]", 9: "[7]"} {
		var pages []int
		for after := start; ; {
			page, _ := j.Timeline("s", after, limit)
			if len(page) == 0 {
				break
			}
			pages, after = append(pages, len(page)), page[len(page)-1].At
		}
		if got := fmt.Sprint(pages); got != want {
			t.Errorf("limit %d: pages %s, want %s", limit, got, want)
		}
	}
}

// What a client can make us keep is counted, lists of numbers included.
func TestListsHaveWeight(t *testing.T) {
	j, _ := journalOf()
	before := j.bytes
	j.ClientStats("s", "con_ann", map[string]any{"list": make([]any, 500)})
	if grown := j.bytes - before; grown < 500*16 {
		t.Errorf("500 values count %d bytes", grown)
	}
}

func TestAJournalIsBounded(t *testing.T) {
	j, now := journalOf()
	j.maxBytes = 100_000
	for i := range 300 {
		id := fmt.Sprint("ended ", i)
		j.Add(event.Event{At: start, Session: id, Connection: "con_x", Body: event.Joined{Platform: strings.Repeat("p", 400)}})
		j.Add(event.Event{At: start + 1, Session: id, Body: event.SessionEnded{Reason: "x"}})
	}
	if j.bytes > j.maxBytes || len(j.ended) > maxEnded || len(j.sessions) != len(j.ended)+1 {
		t.Errorf("%d bytes, %d ended of %d sessions", j.bytes, len(j.ended), len(j.sessions))
	}
	if _, ok := j.Timeline("ended 0", 0, 0); ok {
		t.Error("the oldest is still there")
	}
	if _, ok := j.Timeline("ended 299", 0, 0); !ok {
		t.Error("the latest is gone")
	}
	for i := range 2000 { // a live session alone makes room in itself
		j.Add(at(int64(i), event.Refused{Text: strings.Repeat("y", 900)}))
	}
	if j.bytes > j.maxBytes || len(j.sessions["s"].entries) == 0 {
		t.Errorf("%d bytes, %d entries", j.bytes, len(j.sessions["s"].entries))
	}
	*now += keptFor.Milliseconds() + 1
	if _, ok := j.Timeline("ended 299", 0, 0); ok || len(j.ended) != 0 {
		t.Error("ended sessions are kept for longer than an hour")
	}
	if j.bytes != j.sessions["s"].bytes {
		t.Errorf("counted %d bytes of %d", j.bytes, j.sessions["s"].bytes)
	}
}

func TestAnEndedSessionIsStillKnown(t *testing.T) {
	j, _ := journalOf()
	r := &Record{At: start, Code: NetUnreachable, Session: "s", Connection: "con_ann", Title: "t"}
	j.Begin(r)
	j.Add(event.Event{At: start + 10, Session: "s", Body: event.SessionEnded{Reason: "x"}})
	j.Add(at(11, event.Left{Reason: "late"})) // does not begin it anew
	if got := texts(t, j, "s"); len(got) != 4 {
		t.Errorf("entries %q", got)
	}
	if records, ok := j.Diagnosis("s", "con_ann"); !ok || len(records) != 1 || records[0].Ended != start+10 {
		t.Errorf("records %+v", records)
	}
	late := &Record{At: start + 12, Code: NetUnreachable, Session: "s", Connection: "con_ann"}
	j.Begin(late) // found before the watch knew
	if got := texts(t, j, "s"); len(got) != 5 {
		t.Errorf("entries %q", got)
	}
	j.Add(at(20, event.Joined{})) // the same id, used again
	if got := texts(t, j, "s"); len(got) != 1 {
		t.Errorf("entries of the new session %q", got)
	}
}

func TestRecordsOpenOnesFirst(t *testing.T) {
	j, _ := journalOf()
	var all []*Record
	for i, code := range []Code{LossUplink, NetUnreachable, CameraBusy, MTUBlackHole} {
		r := &Record{At: start + int64(i), Code: code, Session: "s", Connection: "con_ann", Evidence: []string{"e"}}
		all = append(all, r)
		j.Begin(r)
	}
	j.Begin(&Record{At: start, Code: LossDownlink, Session: "s", Connection: "con_ben"})
	j.End(all[3], start+50)
	j.End(all[1], start+60)
	records, ok := j.Diagnosis("s", "con_ann")
	var got []Code
	for _, r := range records {
		got = append(got, r.Code)
	}
	if !ok || !slices.Equal(got, []Code{CameraBusy, LossUplink, MTUBlackHole, NetUnreachable}) {
		t.Errorf("order %v", got)
	}
	if every, _ := j.Diagnosis("s", ""); len(every) != 5 {
		t.Errorf("%d records of the session", len(every))
	}
	j.End(all[3], 0)
	j.End(all[3], start+70)
	j.End(all[3], start+80)
	if all[3].Ended != start+70 {
		t.Errorf("ended at %d", all[3].Ended)
	}
	entries, _ := j.Timeline("s", 0, 0)
	entries[1].Record.Title = "changed by a reader"
	if all[0].Title != "" {
		t.Error("a reader holds the journal's own record")
	}
	for i := range 2 * maxRecords {
		r := &Record{At: start + int64(i), Session: "s", Connection: "con_ann"}
		j.Begin(r)
		j.End(r, start+1)
	}
	if n := len(j.sessions["s"].records); n != maxRecords {
		t.Errorf("%d records are kept", n)
	}
}

func TestRecordsOfTheServerHaveATimeline(t *testing.T) {
	j := NewJournal()
	j.Begin(&Record{At: start, Code: ServerUDPBlocked, Title: "t"})
	if records, ok := j.Diagnosis("", ""); !ok || len(records) != 1 {
		t.Errorf("records %v", records)
	}
}

func TestSessionsAtOnceAreBounded(t *testing.T) {
	j := NewJournal()
	for i := range maxSessions + 50 {
		j.Add(event.Event{At: start, Session: fmt.Sprint(i), Body: event.SessionCreated{}})
	}
	if len(j.sessions) != maxSessions {
		t.Errorf("%d sessions", len(j.sessions))
	}
}
