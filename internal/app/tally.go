package app

import (
	"slices"
	"sync"

	"tertulia/internal/event"
	"tertulia/internal/metrics"
	"tertulia/internal/wire/openvidu"
)

// tally counts what happens in calls, by reason.
type tally struct {
	mu              sync.Mutex
	created, joined uint64
	ended           map[string]uint64 // sessions
	left            map[string]uint64 // connections
}

// Reasons as clients are told them (spec openvidu-events §6). All are shown from the start on: a rate needs to see the first.
var (
	leftReasons = []string{
		"disconnect", "forceDisconnectByUser", "forceDisconnectByServer", "networkDisconnect",
		"sessionClosedByServer", "mediaServerDisconnect", "nodeCrashed", "openviduServerStopped",
	}
	endReasons = []string{openvidu.EventLastLeft, "sessionClosedByServer", "mediaServerDisconnect", "nodeCrashed", "openviduServerStopped", neverJoined}
)

const (
	neverJoined = "neverJoined" // it was collected
	otherReason = "other"
)

func newTally() *tally { return &tally{ended: map[string]uint64{}, left: map[string]uint64{}} }

// event counts.
func (t *tally) event(e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch b := e.Body.(type) {
	case event.SessionCreated:
		t.created++
	case event.SessionEnded:
		switch {
		case b.Reason == "":
			b.Reason = neverJoined
		case slices.Contains(leftReasons[:4], b.Reason):
			b.Reason = openvidu.EventLastLeft // whatever made that one leave
		}
		t.ended[known(b.Reason, endReasons)]++
	case event.Joined:
		t.joined++
	case event.Left:
		t.left[known(b.Reason, leftReasons)]++
	}
}

// known keeps the number of labels as it is.
func known(reason string, all []string) string {
	if slices.Contains(all, reason) {
		return reason
	}
	return otherReason
}

func (t *tally) samples() []metrics.Sample {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []metrics.Sample{
		{Name: "tertulia_sessions_created_total", Help: "Sessions that were made.", Number: float64(t.created)},
		{Name: "tertulia_connections_joined_total", Help: "Connections that have joined, recorders too.", Number: float64(t.joined)},
	}
	for _, reason := range append(slices.Clone(endReasons), otherReason) {
		list = append(list, by("reason", reason, "tertulia_sessions_ended_total", "Sessions that have ended, by reason; neverJoined were collected.", t.ended[reason]))
	}
	for _, reason := range append(slices.Clone(leftReasons), otherReason) {
		list = append(list, by("reason", reason, "tertulia_connections_left_total", "Connections that have left, by reason.", t.left[reason]))
	}
	return list
}
