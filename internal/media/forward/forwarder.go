package forward

import (
	"strings"

	"tertulia/internal/media"
)

// Config describes a viewer's stream. Track, SSRC, PayloadType and Send are required. Extensions are ids as this viewer
// negotiated them, 0 for none.
type Config struct {
	Track          *media.Track
	SSRC           uint32
	RTXSSRC        uint32 // 0: resend as is
	PayloadType    uint8
	RTXPayloadType uint8

	MID            string
	MIDExt         uint8
	AbsSendTimeExt uint8
	TransportCCExt uint8
	AudioLevelExt  uint8

	NextTransportSequence func() uint16 // transport-wide; nil: none
	NACK                  bool          // the viewer may ask for packets again

	Send   func(raw []byte) // takes plain RTP, valid during the call only
	Buffer []byte           // where packets are built; forwarders of one shard may share it. nil or too short: its own
}

// Forwarder is a media.Sink. The caller attaches it to the track with Track.Attach, and then asks for a key frame with
// KeyframeRequested, so that the viewer need not wait for a packet of a still picture.
type Forwarder struct {
	track *media.Track
	cfg   Config

	header, rtxHeader header
	buffer            []byte

	live       bool   // packets of this generation are being sent
	asked      bool   // a key frame of this generation was asked for
	generation uint32 // of the source that splice and pictures stand at
	splice     splice
	pictures   pictures
	resend     resend
	reports    reports
	stats      Stats
}

// New makes a forwarder that has sent nothing yet.
func New(cfg Config) *Forwarder {
	f := &Forwarder{track: cfg.Track, cfg: cfg, generation: cfg.Track.Generation}
	f.header = newHeader(&cfg, cfg.SSRC, cfg.PayloadType)
	f.rtxHeader = newHeader(&cfg, cfg.RTXSSRC, cfg.RTXPayloadType)
	f.splice.clockRate = int64(cfg.Track.Codec.ClockRate)
	f.pictures = newPictures(strings.ToUpper(cfg.Track.Codec.Name))
	f.resend = newResend(cfg.NACK && cfg.RTXSSRC == 0)
	f.buffer = cfg.Buffer
	if need := media.MaxPacketSize + len(f.header.template); len(f.buffer) < need {
		f.buffer = make([]byte, need)
	}
	return f
}

// Forward implements media.Sink.
func (f *Forwarder) Forward(p *media.Packet) {
	if !f.live || f.generation != f.track.Generation {
		if !f.begin(p) {
			return
		}
	}
	if len(p.Payload) == 0 && p.Sequence > f.splice.highestIn {
		f.splice.leaveOut(p.Sequence)
		f.stats.Padding++
		return
	}
	out, ok := f.splice.place(p.Sequence)
	if !ok {
		f.stats.Late++
		return
	}
	s := f.stamp(p.Arrival)
	f.resend.stamped(out, s)
	n := f.header.write(f.buffer, uint16(out), p.Timestamp+f.splice.shift, p.Marker, s, f.level(p.Raw))
	payload := f.buffer[n : n+copy(f.buffer[n:], p.Payload)]
	f.pictures.rewrite(payload)
	if p.Sequence > f.splice.highestIn {
		f.splice.sent(p, out)
		f.pictures.sent(payload)
	}
	f.stats.Packets++
	f.stats.Octets += uint64(len(payload))
	f.resend.earn()
	f.cfg.Send(f.buffer[:n+len(payload)])
}

// begin tells whether the stream of the track's source can start with p, and starts it. Video waits for a key frame.
func (f *Forwarder) begin(p *media.Packet) bool {
	if f.generation != f.track.Generation {
		f.generation = f.track.Generation
		f.live, f.asked = false, false
	}
	if !p.Keyframe || len(p.Payload) == 0 {
		f.stats.Waiting++
		if !f.asked {
			f.asked = true
			f.track.RequestKeyframe(p.Arrival)
		}
		return false
	}
	f.splice.begin(p)
	f.pictures.begin(p.Payload)
	f.live = true
	f.stats.Starts++
	return true
}

// Pause makes the viewer's stream wait for a key frame, and go on where it stands. Nothing must be forwarded until it
// may be sent again.
func (f *Forwarder) Pause() { f.live, f.asked = false, false }

// KeyframeRequested passes on the viewer's PLI or FIR, or the wish of a viewer who has just come.
func (f *Forwarder) KeyframeRequested(now media.Time) {
	f.stats.KeyframeRequests++
	f.track.RequestKeyframe(now)
}

// stamp makes the volatile part of a header.
func (f *Forwarder) stamp(now media.Time) (s stamp) {
	if f.header.sendTimeAt != 0 {
		s.sendTime = absSendTime(now)
	}
	if f.header.transportAt != 0 {
		s.transport = f.cfg.NextTransportSequence()
	}
	return s
}

// level reads the publisher's audio level of a packet (RFC 6464).
func (f *Forwarder) level(raw []byte) byte {
	if f.header.levelAt == 0 || f.track.AudioLevelExt == 0 {
		return silence
	}
	h, err := media.ParseHeader(raw)
	if err != nil {
		return silence
	}
	if b := h.Extension(f.track.AudioLevelExt); len(b) > 0 {
		return b[0]
	}
	return silence
}
