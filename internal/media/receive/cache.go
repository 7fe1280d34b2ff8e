package receive

import (
	"encoding/binary"
	"math/bits"
	"time"

	"tertulia/internal/media"
)

const (
	// history is how much of a stream is worth keeping: a viewer that still lacks a packet after this long has asked
	// for a key frame.
	history = media.Time(time.Second)

	videoRing, videoSlots = 64 << 10, 1024
	audioRing, audioSlots = 8 << 10, 128
	maxSlots              = 16384
	ringPerSlot           = 1024 // bytes; the ring grows to that at most
)

// cache keeps the latest packets of a stream. Their bytes stand one after another in a ring that doubles, a few times
// in the life of a stream, while it is too small for a second's history: a thumbnail costs 64 KiB, not the
// 1.5 MiB that a slot of full size per packet would.
type cache struct {
	slots []slot // by sequence number modulo their count
	ring  []byte
	first int    // bytes of the ring once there is a packet: many a source is declared and never sends
	begin uint64 // positions count bytes ever written: the oldest that still stands in the ring
	end   uint64 // and the one to be written next
	limit int

	lapBegin uint64
	lapTime  media.Time
}

type slot struct {
	sequence uint64 // 0: never used
	at       uint64
	size     uint16
}

// newCache makes a cache of so many packets; 0 is the default of the kind.
func newCache(packets int, kind media.Kind) cache {
	ring := videoRing
	if kind == media.Audio {
		ring = audioRing
	}
	switch {
	case packets <= 0 && kind == media.Audio:
		packets = audioSlots
	case packets <= 0:
		packets = videoSlots
	}
	packets = 1 << bits.Len(uint(min(packets, maxSlots)-1))
	return cache{slots: make([]slot, packets), first: ring, limit: max(ring, packets*ringPerSlot)}
}

func (c *cache) slot(sequence uint64) *slot { return &c.slots[sequence&uint64(len(c.slots)-1)] }

// seen tells whether a packet was put, even if its bytes are gone.
func (c *cache) seen(sequence uint64) bool { return c.slot(sequence).sequence == sequence }

// get returns a packet that is still there.
func (c *cache) get(sequence uint64) ([]byte, bool) {
	s := c.slot(sequence)
	if sequence == 0 || s.sequence != sequence || s.at < c.begin {
		return nil, false
	}
	at := s.at & uint64(len(c.ring)-1)
	return c.ring[at : at+uint64(s.size) : at+uint64(s.size)+1], true
}

// put copies a packet in: the header's bytes, with the SSRC, payload type and sequence number of h (an RTX packet's own
// differ), then the body. The result stays valid until the ring has gone round; one byte of RTP padding follows it,
// within its capacity.
func (c *cache) put(now media.Time, sequence uint64, h media.Header, header, body []byte) []byte {
	size := len(header) + len(body)
	c.makeRoom(now, size+1)
	at := c.end & uint64(len(c.ring)-1)
	raw := c.ring[at : at+uint64(size) : at+uint64(size)+1]
	copy(raw[copy(raw, header):], body)
	raw[:size+1][size] = 1
	raw[1] = raw[1]&0x80 | h.PayloadType
	binary.BigEndian.PutUint16(raw[2:], h.Sequence)
	binary.BigEndian.PutUint32(raw[8:], h.SSRC)
	*c.slot(sequence) = slot{sequence: sequence, at: c.end, size: uint16(size)}
	c.advance(c.end + uint64(size) + 1)
	return raw
}

// makeRoom skips the end of the ring if a packet does not fit there in one piece. Whenever that closes a lap, it
// looks whether the lap lasted long enough.
func (c *cache) makeRoom(now media.Time, size int) {
	if c.ring == nil {
		c.ring = make([]byte, c.first)
	}
	length := uint64(len(c.ring))
	at := c.end & (length - 1)
	if at+uint64(size) <= length {
		return
	}
	c.advance(c.end + length - at)
	if c.end-c.lapBegin < length {
		return
	}
	if now-c.lapTime < history && len(c.ring) < c.limit {
		c.grow()
	}
	c.lapBegin, c.lapTime = c.end, now
}

func (c *cache) advance(end uint64) {
	c.end = end
	if length := uint64(len(c.ring)); c.end > length {
		c.begin = max(c.begin, c.end-length)
	}
}

// grow doubles the ring at the end of a lap and keeps what is in it: positions stay, so only the lap moves.
func (c *cache) grow() {
	length := uint64(len(c.ring))
	ring := make([]byte, 2*length)
	copy(ring[(c.end-length)&(2*length-1):], c.ring)
	c.ring = ring
}
