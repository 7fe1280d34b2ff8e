package receive

import "tertulia/internal/media"

// State is what a track's sinks ask of it between packets. It travels to another shard with each of them.
type State struct {
	generation    uint32
	audioLevelExt uint8
	clock         clock
}

// StateOf reads a track, on the shard that owns it.
func StateOf(t *media.Track) State {
	s := State{generation: t.Generation, audioLevelExt: t.AudioLevelExt}
	if source := t.Source(); source != nil {
		s.clock.ntp, s.clock.rtp, s.clock.arrival, s.clock.known = source.ClockAt()
	}
	return s
}

// Mirror is the media.Source of a track that repeats one of another shard: it caches what the receiver there has
// published, so that what viewers here lose is repaired here.
type Mirror struct {
	track   *media.Track
	request func()
	cache   cache
	state   State
	packet  media.Packet
}

// NewMirror makes a source and feeds track with it. So many packets are cached, as in Config; request asks the track
// that is repeated for a key frame.
func NewMirror(track *media.Track, cachePackets int, request func()) *Mirror {
	m := &Mirror{track: track, request: request, cache: newCache(cachePackets, track.Kind)}
	track.SetSource(m)
	return m
}

// Take publishes a packet that the other track's sinks were given, with the state the track was in. Its bytes are
// copied. It counts as arrived now: times on a shard never go back.
func (m *Mirror) Take(now media.Time, p *media.Packet, s State) {
	h, err := media.ParseHeader(p.Raw)
	if err != nil {
		return // it was parsed when it came
	}
	if s.generation != m.state.generation {
		clear(m.cache.slots) // the numbers begin anew
		m.track.SetSource(m)
	}
	m.state = s
	m.track.AudioLevelExt = s.audioLevelExt
	raw := m.cache.put(now, p.Sequence, h, p.Raw[:h.HeaderLen], p.Raw[h.HeaderLen:])
	m.packet = media.Packet{
		Raw: raw, Payload: payload(raw, h), Sequence: p.Sequence, Timestamp: p.Timestamp,
		Marker: p.Marker, Keyframe: p.Keyframe, Level: p.Level, Arrival: now,
	}
	m.track.Publish(&m.packet)
}

// RequestKeyframe implements media.Source; the receiver throttles.
func (m *Mirror) RequestKeyframe(media.Time) {
	if m.track.Kind == media.Video {
		m.request()
	}
}

// Cached implements media.Source.
func (m *Mirror) Cached(sequence uint64) (raw []byte, ok bool) { return m.cache.get(sequence) }

// ClockAt implements media.Source.
func (m *Mirror) ClockAt() (ntp uint64, rtp uint32, arrival media.Time, ok bool) {
	c := m.state.clock
	return c.ntp, c.rtp, c.arrival, c.known
}
