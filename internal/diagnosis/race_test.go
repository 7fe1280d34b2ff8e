package diagnosis

import (
	"log/slog"
	"sync"
	"testing"

	"tertulia/internal/event"
)

// A participant may leave, which ends its records, at the moment the watch begins or ends one. (With -race.)
func TestRecordsEndFromBothSides(t *testing.T) {
	j := NewJournal()
	var told []Record
	w := New(Config{Journal: j, Log: slog.New(slog.DiscardHandler), Report: func(r Record) { told = append(told, r) }})
	var leaving sync.WaitGroup
	for i := range 200 {
		j.Add(event.Event{At: start, Session: "s", Connection: "con_ann", Body: event.Joined{}})
		leaving.Go(func() {
			j.Add(event.Event{At: start + 1, Session: "s", Connection: "con_ann", Body: event.Left{}})
		})
		r := &Record{At: start, Session: "s", Connection: "con_ann", Code: NoMediaSent}
		w.begin(r)
		w.end(r, start+2)
		if len(told) != 2*(i+1) || told[2*i].Ended != 0 || told[2*i+1].Ended == 0 {
			t.Fatalf("told %+v", told)
		}
		leaving.Wait()
	}
}
