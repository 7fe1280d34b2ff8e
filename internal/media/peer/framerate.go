package peer

import (
	"slices"
	"time"

	"tertulia/internal/media"
)

const (
	// steadyFor is how many seconds in a row must agree before a frame rate is told.
	steadyFor = 3
	// tellEvery is the least time between two reports.
	tellEvery = media.Time(5 * time.Second)
	// pausedFor is a time without pictures that is no frame rate.
	pausedFor = media.Time(2 * time.Second)
	// fastest is a frame rate that no camera has: bursts after an outage look so.
	fastest = 240
)

// frameRate measures a publisher's video once a second.
type frameRate struct {
	count  uint64     // pictures at the latest reading
	at     media.Time // when the last of them came
	rates  [steadyFor]float64
	steady int // how many of rates, the latest, are readings

	told   int // 0: nothing yet
	toldAt media.Time
}

// read takes what a receiver has counted, and returns the frame rate if it is news: steady, and another than was told by
// two and by a tenth at least. A pause is not news; neither is a picture now and then.
func (r *frameRate) read(now media.Time, count uint64, at media.Time) (news int) {
	pictures, span := count-r.count, at-r.at
	known := r.at != 0 && count > r.count && span > 0 && span <= pausedFor
	r.count, r.at = count, at
	if !known {
		r.steady = 0
		return 0
	}
	rate := float64(pictures) * float64(time.Second) / float64(span)
	copy(r.rates[:], r.rates[1:])
	r.rates[steadyFor-1] = rate
	r.steady = min(r.steady+1, steadyFor)
	if r.steady < steadyFor || rate > fastest || now-r.toldAt < tellEvery && r.told != 0 {
		return 0
	}
	sorted := r.rates
	slices.Sort(sorted[:])
	rounded := int(sorted[steadyFor/2] + 0.5) // a second in which it changes is no part of it
	if !similar(sorted[0], sorted[steadyFor-1]) || r.told != 0 && similar(float64(r.told), float64(rounded)) || rounded == 0 {
		return 0
	}
	r.told, r.toldAt = rounded, now
	return rounded
}

// similar tells whether two rates differ by less than two, or than a tenth of the first.
func similar(a, b float64) bool {
	difference := max(a-b, b-a)
	return difference < 2 || difference < a/10
}

// latest is the reading of the latest second, 0 if there were no pictures.
func (r *frameRate) latest() int {
	if r.steady == 0 {
		return 0
	}
	return int(r.rates[steadyFor-1] + 0.5)
}

// measure tells of a frame rate that has changed.
func measure(e *Endpoint, now media.Time) {
	for _, sec := range e.sections {
		if sec.rate == nil || sec.receiver == nil {
			continue
		}
		s := sec.receiver.Stats()
		if news := sec.rate.read(now, s.Pictures, s.Pictured); news > 0 {
			e.config.Event(Event{Endpoint: e, State: Connected, FrameRate: news})
		}
	}
}

// framesPerSecond is the reading of the latest second.
func (sec *section) framesPerSecond() int {
	if sec.rate == nil {
		return 0
	}
	return sec.rate.latest()
}
