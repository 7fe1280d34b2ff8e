package load

import (
	"encoding/binary"
	"time"
)

// trailer is what the last bytes of a payload say, where they have room for it: whatever a server does to headers and
// payload descriptors, the end of the payload stays.
//
//	0      4               12       16
//	magic  sent, ns of UTC | since the frame's first packet was sent, ns … kind in the top bit of magic
const (
	trailerSize = 16
	audioMagic  = 0x7e47a001
	videoMagic  = 0x7e47a002
)

// sign writes the trailer of a packet that is sent now; since is how long ago the first of its frame was.
func sign(payload []byte, magic uint32, now int64, since time.Duration) {
	if len(payload) < trailerSize {
		return
	}
	b := payload[len(payload)-trailerSize:]
	binary.BigEndian.PutUint32(b, magic)
	binary.BigEndian.PutUint64(b[4:], uint64(now))
	binary.BigEndian.PutUint32(b[12:], uint32(min(since, time.Second)))
}

// Heard is how long packets took from the publisher's send call to the kernel's receive stamp.
type Heard struct {
	Video, Audio Histogram
	Last         Histogram // of the last packet of a video frame, from the send call of its first
}

// packet notes one; payload is without padding, arrived is in ns of UTC.
func (h *Heard) packet(payload []byte, arrived int64, last bool) {
	if len(payload) < trailerSize {
		return
	}
	b := payload[len(payload)-trailerSize:]
	took := time.Duration(arrived - int64(binary.BigEndian.Uint64(b[4:])))
	switch binary.BigEndian.Uint32(b) {
	case audioMagic:
		h.Audio.Add(took)
	case videoMagic:
		h.Video.Add(took)
		if last {
			h.Last.Add(took + time.Duration(binary.BigEndian.Uint32(b[12:])))
		}
	}
}

// Hear lets probes listen from now on; what it returns ends that and says what they heard together. Probes share a loop.
func Hear(probes ...*Client) (end func() Heard) {
	var heard Heard
	attach := func(to *Heard) {
		for _, c := range probes {
			_ = c.loop.do(func() { c.heard = to })
		}
	}
	attach(&heard)
	return func() Heard {
		attach(nil)
		return heard
	}
}
