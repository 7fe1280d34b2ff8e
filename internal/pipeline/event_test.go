package pipeline

import (
	"reflect"
	"testing"

	"tertulia/internal/media/peer"
	"tertulia/internal/wire/mediactl"
)

// TestEventsOfATransport: what a transport says by itself, in the words of mediactl.
func TestEventsOfATransport(t *testing.T) {
	shown := []peer.Candidate{{Candidate: "candidate:2001 1 udp 7 192.0.2.1 4443 typ host", MID: "video", Line: 1}}
	for want, e := range map[mediactl.EventType]peer.Event{
		mediactl.Connected: {State: peer.Connected}, mediactl.Failed: {State: peer.Failed, Reason: "a reason"},
		mediactl.Again: {State: peer.Connected, Candidates: shown}, mediactl.Measured: {State: peer.Connected, FrameRate: 15},
	} {
		if got := eventType(e); got != want {
			t.Errorf("%+v is told as %q, want %q", e, got, want)
		}
	}
	want := []mediactl.Candidate{{Candidate: shown[0].Candidate, SDPMid: "video", SDPMLineIndex: 1}}
	if got := candidates(shown); !reflect.DeepEqual(got, want) {
		t.Errorf("candidates %+v, want %+v", got, want)
	}
}
