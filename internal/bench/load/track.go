package load

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media/sdp"
)

// track is one stream of a publisher. The player writes it; the loop reads what reports tell.
type track struct {
	kind      string
	ssrc, rtx uint32
	clock     int64 // Hz

	// Agreed by the descriptions.
	payloadType byte
	header      []byte // of every packet: 12 bytes and the extensions
	absAt       int    // where in header abs-send-time stands, 0 for none
	transportAt int    // and the transport-wide sequence number

	sequence uint16
	picture  uint16 // VP8's picture id, 15 bits
	key      bool   // of the frame being sent
	frameAt  int64  // ns of UTC: when the frame was due
	frameOut int64  // and its first packet sent
	epoch    int64  // ns of UTC for RTP timestamp base; 0 before the first packet
	base     uint32

	mu      sync.Mutex
	packets uint32
	octets  uint32
}

// newTrack takes its random numbers from a seed of 10 bytes.
func newTrack(kind string, seed []byte) *track {
	t := &track{kind: kind, clock: 48000, ssrc: binary.BigEndian.Uint32(seed) | 1, base: binary.BigEndian.Uint32(seed[4:])}
	if kind == "video" {
		t.clock, t.rtx = 90000, t.ssrc+1
	}
	t.sequence = binary.BigEndian.Uint16(seed[8:]) & 0x7fff
	return t
}

func (t *track) stream(cname string) sdp.Stream {
	return sdp.Stream{SSRC: t.ssrc, RTX: t.rtx, CNAME: cname}
}

// agree lays the header out: the extensions both sides have agreed on, in RFC 8285's one-byte form.
func (t *track) agree(s *sdp.Section) {
	t.payloadType = s.Codecs[0].PayloadType
	t.header = make([]byte, 12, 64)
	t.header[0], t.header[1] = 0x80, t.payloadType
	binary.BigEndian.PutUint32(t.header[8:], t.ssrc)
	t.absAt, t.transportAt = 0, 0
	t.header = append(t.header, 0xbe, 0xde, 0, 0)
	add := func(uri string, value ...byte) int {
		id := s.Extension(uri)
		if id == 0 || len(value) == 0 || len(value) > 16 {
			return 0
		}
		t.header = append(append(t.header, id<<4|byte(len(value)-1)), value...)
		return len(t.header) - len(value)
	}
	t.absAt = add(sdp.ExtAbsSendTime, 0, 0, 0)
	t.transportAt = add(sdp.ExtTransportCC, 0, 0)
	if t.kind == "audio" {
		add(sdp.ExtAudioLevel, 0x80|30) // voice, 30 dB below overload (RFC 6464)
	}
	add(sdp.ExtMID, []byte(s.MID)...)
	if len(t.header) == 16 {
		t.header = t.header[:12]
		return
	}
	for len(t.header)%4 != 0 {
		t.header = append(t.header, 0)
	}
	t.header[0] |= 0x10
	binary.BigEndian.PutUint16(t.header[14:], uint16(len(t.header)-16)/4)
}

// build writes the next packet as large as recorded: not smaller than its header. begins: it is the first of its frame,
// which was due at some time; now and due are in ns of UTC.
func (t *track) build(b []byte, p Packet, begins bool, due, now int64, transportN uint16, keyframe func() bool) []byte {
	if t.epoch == 0 {
		t.epoch = due
	}
	if begins {
		t.frameAt, t.frameOut = due, now
		t.picture = (t.picture + 1) & 0x7fff
		t.key = t.kind == "video" && p.Data == nil && (keyframe() || t.picture == 1)
	}
	b = append(b, t.header...)
	if p.Marker && t.kind == "video" {
		b[1] |= 0x80
	}
	t.sequence++
	binary.BigEndian.PutUint16(b[2:], t.sequence)
	binary.BigEndian.PutUint32(b[4:], t.timestamp(t.frameAt))
	if t.absAt > 0 {
		// 24 bits of seconds in 6.18 fixed point.
		abs := uint32(now % 64e9 << 18 / 1e9)
		b[t.absAt], b[t.absAt+1], b[t.absAt+2] = byte(abs>>16), byte(abs>>8), byte(abs)
	}
	if t.transportAt > 0 {
		binary.BigEndian.PutUint16(b[t.transportAt:], transportN)
	}
	head := len(b)
	if p.Data != nil {
		b = t.load(b, p.Data, begins)
	} else {
		b = b[:max(p.Size, head+1)]
		t.fill(b[head:], begins, now)
	}
	payload := b[head:]
	t.mu.Lock()
	t.packets++
	t.octets += uint32(len(payload))
	t.mu.Unlock()
	return b
}

func (t *track) timestamp(at int64) uint32 {
	return t.base + uint32((at-t.epoch)/1000*t.clock/1e6)
}

// fill makes a payload of a VP8 frame (RFC 7741 §4.2, RFC 6386 §9.1) or of Opus, as far as servers look.
func (t *track) fill(payload []byte, begins bool, now int64) {
	if t.kind == "audio" {
		payload[0] = 0x78 // hybrid, full band, 20 ms, mono, one frame (RFC 6716 §3.1)
		sign(payload, audioMagic, now, 0)
		return
	}
	descriptor := []byte{0x80, 0x80, 0x80 | byte(t.picture>>8), byte(t.picture), 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02}
	descriptor[0] |= 0x10
	switch {
	case !begins:
		descriptor = descriptor[:4]
		descriptor[0] &^= 0x10
	case t.key:
		descriptor[4] &^= 1 // 1280 × 720
	default:
		descriptor = descriptor[:7]
	}
	copy(payload, descriptor)
	sign(payload, videoMagic, now, time.Duration(now-t.frameOut))
}

// report is the sender report of now (RFC 3550 §6.4.1); not before the first packet.
func (t *track) report(now time.Time) (rtcp.SenderReport, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.packets == 0 {
		return rtcp.SenderReport{}, false
	}
	const since1900 = 2208988800
	ns := uint64(now.UnixNano())
	ntp := (ns/1e9+since1900)<<32 | ns%1e9<<32/1e9
	return rtcp.SenderReport{
		SSRC: t.ssrc, NTPTime: ntp, RTPTime: t.timestamp(now.UnixNano()), PacketCount: t.packets, OctetCount: t.octets,
	}, true
}
