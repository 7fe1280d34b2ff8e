package peer

import (
	"fmt"
	"slices"
	"strings"

	"tertulia/internal/media"
	"tertulia/internal/media/sdp"
)

// plan is what we will do with each section of an offer; the lists are parallel to its sections.
type plan struct {
	endpoint *Endpoint
	offer    *sdp.Description
	media    []sdp.Media
	sections []*section // nil where nothing flows
}

// publishable tells which sections of an offer carry what the client publishes. Clients of 2.18 add trackless sections
// ("a=msid:- …", or none) beside the real ones: when any section is in a stream, only those count; else, when any
// declares a source, only those; else all (spec openvidu-signaling §6.2).
func publishable(d *sdp.Description) func(*sdp.Section) bool {
	streamed := func(s *sdp.Section) bool { return s.StreamID != "" && s.StreamID != "-" }
	declared := func(s *sdp.Section) bool { return len(s.Streams) > 0 || len(s.RIDs) > 0 }
	for _, rule := range []func(*sdp.Section) bool{streamed, declared} {
		if slices.ContainsFunc(d.Sections, func(s sdp.Section) bool { return s.Secure() && rule(&s) }) {
			return rule
		}
	}
	return func(*sdp.Section) bool { return true }
}

// publish accepts the first publishable section of a kind that sends, and keeps the others inactive.
func (p *plan) publish(kind string, o PublishOptions) {
	publishes := publishable(p.offer)
	taken := false
	for i := range p.offer.Sections {
		s := &p.offer.Sections[i]
		if s.Kind != kind || !p.acceptable(i) {
			continue
		}
		existing := find(o.Tracks, kind)
		codec, ok := choose(s, existing, o.Video)
		switch {
		case taken || !s.Direction.Sends() || !publishes(s):
			p.inactive(i)
		case !ok:
			// Rejected: the other kind still flows.
		default:
			p.receive(i, codec, existing, o)
			taken = true
		}
	}
}

// choose keeps the codec of a track that has subscribers already.
func choose(s *sdp.Section, existing *media.Track, allowed []string) (sdp.Codec, bool) {
	if existing != nil {
		return s.Match(existing.Codec.Name, existing.Codec.Fmtp)
	}
	return s.Choose(allowed)
}

func (p *plan) receive(i int, codec sdp.Codec, existing *media.Track, o PublishOptions) {
	s, e := &p.offer.Sections[i], p.endpoint
	sec := newSection(e, s, codec)
	sec.track = existing
	if existing == nil {
		sec.track = trackOf(e.shard, s.Kind, sec.codec)
	}
	m := sdp.Media{Direction: sdp.RecvOnly, Codec: codec}
	if s.Kind == "video" {
		m.Kbps = o.MaxKbps
	}
	if o.Loopback && s.Direction.Receives() {
		m.Direction, m.Send = sdp.SendRecv, stream(e, codec)
		sec.source, sec.send = sec.track, m.Send
	}
	p.media[i], p.sections[i] = m, sec
}

// subscribe sends the track of the section's kind, once.
func (p *plan) subscribe(i int, tracks []*media.Track) {
	s := &p.offer.Sections[i]
	if !p.acceptable(i) {
		return
	}
	track := find(tracks, s.Kind)
	if track == nil || !s.Direction.Receives() || p.serves(track) {
		p.inactive(i)
		return
	}
	codec, ok := s.Match(track.Codec.Name, track.Codec.Fmtp)
	if !ok {
		return
	}
	sec := newSection(p.endpoint, s, codec)
	sec.source, sec.send = track, stream(p.endpoint, codec)
	p.media[i] = sdp.Media{Direction: sdp.SendOnly, Codec: codec, Send: sec.send}
	p.sections[i] = sec
}

func (p *plan) serves(track *media.Track) bool {
	for _, sec := range p.sections {
		if sec != nil && sec.source == track {
			return true
		}
	}
	return false
}

func (p *plan) acceptable(i int) bool {
	s := &p.offer.Sections[i]
	return s.Secure() && !s.Rejected && p.offer.Bundled(i)
}

// inactive keeps a section in the transport without media; without any known codec it stays rejected.
func (p *plan) inactive(i int) {
	if codec, ok := p.offer.Sections[i].Choose(nil); ok {
		p.media[i] = sdp.Media{Direction: sdp.Inactive, Codec: codec}
	}
}

// lacksVideo reports whether the client would send video and none is taken.
func (p *plan) lacksVideo() bool {
	offered := false
	for i := range p.offer.Sections {
		if p.sections[i] != nil && p.sections[i].kind == "video" {
			return false
		}
		s := &p.offer.Sections[i]
		offered = offered || s.Kind == "video" && p.acceptable(i) && s.Direction.Sends()
	}
	return offered
}

// lacksTrack reports whether the client would receive a track, nil for none, and is not sent it.
func (p *plan) lacksTrack(track *media.Track) bool {
	if track == nil || p.serves(track) {
		return false
	}
	for i := range p.offer.Sections {
		if s := &p.offer.Sections[i]; s.Kind == track.Kind.String() && p.acceptable(i) && s.Direction.Receives() {
			return true
		}
	}
	return false
}

// collision finds an SSRC that two of the sources we take have in common: their packets could not be told apart.
func (p *plan) collision() (ssrc uint32, twice bool) {
	used := map[uint32]bool{0: false}
	for i, sec := range p.sections {
		if sec == nil || len(p.offer.Sections[i].Streams) == 0 {
			continue
		}
		st := p.offer.Sections[i].Streams[0]
		for _, ssrc := range []uint32{st.SSRC, st.RTX} {
			if used[ssrc] {
				return ssrc, true
			}
			used[ssrc] = ssrc != 0
		}
	}
	return 0, false
}

func (p *plan) flows() bool {
	for _, sec := range p.sections {
		if sec != nil {
			return true
		}
	}
	return false
}

// offered names what the client offered, for the error it gets.
func (p *plan) offered() string {
	var parts []string
	for i := range p.offer.Sections {
		s := &p.offer.Sections[i]
		parts = append(parts, fmt.Sprintf("%s %s %v", s.Kind, s.Direction, s.Names()))
	}
	return strings.Join(parts, "; ")
}
