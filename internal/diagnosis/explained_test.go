package diagnosis

import (
	"log/slog"
	"testing"
)

// A browser whose large packets vanish stops sending them: that is no second fault.
func TestAReasonGoesOn(t *testing.T) {
	w := New(Config{Journal: NewJournal(), Log: slog.New(slog.DiscardHandler), Report: func(Record) {}})
	p := &participant{id: "con_A", open: map[string]*opened{}}
	at := func(now int64, codes ...Code) (open []Code) {
		var found []Finding
		for _, c := range codes {
			found = append(found, Finding{Code: c, Stream: "str_A"})
		}
		w.settle(p, &View{Now: now, Session: "ses", Connection: "con_A", Host: &Host{}}, found)
		for _, o := range p.open {
			if o.over == 0 {
				open = append(open, o.record.Code)
			}
		}
		return open
	}
	if open := at(1000, MTUBlackHole); len(open) != 1 {
		t.Fatalf("open: %v", open)
	}
	for now := int64(2000); now < 2000+3*endAfter; now += 1000 {
		if open := at(now, NoMediaSent); len(open) != 1 || open[0] != MTUBlackHole {
			t.Fatalf("at %d: %v", now, open)
		}
	}
	over := int64(2000 + 4*endAfter)
	if open := at(over + endAfter); len(open) != 0 {
		t.Errorf("after the end: %v", open)
	}
	if open := at(over+endAfter+60_000, NoMediaSent); len(open) != 1 || open[0] != NoMediaSent {
		t.Errorf("later: %v", open)
	}
}
