package load

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// bars is two seconds of colour bars with a running clock: VP8, 320×180, 15 pictures a second, the first a key frame
// (shapes/README.md tells how it was made).
//
//go:embed shapes/bars.ivf
var bars []byte

const (
	clipPayload = 1100 // most of a VP8 frame in one packet, bytes
	clipFrame   = time.Second / 15
	opusFrame   = 20 * time.Millisecond
)

// silence is an Opus frame of 20 ms in which nothing is to be heard (RFC 6716 §3.1: CELT, full band, mono).
var silence = []byte{0xf8, 0xff, 0xfe}

// LoadClip returns a shape that browsers can show: colour bars, and silence.
func LoadClip() (Shape, error) {
	s := Shape{Name: "clip", Tracks: []Track{{Kind: "audio"}, {Kind: "video"}}}
	video, length, err := readIVF(bars)
	if err != nil {
		return s, fmt.Errorf("shapes/bars.ivf: %w", err)
	}
	s.Length, s.Tracks[1].Packets = length, video
	for at := time.Duration(0); at+opusFrame <= length; at += opusFrame {
		s.Tracks[0].Packets = append(s.Tracks[0].Packets, Packet{At: at, Data: silence})
	}
	return s, nil
}

// readIVF cuts the frames of an IVF file into packets. It begins with 32 bytes: among them the rate and the scale of its
// clock at 16 and 20; each frame has its size (4 bytes) and its time (8).
func readIVF(file []byte) (packets []Packet, length time.Duration, err error) {
	if len(file) < 32 || !bytes.HasPrefix(file, []byte("DKIF")) || string(file[8:12]) != "VP80" {
		return nil, 0, errors.New("no IVF file of VP8")
	}
	rate, scale := binary.LittleEndian.Uint32(file[16:]), binary.LittleEndian.Uint32(file[20:])
	if rate == 0 || scale == 0 {
		return nil, 0, errors.New("its clock stands")
	}
	moment := func(n uint64) time.Duration {
		return time.Duration(n) * time.Second * time.Duration(scale) / time.Duration(rate)
	}
	for rest := file[32:]; len(rest) > 0; {
		if len(rest) < 12 || uint64(len(rest)) < 12+uint64(binary.LittleEndian.Uint32(rest)) {
			return nil, 0, errors.New("it ends in a frame")
		}
		size, at := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint64(rest[4:])
		frame := rest[12 : 12+size]
		rest = rest[12+size:]
		due := moment(at)
		length = moment(at + 1)
		for len(frame) > 0 {
			n := min(clipPayload, len(frame))
			packets = append(packets, Packet{At: due, Marker: n == len(frame), Data: frame[:n]})
			frame = frame[n:]
		}
	}
	return packets, length, nil
}

// load appends a payload with something in it: Opus as it is, VP8 behind its descriptor (RFC 7741 §4.2).
func (t *track) load(b, data []byte, begins bool) []byte {
	if t.kind == "video" {
		start := byte(0)
		if begins {
			start = 0x10
		}
		b = append(b, 0x80|start, 0x80, 0x80|byte(t.picture>>8), byte(t.picture))
	}
	return append(b, data...)
}

// restart begins a clip anew when a key frame is wanted, which stands at its beginning.
func (p *part) restart(due time.Time) {
	if p.shape.Kind != "video" || p.shape.Packets[p.next].Data == nil || !p.begins() || p.next == 0 || !p.client.keyframe.Swap(false) {
		return
	}
	p.next, p.round = 0, due
}
