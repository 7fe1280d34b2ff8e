package session

import (
	"tertulia/internal/event"
	"tertulia/internal/fault"
)

// maxQuality is the best network quality; 0 is the worst.
const maxQuality = 5

// setQuality keeps how good a publisher's uplink is and tells everybody, itself included, if that is news (spec §5.13).
// Before the first judgement the level counts as 0, so that no application takes it for a loss.
func setQuality(t *turn, c SetQuality) {
	me := t.active(c.Connection)
	switch {
	case me == nil:
		t.fail(unknownConnection(t, c.Connection))
		return
	case c.Level < 0 || c.Level > maxQuality:
		t.fail(fault.New(fault.Invalid, "level %d is not from 0 to %d", c.Level, maxQuality))
		return
	case me.Stream == nil || me.Stream.Phase == Publishing:
		t.fail(notPublishing(me.ID))
		return
	}
	if me.Quality == nil || *me.Quality != c.Level {
		old := 0
		if me.Quality != nil {
			old = *me.Quality
		}
		me.Quality = new(c.Level)
		t.notify(QualityChanged{Connection: me.ID, Old: old, New: c.Level}, t.joined("")...)
		t.happened(me, event.QualityChanged{Old: old, New: c.Level})
	}
	t.reply(nil)
}

// measured is the frame rate of a publisher's video as the media node sees it.
type measured struct {
	Endpoint  string
	FrameRate int
}

func (measured) command() {}

// measure takes it over for those who join, for REST and for what is told of the stream; nobody is told now.
func measure(t *turn, c measured) {
	me := t.active(c.Endpoint)
	if me == nil || me.Stream == nil || !me.Stream.Media.HasVideo || c.FrameRate <= 0 || me.Stream.Media.FrameRate == c.FrameRate {
		return
	}
	me.Stream.Media.FrameRate = c.FrameRate
	t.save()
}
