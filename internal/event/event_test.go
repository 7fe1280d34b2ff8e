package event_test

import (
	"testing"

	"tertulia/internal/event"
)

func TestKindsDiffer(t *testing.T) {
	seen := map[string]event.Body{}
	for _, b := range []event.Body{
		event.SessionCreated{}, event.SessionEnded{}, event.Joined{}, event.Left{}, event.SocketLost{}, event.SocketBack{},
		event.Published{}, event.Unpublished{}, event.Subscribed{}, event.Unsubscribed{}, event.SignalSent{}, event.QualityChanged{}, event.Refused{}, event.Transport{},
		event.Diagnosed{},
	} {
		if other := seen[b.Kind()]; other != nil || b.Kind() == "" {
			t.Errorf("%T and %T are both %q", b, other, b.Kind())
		}
		seen[b.Kind()] = b
	}
}
