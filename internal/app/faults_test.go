package app

import (
	"slices"
	"testing"

	"tertulia/internal/diagnosis"
	"tertulia/internal/event"
)

// Every record becomes an event when it begins and when it ends, and counts once.
func TestFaultsAreToldAndCounted(t *testing.T) {
	var told []event.Event
	f := newFaults()
	report := reported(func(e event.Event) {
		told = append(told, e)
		f.event(e)
	})
	r := diagnosis.Record{
		At: 5, Code: diagnosis.AudioOneWay, Severity: diagnosis.Error, Side: diagnosis.Network,
		Session: "s", Connection: "con_ann", Stream: "str_1",
	}
	report(r)
	r.Ended = 9
	report(r)
	report(diagnosis.Record{At: 10, Code: diagnosis.ServerUDPBlocked, Severity: diagnosis.Warning, Side: diagnosis.Server}) // of everybody

	body := event.Diagnosed{Code: "AUDIO_ONE_WAY", Severity: "error", Side: "network", Stream: "str_1"}
	over := body
	over.Ended = true
	if want := []event.Event{
		{At: 5, Session: "s", Connection: "con_ann", Body: body}, {At: 9, Session: "s", Connection: "con_ann", Body: over},
		{At: 10, Body: event.Diagnosed{Code: "SERVER_UDP_BLOCKED", Severity: "warning", Side: "server"}},
	}; !slices.Equal(told, want) {
		t.Errorf("told %+v\nwant %+v", told, want)
	}
	f.event(event.Event{Body: event.Transport{State: "failed"}})
	f.event(event.Event{Body: event.Diagnosed{Code: "NO_SUCH_CODE"}})

	inCalls := 0
	for i := range diagnosis.Catalogue {
		if scope := diagnosis.Catalogue[i].Scope; scope == diagnosis.InCall || scope == diagnosis.InUse {
			inCalls++
		}
	}
	list := f.samples()
	if len(list) != inCalls {
		t.Errorf("%d numbers for %d codes of calls and use", len(list), inCalls)
	}
	for _, s := range list {
		want := 0.0
		if s.Value == "AUDIO_ONE_WAY" || s.Value == "SERVER_UDP_BLOCKED" {
			want = 1
		}
		if s.Name != "tertulia_diagnoses_total" || s.Label != "code" || s.Number != want {
			t.Errorf("%+v, want %v", s, want)
		}
	}
}
