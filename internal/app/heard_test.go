package app

import (
	"testing"

	"tertulia/internal/diagnosis"
	"tertulia/internal/event"
	"tertulia/internal/event/elastic"
)

// What clients log is exported beside the timeline.
func TestLinesOfClientsAreExported(t *testing.T) {
	x := &export{to: elastic.New(elastic.Options{})}
	journal := diagnosis.NewJournal()
	journal.Add(event.Event{At: 1, Session: "demo", Connection: "con_A", Body: event.Joined{Platform: "Chrome"}})
	heard := x.hear(journal)
	say := func() {
		heard.ClientLines("demo", "con_A", []diagnosis.ClientLine{{At: 1, Level: "WARN", Text: "one"}, {At: 2, Level: "INFO", Text: "two"}}, 3)
	}
	say()
	if n := x.to.Stats().Waiting; n != 0 {
		t.Errorf("it is off, and %d documents wait", n)
	}
	if err := x.to.Adopt(elastic.Config{URL: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	say()
	if n := x.to.Stats().Waiting; n != 2 {
		t.Errorf("%d documents wait, want 2", n)
	}
	if entries, ok := heard.Timeline("demo", 0, 100); !ok || len(entries) < 4 {
		t.Errorf("the timeline has %v", entries)
	}
}
