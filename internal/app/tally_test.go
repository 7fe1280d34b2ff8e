package app

import (
	"testing"

	"tertulia/internal/event"
)

func TestTally(t *testing.T) {
	counted := newTally()
	for _, body := range []event.Body{
		event.SessionCreated{}, event.SessionCreated{}, event.Joined{}, event.Left{Reason: "networkDisconnect"}, event.Left{Reason: "a new one"},
		event.SessionEnded{Reason: "networkDisconnect"}, event.SessionEnded{}, event.SocketLost{},
	} {
		counted.event(event.Event{Body: body})
	}
	got := map[string]float64{}
	for _, s := range counted.samples() {
		if s.Number != 0 {
			got[s.Name+" "+s.Value] = s.Number
		}
	}
	want := map[string]float64{
		"tertulia_sessions_created_total ": 2, "tertulia_connections_joined_total ": 1,
		"tertulia_connections_left_total networkDisconnect": 1, "tertulia_connections_left_total other": 1,
		"tertulia_sessions_ended_total lastParticipantLeft": 1, "tertulia_sessions_ended_total neverJoined": 1,
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %v, want %v", name, got[name], n)
		}
	}
}
