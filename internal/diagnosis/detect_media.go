package diagnosis

import (
	"fmt"
	"strings"

	"tertulia/internal/wire/mediactl"
)

// Thresholds of media.
const (
	mutedAfter  = 5500 // milliseconds without a packet of a track that is announced as active
	turnedOnFor = 3500 // milliseconds that a track may take that was turned on again; that it was is seen up to 3 s late
	largeSize   = 1000 // bytes: video in order has packets above it
	hardlyLost  = 0.05 // of a track that suffers no loss
	holeLoss    = 0.10 // of video through a hole that small packets pass
)

var kinds = []string{"audio", "video"}

// mtuBlackHole: video's large packets vanish while sound, and small packets of the video, come through. Key frames are
// large: they are asked for and never arrive.
func mtuBlackHole(v *View, e *Endpoint) *Finding {
	if f := largeLostOnTheWayIn(v, e); f != nil {
		return f
	}
	return largeLostOnTheWayOut(v, e)
}

func largeLostOnTheWayIn(v *View, e *Endpoint) *Finding {
	video, audio := e.track("video", false), e.track("audio", false)
	if video == nil || !e.Announced.active("video") || v.connected(e) < mutedAfter {
		return nil
	}
	sound := audio != nil && !older(audio.Latest, 2000)
	if older(video.Latest, 3000) { // not even a small packet: that it is sent, the client must say
		if !sound || !v.expects(e, "video") || !e.claims("video") && !v.Clues.sends("video", v.Now) {
			return nil
		}
		return v.hole(e, video, "The client says that it sends video, and no packet of it comes, while its sound does.")
	}
	c, ok := e.change("video", false)
	if !ok || c.lost+c.packets == 0 {
		return nil
	}
	share, mean := c.lost/(c.lost+c.packets), c.octets/max(c.packets, 1)
	never := video.Largest < largeSize
	starved := c.keyframes == 0 && c.asked >= 2 || video.Keyframes == 0
	if share < holeLoss || !starved || mean >= largeSize || !never && !sound {
		return nil
	}
	if a, ok := e.change("audio", false); ok && a.lost > hardlyLost*(a.lost+a.packets) {
		return nil // everything is lost alike
	}
	return v.hole(e, video, fmt.Sprintf("%.0f %% of the video's packets were lost in %s, what came has %.0f bytes on average, and none of %.0f key frames asked for; its sound loses nothing.",
		100*share, seconds(c.ms), mean, c.asked))
}

func largeLostOnTheWayOut(v *View, e *Endpoint) *Finding {
	video, audio := e.track("video", true), e.track("audio", true)
	c, ok := e.change("video", true)
	if video == nil || audio == nil || !ok || video.Largest < largeSize || c.packets == 0 {
		return nil
	}
	a, ok := e.change("audio", true)
	if !ok || e.stuck("audio") > 0 || a.reports > 0 && a.lost > hardlyLost*max(a.heard, 1) {
		return nil
	}
	lost := float64(video.Fraction) / 256
	if e.stuck("video") > 0 && c.octets/c.packets >= largeSize*0.8 {
		if !e.hears("audio", e.lostFor("video")) {
			return nil // it may be that nothing arrives
		}
		lost = 1
	}
	if lost < holeLoss || c.asked < 2 || e.sourceLoss("video") >= hardlyLost {
		return nil
	}
	return v.hole(e, video, fmt.Sprintf("The viewer reports %.0f %% of the video lost and asked for %.0f key frames in %s; its sound loses nothing. Packets of up to %d bytes were sent.",
		100*lost, c.asked, seconds(c.ms), video.Largest))
}

func (v *View) hole(e *Endpoint, t *mediactl.TrackFacts, evidence string) *Finding {
	found := &Finding{Code: MTUBlackHole, Stream: e.Stream, Evidence: []string{evidence}}
	if !t.Sends && t.Largest > 0 && t.Largest < largeSize {
		found.Evidence = append(found.Evidence, fmt.Sprintf("No packet of more than %d bytes has ever come.", t.Largest))
	}
	return found
}

// audioOneWay: packets of one direction are dropped, those of the other are not.
func audioOneWay(v *View, e *Endpoint) *Finding {
	if !e.alive() {
		return nil // nothing comes from there either
	}
	if found, sure := e.deaf(); found != nil || !sure {
		return found
	}
	return v.mute(e)
}

// deaf says what of the tracks we send does not arrive: one of them, or all, which is the way back as a whole. It is not
// sure while the report that would tell about another track is still to come.
func (e *Endpoint) deaf() (found *Finding, sure bool) {
	var lost, kept []string
	var missing int64
	for _, kind := range kinds {
		if n := e.stuck(kind); n > 0 {
			lost, missing = append(lost, kind), missing+n
		} else if e.unheard(kind) {
			lost, missing = append(lost, kind), missing+int64(e.track(kind, true).Packets)
		} else if t := e.track(kind, true); t != nil && t.Packets > 0 {
			kept = append(kept, kind)
		}
	}
	if lost == nil {
		return nil, true
	}
	since := e.lostFor(lost[0])
	for _, kind := range kept {
		if e.track(lost[0], true).Reports > 0 && since < reportsWithin && !e.hears(kind, since) {
			return nil, false
		}
	}
	kind := strings.Join(lost, " and ")
	evidence := fmt.Sprintf("%s was sent; by its reports the participant has not heard of the latest %d packets, while its own packets reach us.", kind, missing)
	if len(lost) > 1 {
		return &Finding{Code: ReturnPathBlocked, Evidence: []string{evidence}}, true
	}
	return &Finding{Code: AudioOneWay, Stream: e.Stream, Fill: map[string]string{"kind": kind}, Evidence: []string{evidence}}, true
}

// mute is the other direction: the client's checks come and what it sends does not.
func (v *View) mute(e *Endpoint) *Finding {
	if v.connected(e) < mutedAfter || e.Publisher != "" {
		return nil
	}
	var kept []string
	for _, kind := range kinds {
		t := e.track(kind, false)
		if t == nil || !v.expects(e, kind) {
			continue
		}
		if !older(t.Latest, mutedAfter) {
			return nil // the camera or the microphone, then
		}
		if e.claims(kind) || v.Clues.sends(kind, v.Now) || t.Packets > 0 && older(e.Facts.Heard, mutedAfter) {
			kept = append(kept, kind)
		}
	}
	if kept == nil {
		return nil
	}
	kind := strings.Join(kept, " and ")
	return &Finding{Code: AudioOneWay, Stream: e.Stream, Fill: map[string]string{"kind": kind}, Evidence: []string{
		fmt.Sprintf("Checks come, the latest %s ago; no %s and no report has come for %s.", seconds(e.Facts.Consent), kind, seconds(e.Facts.Heard)),
	}}
}

// expects says that packets of a kind should have come from a publisher lately: it is announced, was not turned on again
// just now, and is no screen, which sends nothing while it does not change.
func (v *View) expects(e *Endpoint, kind string) bool {
	t := e.track(kind, false)
	return t != nil && e.Announced.active(kind) && v.Now-e.turnedOn[kind] >= turnedOnFor &&
		!(kind == "video" && e.Announced.Screen && t.Packets > 0)
}

// resting says that a track of a stream delivers nothing although it should; for how long, in milliseconds.
func (e *Endpoint) resting(v *View, kind string) (ms int64, ever, rests bool) {
	t := e.track(kind, false)
	if !v.expects(e, kind) {
		return 0, false, false
	}
	if t.Packets == 0 {
		since := v.connected(e)
		return since, false, since >= mutedAfter
	}
	return t.Latest, true, older(t.Latest, mutedAfter)
}

func noMediaSent(v *View, e *Endpoint) *Finding {
	if e.Publisher != "" || v.connected(e) < mutedAfter || !e.alive() {
		return nil
	}
	var missing, evidence []string
	for _, kind := range kinds {
		ms, ever, rests := e.resting(v, kind)
		switch {
		case rests && ever:
			missing, evidence = append(missing, kind), append(evidence, fmt.Sprintf("No RTP of %s has come for %s.", kind, seconds(ms)))
		case rests:
			missing, evidence = append(missing, kind), append(evidence, fmt.Sprintf("Connected for %s, and no RTP of %s has ever come.", seconds(ms), kind))
		}
	}
	if missing == nil {
		return nil
	}
	kind := strings.Join(missing, " and ")
	evidence = append(evidence, "The stream is announced with "+kind+" as active.")
	return &Finding{Code: NoMediaSent, Stream: e.Stream, Evidence: evidence, Fill: map[string]string{"kind": kind}}
}

func sourceSilent(v *View, e *Endpoint) *Finding {
	s := e.Source
	if e.Publisher == "" || s == nil || v.connected(e) < mutedAfter || !e.alive() {
		return nil
	}
	var missing []string
	for _, kind := range kinds {
		if e.track(kind, true) == nil || !s.Announced.active(kind) {
			continue
		}
		if s.Facts.State != "connected" && (s.Connected != 0 || s.Facts.Age >= mutedAfter) {
			missing = append(missing, kind)
		} else if _, _, rests := s.resting(v, kind); rests {
			missing = append(missing, kind)
		}
	}
	if missing == nil {
		return nil
	}
	return &Finding{
		Code: SourceSilent, Stream: e.Stream, Fill: map[string]string{"publisher": e.Publisher},
		Evidence: []string{fmt.Sprintf("The subscription is connected; %s of %s has not reached the server for %s or more. Its publisher's transport is %q.",
			strings.Join(missing, " and "), e.Publisher, seconds(mutedAfter), s.Facts.State)},
	}
}
