package diagnosis

import (
	"slices"

	"tertulia/internal/wire/mediactl"
)

// What a viewer has not heard of, by its receiver reports. Browsers report on video every 0.5 to 1.5 s, on sound every 2.5
// to 7.5 s, and no more on what has not come for 8 s: sound that stops is named within 10 s only if the first report
// that lacks much of it counts, or the absence of the next.
const (
	stuckAfter      = 3.0    // seconds that a report lacks of a track: longer than networks pause
	stuckLeast      = 25     // packets of it
	soundStuckAfter = 0.8    // seconds of sound, if video came meanwhile
	unsureAfter     = 0.5    // seconds of sound, if the next report does not come
	stillVideo      = 0.5    // seconds after which a report on video tells that the network does not pause
	videoRate       = 10     // packets per second, of video that comes all the time
	soundRate       = 50     // the same of words
	firstReported   = 13_000 // milliseconds of packets after which sound is reported on for the first time, though one report was lost
	soundReported   = 7800   // milliseconds within which sound is reported as long as it comes
	videoReported   = 2500   // the same of video
	onTheWay        = 1000   // milliseconds that packets and the report of them may take
	reportsWithin   = 9      // seconds that it is worth to wait for a report that tells
	tellingAfter    = 2.5    // seconds after something began to be lost that a report of another track tells
)

// stuck returns how many packets of a track we send its viewer had not heard of when it last reported, 0 if it was not
// behind.
func (e *Endpoint) stuck(kind string) int64 {
	rate, behind := e.lag(kind)
	if behind < stuckLeast || late(e) {
		return 0
	}
	r := e.track(kind, true).Report
	if behind >= (stuckAfter+trip(r))*rate && e.overdue(kind) || kind == "audio" && r.Trip > 0 && soundStuck(e, behind/max(rate, soundRate)-trip(r)) {
		return int64(behind)
	}
	return 0
}

// late says that the viewer's latest reports were long under way: it has too much to do, or its line too much to carry, and
// what it lacks is lost there.
func late(e *Endpoint) bool {
	return slices.ContainsFunc(e.Facts.Tracks, func(t mediactl.TrackFacts) bool { return t.Sends && max(t.Report.Trip, t.Former.Trip) >= onTheWay })
}

// trip is how many seconds of packets a report cannot know of, since they and it were under way; where that is not known,
// as many as there may be.
func trip(r mediactl.Report) float64 {
	if r.Trip == 0 {
		return onTheWay / 1000.0
	}
	return float64(r.Trip) / 1000
}

// lag returns at what rate a track is sent, packets per second, and how many of those sent when the viewer last reported
// it had not heard of; zeros where nothing is known.
func (e *Endpoint) lag(kind string) (rate, behind float64) {
	t := e.track(kind, true)
	c, ok := e.change(kind, true)
	if t == nil || !ok || c.ms == 0 || c.packets == 0 {
		return 0, 0
	}
	return c.packets / (float64(c.ms) / 1000), lacks(t.Report)
}

// lacks is how many of the packets sent when it came a report does not know of.
func lacks(r mediactl.Report) float64 {
	if r.Age < 0 || r.Heard < 0 {
		return 0
	}
	return float64(int64(r.Sent) - r.Heard)
}

// behind is the same in seconds.
func (e *Endpoint) behind(kind string) float64 {
	rate, behind := e.lag(kind)
	if rate == 0 {
		return 0
	}
	return behind / rate
}

// overdue says that the latest report does not know of packets that were counted well before it was made. A rate alone
// misleads: a screen that changes after a rest sends in a moment what the next report will tell of.
func (e *Endpoint) overdue(kind string) bool {
	t := e.track(kind, true)
	for _, past := range slices.Backward(e.Past) {
		if b := trackOf(past.Tracks, kind, true); b != nil && e.Read-past.At >= t.Report.Age+onTheWay {
			return int64(b.Packets)-t.Report.Heard >= stuckLeast
		}
	}
	return len(e.Past) >= maxPast // the report is older than all that is remembered: no other has come since
}

// soundStuck says the same of sound, of which the latest report lacks some seconds, as soon as it is sure: because video
// came in that time, which it does not where the network pauses, or because the report that was due next does not come
// although video is reported.
func soundStuck(e *Endpoint, lost float64) bool {
	audio, video := e.track("audio", true), e.track("video", true)
	if video == nil || video.Reports == 0 {
		return false
	}
	if audio.Report.Age >= soundReported && !older(video.Report.Age, videoReported) {
		return lost >= unsureAfter
	}
	until := audio.Report.Age + audio.Report.Trip
	return lost >= soundStuckAfter && sawVideo(e, until+int64(1000*(lost-stillVideo)), until)
}

// sawVideo says that a report knows of video that was sent between two times ago, in milliseconds: that it lacks less than a
// pause of the network would have kept from it. Two reports may come between two readings.
func sawVideo(e *Endpoint, since, until int64) bool {
	rate, _ := e.lag("video")
	if rate < videoRate {
		return false
	}
	for _, past := range e.Past {
		video := trackOf(past.Tracks, "video", true)
		if video == nil {
			continue
		}
		for _, r := range []mediactl.Report{video.Report, video.Former} {
			sent := e.Read - past.At + r.Age + r.Trip
			if r.Trip > 0 && r.Heard >= 0 && sent <= since && sent >= until && lacks(r) < rate*(stillVideo/2+trip(r)) {
				return true
			}
		}
	}
	return false
}

// lostFor is for how many seconds nothing of a track we send has arrived.
func (e *Endpoint) lostFor(kind string) float64 {
	return e.behind(kind) + float64(max(e.track(kind, true).Report.Age, 0))/1000
}

// hears says that the viewer was not behind with a track we send, by a report that it made well after something else
// began to be lost, so many seconds ago.
func (e *Endpoint) hears(kind string, seconds float64) bool {
	t := e.track(kind, true)
	return t != nil && t.Reports > 0 && float64(t.Report.Age)/1000 <= seconds-tellingAfter && e.behind(kind) < stuckAfter/2
}

// unheard says that the viewer reports on another track and has never done so on this one, of which so much was sent that
// the first report on sound should have come, even if it was as long under way as the other's.
func (e *Endpoint) unheard(kind string) bool {
	t := e.track(kind, true)
	c, ok := e.change(kind, true)
	if t == nil || !ok || t.Reports > 0 || c.packets < 2*stuckLeast {
		return false
	}
	sent := float64(t.Packets) * float64(c.ms) / c.packets // milliseconds
	for _, other := range kinds {
		if o := e.track(other, true); other != kind && o != nil && o.Reports > 0 && !older(o.Report.Age, 4000) {
			return sent >= firstReported+1000*trip(o.Report)
		}
	}
	return false
}
