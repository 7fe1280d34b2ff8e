package media

// How many packets of a track wait at most. Their bytes stand in the receive cache meanwhile, whose smallest rings
// (64 KiB for video, 8 KiB for audio) must not go round.
const (
	maxBurst      = 16
	maxBurstAudio = 4
)

// Turn is what a shard has received and not sent yet. A viewer gets the packets of a turn one after the other: its keys
// and counters are fetched into the CPU's cache once, and what is of one size leaves in one system call.
type Turn struct {
	audio, video []*Track
}

// Cross gives what was published to mirrors, so that another shard can begin while this one is busy with its own viewers.
func (t *Turn) Cross() {
	for _, track := range t.audio {
		track.cross()
	}
	for _, track := range t.video {
		track.cross()
	}
}

// Flush hands over what was published, audio ahead of video: it is small, and delay is heard first.
func (t *Turn) Flush() {
	t.audio = flush(t.audio)
	t.video = flush(t.video)
}

// Empty reports whether nothing waits.
func (t *Turn) Empty() bool { return len(t.audio)+len(t.video) == 0 }

func (t *Turn) await(track *Track) {
	if track.Kind == Audio {
		t.audio = append(t.audio, track)
		return
	}
	t.video = append(t.video, track)
}

func flush(tracks []*Track) []*Track {
	for i, track := range tracks {
		track.waiting = false
		track.Flush()
		tracks[i] = nil
	}
	return tracks[:0]
}

// Publish gives a packet to every sink, with the others of the turn.
func (t *Track) Publish(p *Packet) {
	if len(t.sinks)+len(t.mirrors) == 0 {
		return
	}
	t.burst = append(t.burst, *p)
	limit := maxBurst
	if t.Kind == Audio {
		limit = maxBurstAudio
	}
	switch {
	case t.Turn == nil || len(t.burst) >= limit:
		t.Flush()
	case !t.waiting:
		t.waiting = true
		t.Turn.await(t)
	}
}

// Flush gives the sinks what was published since the last time.
func (t *Track) Flush() {
	if len(t.burst) == 0 {
		return
	}
	t.cross()
	level(t.burst)
	for _, s := range t.sinks {
		s.Forward(t.burst)
	}
	clear(t.burst)
	t.burst, t.crossed = t.burst[:0], 0
}

func (t *Track) cross() {
	if t.crossed == len(t.burst) {
		return
	}
	for _, s := range t.mirrors {
		s.Forward(t.burst[t.crossed:])
	}
	t.crossed = len(t.burst)
}

// level makes the packets of a frame equal in size. Browsers split a frame as evenly as they can, the shorter packets
// first; where the next is longer by one byte, one byte of RTP padding (RFC 3550 §5.1) makes them a run that UDP GSO
// takes whole. The byte stands behind the payload in the receive cache, within the slice's capacity.
func level(burst []Packet) {
	for i := len(burst) - 2; i >= 0; i-- {
		p, next := &burst[i], &burst[i+1]
		if n := len(p.Payload); n > 0 && n+1 == len(next.Payload) && n < cap(p.Payload) && p.Timestamp == next.Timestamp {
			p.Payload, p.Padded = p.Payload[:n+1], true
		}
	}
}
