package app

import (
	"sync"

	"tertulia/internal/event"
	"tertulia/internal/metrics"
)

// tally counts what happens in calls, by reason.
type tally struct {
	mu      sync.Mutex
	created uint64
	joined  uint64
	ended   map[string]uint64 // sessions; OpenVidu's reasons are few
	left    map[string]uint64 // connections
	quality [6]uint64         // judgements that were news, by level
}

func newTally() *tally { return &tally{ended: map[string]uint64{}, left: map[string]uint64{}} }

// maxReasons bounds the labels: reasons are ours, but a bound costs nothing.
const maxReasons = 32

func count(of map[string]uint64, reason string) {
	if _, known := of[reason]; !known && len(of) >= maxReasons {
		reason = "other"
	}
	of[reason]++
}

// event counts.
func (t *tally) event(e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch b := e.Body.(type) {
	case event.SessionCreated:
		t.created++
	case event.SessionEnded:
		if b.Reason == "" {
			b.Reason = "never joined"
		}
		count(t.ended, b.Reason)
	case event.Joined:
		t.joined++
	case event.Left:
		count(t.left, b.Reason)
	case event.QualityChanged:
		if b.New >= 0 && b.New < len(t.quality) {
			t.quality[b.New]++
		}
	}
}

func (t *tally) samples() []metrics.Sample {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []metrics.Sample{
		{Name: "tertulia_sessions_created_total", Help: "Sessions that were made.", Number: float64(t.created)},
		{Name: "tertulia_connections_joined_total", Help: "Connections that have joined, recorders too.", Number: float64(t.joined)},
	}
	for reason, n := range t.ended {
		list = append(list, by("reason", reason, "tertulia_sessions_ended_total", "Sessions that have ended, by reason.", n))
	}
	for reason, n := range t.left {
		list = append(list, by("reason", reason, "tertulia_connections_left_total", "Connections that have left, by reason.", n))
	}
	for level, n := range t.quality {
		list = append(list, by("level", string('0'+rune(level)), "tertulia_network_quality_changes_total", "How often the network of a publisher came to a level, 0 (broken) to 5 (excellent).", n))
	}
	return list
}
