package forward

import (
	"strings"

	"tertulia/internal/media"
)

// Config describes a viewer's stream. Track, SSRC, PayloadType and Out are required. Extensions are ids as this viewer
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

	TransportSequence *uint16 // the latest transport-wide number of the viewer's transport; nil: none
	NACK              bool    // the viewer may ask for packets again

	Out    Out
	Buffer []byte // scratch of MaxPacketSize; forwarders of one shard may share it. nil or too short: its own
}

// Out is where a viewer's packets go. A packet is made in two steps: its header is written into Room, then Send encrypts
// the payload behind it, so that the shared bytes of the receive cache are read once and copied nowhere.
type Out interface {
	// Room is where the next packet stands: MaxPacketSize and what its header may have.
	Room() []byte
	// Send completes the packet whose header has that length. rollover counts the cycles of its SSRC's sequence numbers
	// (RFC 3711 §3.3.1); payload is not written to, and not kept.
	Send(header int, payload []byte, rollover uint32)
}

// scratch holds a payload, with its original number in front (RTX) and a byte of padding behind.
const scratch = media.MaxPacketSize + 3

// Forwarder is a media.Sink. The caller attaches it to the track with Track.Attach, and then asks the track for a key
// frame, so that the viewer need not wait for a packet of a still picture.
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
	f.resend = newResend(cfg.NACK && cfg.RTXSSRC == 0, cfg.Track.Kind)
	f.buffer = cfg.Buffer
	if len(f.buffer) < scratch {
		f.buffer = make([]byte, scratch)
	}
	return f
}

// Forward implements media.Sink.
func (f *Forwarder) Forward(burst []media.Packet) {
	for i := range burst {
		f.forward(&burst[i])
	}
}

func (f *Forwarder) forward(p *media.Packet) {
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
	if f.resend.spent(out, f.splice.highestOut) {
		f.stats.Late++
		return
	}
	s := f.stamp(p.Arrival, p.Level)
	s.padded = p.Padded
	f.resend.stamped(out, s)
	payload := f.pictures.rewritten(p.Payload, f.buffer)
	if p.Sequence > f.splice.highestIn {
		f.splice.sent(p, out)
		f.pictures.sent(payload)
	}
	f.stats.Packets++
	f.stats.Octets += uint64(len(payload))
	if p.Padded {
		f.stats.Octets--
	}
	f.resend.earn()
	n := f.header.write(f.cfg.Out.Room(), uint16(out), p.Timestamp+f.splice.shift, p.Marker, s)
	f.stats.Largest = max(f.stats.Largest, n+len(payload))
	f.cfg.Out.Send(n, payload, rollover(out))
}

// rollover is how often an extended number that began in cycle 1 has gone round.
func rollover(out uint64) uint32 { return uint32(out>>16) - 1 }

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

// KeyframeRequested passes on the viewer's PLI or FIR.
func (f *Forwarder) KeyframeRequested(now media.Time) {
	f.stats.KeyframeRequests++
	f.track.RequestKeyframe(now)
}

// stamp makes the volatile part of a header.
func (f *Forwarder) stamp(now media.Time, level byte) stamp {
	s := stamp{level: level}
	if f.header.sendTimeAt != 0 {
		s.sendTime = absSendTime(now)
	}
	if f.header.transportAt != 0 {
		*f.cfg.TransportSequence++
		s.transport = *f.cfg.TransportSequence
	}
	return s
}

// level reads the publisher's audio level of a packet in the cache (RFC 6464).
func (f *Forwarder) level(h media.Header) byte {
	if b := h.Extension(f.track.AudioLevelExt); len(b) > 0 {
		return b[0]
	}
	return media.Silence
}
