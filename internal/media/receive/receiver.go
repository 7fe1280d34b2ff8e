package receive

import (
	"encoding/binary"
	"strings"
	"time"

	"tertulia/internal/media"
	"tertulia/internal/media/codec"
)

// quietGap is how long a stream may send nothing before a jump in its numbers is believed at once, and before what
// was lost meanwhile is not worth asking for.
const quietGap = media.Time(2 * time.Second)

// Config describes a stream. Track, SSRC and PayloadType are required.
type Config struct {
	Track          *media.Track
	SSRC           uint32
	RTXSSRC        uint32 // 0: none, or not known yet
	PayloadType    uint8
	RTXPayloadType uint8
	NACK           bool // the publisher resends on request
	PLI, FIR       bool // how it is asked for a key frame; PLI is preferred
	CachePackets   int  // a power of two, at most 16384; 0: 1024 for video, 128 for audio
	// Wanting is called when something comes to be wanted of the publisher: Feedback should be called soon. It may be
	// nil, and must not call back.
	Wanting func()
}

// Receiver is a media.Source: the caller makes it the track's with Track.SetSource. Until then, and once another has
// taken over, it keeps its books but publishes nothing.
type Receiver struct {
	track *media.Track
	cfg   Config
	codec string // as codec.Keyframe wants it

	sequence sequence
	cache    cache
	losses   losses
	keyframe keyframeRequest
	clock    clock
	quality  quality
	pictures pictures
	last     media.Time // arrival of the latest packet of the original SSRC
	packet   media.Packet
	stats    Stats
}

// New makes a receiver. A cache size that is not a power of two is rounded up.
func New(cfg Config) *Receiver {
	r := &Receiver{track: cfg.Track, cfg: cfg, codec: strings.ToUpper(cfg.Track.Codec.Name)}
	r.cache = newCache(cfg.CachePackets, cfg.Track.Kind)
	r.sequence.window = uint64(len(r.cache.slots))
	r.quality.clockRate = int64(cfg.Track.Codec.ClockRate)
	if cfg.Wanting == nil {
		r.cfg.Wanting = func() {}
	}
	if cfg.NACK {
		r.losses = newLosses()
	}
	return r
}

// LearnRTX says which SSRC the retransmissions have, when it is found out after New.
func (r *Receiver) LearnRTX(ssrc uint32) {
	if ssrc != r.cfg.SSRC {
		r.cfg.RTXSSRC = ssrc
	}
}

// RTP takes a decrypted packet of either SSRC. It is valid during the call only. An error says that the packet is not
// of this stream or not RTP; late, doubled and suspicious packets are dropped and counted without one.
func (r *Receiver) RTP(now media.Time, raw []byte) error {
	h, err := media.ParseHeader(raw)
	if err != nil {
		r.stats.Malformed++
		return err
	}
	switch {
	case h.SSRC == r.cfg.SSRC && h.PayloadType == r.cfg.PayloadType:
		r.original(now, h, raw)
		return nil
	case h.SSRC == r.cfg.RTXSSRC && h.PayloadType == r.cfg.RTXPayloadType && h.SSRC != 0:
		return r.retransmission(now, h, raw)
	}
	r.stats.Foreign++
	return media.ErrForeign
}

// original takes a packet of the stream's own SSRC.
func (r *Receiver) original(now media.Time, h media.Header, raw []byte) {
	before := r.sequence.highest
	quiet := r.sequence.started && now-r.last > quietGap
	sequence, verdict := r.sequence.extend(h.Sequence, quiet)
	switch verdict {
	case suspicious:
		r.stats.Suspicious++
		return
	case restarted:
		r.restart()
	case ahead:
		r.gap(now, before+1, sequence, quiet)
	}
	r.last = now
	r.stats.Largest = max(r.stats.Largest, len(raw))
	r.quality.arrived(now, h.Timestamp, verdict != behind)
	r.take(now, h, sequence, raw, raw[h.HeaderLen:])
}

// retransmission restores the original of an RTX packet (RFC 4588 §4): its payload begins with the original sequence
// number, everything else of the header is the original's. It never counts as received: the report is about the
// original SSRC.
func (r *Receiver) retransmission(now media.Time, h media.Header, raw []byte) error {
	end := len(raw) - h.PaddingLen
	switch {
	case end == h.HeaderLen:
		r.stats.Padding++ // a bandwidth probe
		return nil
	case end < h.HeaderLen+2:
		r.stats.Malformed++
		return media.ErrTruncated
	}
	sequence, ok := r.sequence.near(binary.BigEndian.Uint16(raw[h.HeaderLen:]))
	if !ok || sequence > r.sequence.highest {
		r.stats.Stray++
		return nil
	}
	if r.losses.found(sequence, now, true) {
		r.stats.Recovered++
	}
	h.Sequence, h.SSRC, h.PayloadType = uint16(sequence), r.cfg.SSRC, r.cfg.PayloadType
	r.take(now, h, sequence, raw, raw[h.HeaderLen+2:])
	return nil
}

// take caches a packet not seen before and publishes it. The body is what follows the header in the original, padding
// included.
func (r *Receiver) take(now media.Time, h media.Header, sequence uint64, packet, body []byte) {
	if r.cache.seen(sequence) {
		r.stats.Duplicates++
		return
	}
	r.losses.found(sequence, now, false)
	raw := r.cache.put(now, sequence, h, packet[:h.HeaderLen], body)
	p := &r.packet
	*p = media.Packet{
		Raw: raw, Payload: payload(raw, h), Sequence: sequence, Timestamp: h.Timestamp, Marker: h.Marker, Arrival: now,
	}
	if r.track.Kind == media.Audio {
		p.Keyframe, p.Level = true, level(h, r.track.AudioLevelExt)
	} else {
		p.Keyframe = codec.Keyframe(r.codec, p.Payload)
	}
	r.stats.Packets++
	r.stats.Octets += uint64(len(p.Payload))
	if len(p.Payload) == 0 {
		r.stats.Padding++
	} else {
		r.stats.Latest = now
		if r.track.Kind == media.Video {
			r.pictures.arrived(now, h.Timestamp)
		}
	}
	if p.Keyframe && r.track.Kind == media.Video {
		r.stats.Keyframes++
		r.keyframe.arrived()
	}
	if r.track.Source() == media.Source(r) {
		r.track.Publish(p)
	}
}

// payload has one byte of padding in its capacity, unless the publisher's own follows.
func payload(raw []byte, h media.Header) []byte {
	if h.PaddingLen == 0 {
		return raw[h.HeaderLen:]
	}
	end := len(raw) - h.PaddingLen
	return raw[h.HeaderLen:end:end]
}

func level(h media.Header, extension uint8) uint8 {
	if extension != 0 {
		if b := h.Extension(extension); len(b) > 0 {
			return b[0]
		}
	}
	return media.Silence
}

// gap notes that [from, to) has not arrived. What cannot be asked for again is made up for by a key frame.
func (r *Receiver) gap(now media.Time, from, to uint64, quiet bool) {
	if from == to || !r.cfg.NACK {
		return
	}
	if quiet || !r.losses.add(now, from, to) {
		r.losses.clear()
		r.needKeyframe()
		return
	}
	r.cfg.Wanting()
}

// restart begins anew with a stream whose numbers have jumped. Sinks rebase as if the source had changed.
func (r *Receiver) restart() {
	r.stats.Restarts++
	r.losses.clear()
	r.quality.restart()
	if r.track.Source() == media.Source(r) {
		r.track.Renew()
	}
}

// Cached implements media.Source.
func (r *Receiver) Cached(sequence uint64) (raw []byte, ok bool) { return r.cache.get(sequence) }
