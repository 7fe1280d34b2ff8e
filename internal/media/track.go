package media

import "slices"

// Kind is audio or video.
type Kind uint8

const (
	Audio Kind = iota + 1
	Video
)

func (k Kind) String() string {
	switch k {
	case Audio:
		return "audio"
	case Video:
		return "video"
	}
	return "unknown"
}

// Time is a monotonic clock reading in nanoseconds, read once per batch by the shard.
type Time int64

// Codec is what a track carries.
type Codec struct {
	Name      string // "VP8", "VP9", "H264", "AV1", "opus": as in the rtpmap
	ClockRate uint32
	Channels  uint16 // audio
	Fmtp      string // "profile-level-id=42e01f;packetization-mode=1"
}

// Packet is one received RTP packet of a media stream (never RTX), decrypted and parsed. Sinks read it during the
// call only; the bytes belong to the receive cache.
type Packet struct {
	Raw       []byte // the whole RTP packet, header included
	Payload   []byte // Raw without header, extensions and padding; empty for padding-only packets
	Sequence  uint64 // extended: the 16 bits of the header with a rollover count above
	Timestamp uint32
	Marker    bool
	Keyframe  bool  // first packet of a key frame (video), or audio
	Level     uint8 // audio: what the publisher says of its loudness (RFC 6464), Silence if it does not
	Padded    bool  // the last byte of Payload is RTP padding, which level has added
	Arrival   Time
}

// Silence is the level of audio whose publisher does not say (RFC 6464 §3: −127 dBov, no voice).
const Silence = 127

// Sink takes the packets of a track, in bursts. Every call is made by the shard that owns both.
type Sink interface {
	Forward(burst []Packet)
}

// Source is a receiver as seen from a track's sinks.
type Source interface {
	// RequestKeyframe asks the sender for a key frame; it is throttled there.
	RequestKeyframe(now Time)
	// Cached returns the packet of an extended sequence number if it is still cached, for RTX.
	Cached(sequence uint64) (raw []byte, ok bool)
	// ClockAt maps the source's latest sender report: NTP time (64 bits) and RTP timestamp; ok is false before one.
	ClockAt() (ntp uint64, rtp uint32, arrival Time, ok bool)
}

// Track is one published media line. It outlives the receiver that feeds it: a publisher that reconnects attaches a
// new source to the same track and its subscribers go on.
type Track struct {
	Kind  Kind
	Codec Codec
	// Turn is the shard's: it collects what is published until it is flushed. Without one every packet goes out at once.
	Turn *Turn
	// AudioLevelExt is the id of the audio level extension in the packets, 0 without (RFC 6464).
	AudioLevelExt uint8
	// Shard is the index of the one that owns the track: its publisher is there. It never changes.
	Shard int
	// Generation counts sources, and the times that one began anew with other sequence numbers; a sink that sees it
	// change rebases its own, and its timestamps.
	Generation uint32

	source  Source
	sinks   []Sink
	mirrors []Sink   // on other shards
	burst   []Packet // published in this turn
	crossed int      // of burst: what the mirrors have been given
	waiting bool     // in Turn's list
}

// SetSource makes s feed the track; nil leaves it without.
func (t *Track) SetSource(s Source) {
	t.Renew()
	t.source = s
}

// Renew tells the sinks that other sequence numbers begin with the next packet.
func (t *Track) Renew() {
	t.Flush() // what came before belongs to the old ones
	t.Generation++
}

// Source returns what feeds the track, nil if nothing does.
func (t *Track) Source() Source { return t.source }

// Attach adds a sink, once.
func (t *Track) Attach(s Sink) { t.sinks = with(t.sinks, s) }

// Detach removes a sink; it may be called by a sink being forwarded to.
func (t *Track) Detach(s Sink) { t.sinks = without(t.sinks, s) }

// Mirror adds a sink, once, that passes everything on to another shard: it comes before the others.
func (t *Track) Mirror(s Sink) { t.mirrors = with(t.mirrors, s) }

// Unmirror removes it.
func (t *Track) Unmirror(s Sink) { t.mirrors = without(t.mirrors, s) }

func with(sinks []Sink, s Sink) []Sink {
	if slices.Contains(sinks, s) {
		return sinks
	}
	return append(sinks, s)
}

// without makes a new list: the old one may be being read.
func without(sinks []Sink, s Sink) []Sink {
	i := slices.Index(sinks, s)
	if i < 0 {
		return sinks
	}
	return slices.Delete(slices.Clone(sinks), i, i+1)
}

// RequestKeyframe asks the source for a key frame.
func (t *Track) RequestKeyframe(now Time) {
	if t.source != nil {
		t.source.RequestKeyframe(now)
	}
}
