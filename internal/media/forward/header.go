package forward

import (
	"encoding/binary"

	"tertulia/internal/media"
)

// header writes the RTP headers of one SSRC: a template with the negotiated extensions in fixed places, patched per
// packet, so that all headers of a stream have one length.
type header struct {
	template []byte

	// Where the values stand in the template; 0: not negotiated.
	sendTimeAt, transportAt, levelAt int
}

// stamp is what a header has beside what the packet itself tells, and may be another the next time.
type stamp struct {
	sendTime  uint32 // abs-send-time, 24 bits
	transport uint16 // transport-wide sequence number
	padded    bool   // the payload ends with one byte of padding
	level     byte   // audio, in RFC 6464's format: its extension's id changes with the publisher
}

// newHeader lays out RFC 3550 §5.1 with RFC 8285 §4.2 extensions, or §4.3 if an id or the MID does not fit those.
func newHeader(cfg *Config, ssrc uint32, payloadType uint8) header {
	var h header
	b := make([]byte, 16, 64)
	b[0], b[1] = 0x90, payloadType&0x7f
	binary.BigEndian.PutUint32(b[8:], ssrc)
	long := len(cfg.MID) > 16 || max(cfg.MIDExt, cfg.AbsSendTimeExt, cfg.TransportCCExt, cfg.AudioLevelExt) > 14
	element := func(id uint8, value ...byte) (at int) {
		if id == 0 {
			return 0
		}
		if long {
			b = append(b, id, byte(len(value)))
		} else {
			b = append(b, id<<4|byte(len(value)-1))
		}
		b = append(b, value...)
		return len(b) - len(value)
	}
	if cfg.MID != "" && len(cfg.MID) < 256 {
		element(cfg.MIDExt, []byte(cfg.MID)...)
	}
	h.sendTimeAt = element(cfg.AbsSendTimeExt, 0, 0, 0)
	if cfg.TransportSequence != nil {
		h.transportAt = element(cfg.TransportCCExt, 0, 0)
	}
	if cfg.Track.Kind == media.Audio {
		h.levelAt = element(cfg.AudioLevelExt, media.Silence)
	}
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	profile := uint16(0xBEDE)
	if long {
		profile = 0x1000
	}
	binary.BigEndian.PutUint16(b[12:], profile)
	binary.BigEndian.PutUint16(b[14:], uint16(len(b)/4-4))
	if len(b) == 16 { // no extension
		b[0], b = 0x80, b[:12]
	}
	h.template = b
	return h
}

// write puts a header at the beginning of dst and returns its length.
func (h *header) write(dst []byte, sequence uint16, timestamp uint32, marker bool, s stamp) int {
	n := copy(dst, h.template)
	if s.padded {
		dst[0] |= 0x20
	}
	if marker {
		dst[1] |= 0x80
	}
	binary.BigEndian.PutUint16(dst[2:], sequence)
	binary.BigEndian.PutUint32(dst[4:], timestamp)
	if at := h.sendTimeAt; at != 0 {
		dst[at], dst[at+1], dst[at+2] = byte(s.sendTime>>16), byte(s.sendTime>>8), byte(s.sendTime)
	}
	if at := h.transportAt; at != 0 {
		binary.BigEndian.PutUint16(dst[at:], s.transport)
	}
	if at := h.levelAt; at != 0 {
		dst[at] = s.level
	}
	return n
}

// absSendTime is seconds in 6.18 fixed point: webrtc.org's abs-send-time extension.
func absSendTime(now media.Time) uint32 {
	const lap = 64e9 // it wraps every 64 s
	return uint32(uint64(now%lap)<<18/1e9) & 0xffffff
}
