package diagnosis

import (
	"slices"

	"tertulia/internal/wire/mediactl"
)

// What a viewer has not heard of, by its receiver reports. Browsers report on video every 0.5 to 1.5 s, on sound every 2.5
// to 7.5 s, and no more on what has not come for 8 s: sound that stops is named within 10 s only if the first report
// that lacks much of it counts, or the absence of the next.
const (
	stuckAfter      = 3.0  // seconds that a report lacks of a track: longer than networks pause
	stuckLeast      = 25   // packets of it
	soundStuckAfter = 0.8  // seconds of sound, if video came meanwhile
	unsureAfter     = 0.5  // seconds of sound, if the next report does not come
	stillVideo      = 0.5  // seconds after which a report on video tells that the network does not pause
	soundRate       = 50   // packets per second, of words
	soundReported   = 7800 // milliseconds within which sound is reported as long as it comes
	videoReported   = 2500 // the same of video
	onTheWay        = 1000 // milliseconds that packets and the report of them may take
	reportsWithin   = 9    // seconds that it is worth to wait for a report that tells
	tellingAfter    = 2.5  // seconds after something began to be lost that a report of another track tells
)

// stuck returns how many packets of a track we send its viewer had not heard of when it last reported, 0 if it was not
// behind.
func (e *Endpoint) stuck(kind string) int64 {
	rate, behind := e.lag(kind)
	if behind < stuckLeast {
		return 0
	}
	trip := float64(e.track(kind, true).RTT) / 1000 // a report lacks what is on its way
	if behind >= (stuckAfter+trip)*rate && e.overdue(kind) || kind == "audio" && soundStuck(e, behind/max(rate, soundRate)-trip) {
		return int64(behind)
	}
	return 0
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
	return lost >= soundStuckAfter && sawVideo(e, audio.Report.Age+int64(1000*(lost-stillVideo)), audio.Report.Age)
}

// sawVideo says that by a report between two ages, in milliseconds, the viewer lacked less video than a pause of the
// network would keep from it. Two reports may come between two readings.
func sawVideo(e *Endpoint, oldest, latest int64) bool {
	rate, _ := e.lag("video")
	for _, past := range e.Past {
		video := trackOf(past.Tracks, "video", true)
		if video == nil {
			continue
		}
		few := rate * (stillVideo/2 + float64(video.RTT)/1000)
		for _, r := range []mediactl.Report{video.Report, video.Former} {
			if age := e.Read - past.At + r.Age; r.Sent > 0 && age <= oldest && age >= latest && r.Heard >= 0 && lacks(r) < few {
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

// unheard says that the viewer reports on another track and has never done so on this one, of which much was sent.
func (e *Endpoint) unheard(kind string) bool {
	t := e.track(kind, true)
	c, ok := e.change(kind, true)
	if t == nil || !ok || t.Reports > 0 || c.packets < 2*stuckLeast || float64(t.Packets) < 8*c.packets/(float64(c.ms)/1000) {
		return false // 8 s of packets: sound alone is reported every 5 s
	}
	for _, other := range kinds {
		if o := e.track(other, true); other != kind && o != nil && o.Reports > 0 && !older(o.Report.Age, 4000) {
			return true
		}
	}
	return false
}
