package load

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"tertulia/internal/media/codec"
)

// clipTrack builds the packets of a clip's track as they go out.
func clipTrack(t *testing.T, kind string) (*track, *Track) {
	t.Helper()
	clip, err := LoadClip()
	if err != nil {
		t.Fatal(err)
	}
	for i := range clip.Tracks {
		if clip.Tracks[i].Kind == kind {
			made := newTrack(kind, make([]byte, 10))
			made.header = make([]byte, 12)
			made.header[0] = 0x80
			return made, &clip.Tracks[i]
		}
	}
	t.Fatalf("no %s", kind)
	return nil, nil
}

// What goes out is what the file holds: a browser's depacketiser finds the frames again, the first a key frame.
func TestTheClipIsVP8(t *testing.T) {
	track, shape := clipTrack(t, "video")
	var got, frame []byte
	frames := 0
	for i, p := range shape.Packets {
		raw := track.build(nil, p, shape.begins(i), int64(p.At), int64(p.At), 0, func() bool { return false })
		var packet rtp.Packet
		if err := packet.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		if key := codec.Keyframe("VP8", packet.Payload); key != (i == 0) {
			t.Errorf("packet %d is the beginning of a key frame: %v", i, key)
		}
		var descriptor codecs.VP8Packet
		part, err := descriptor.Unmarshal(packet.Payload)
		if err != nil || (descriptor.S == 1) != shape.begins(i) || descriptor.PictureID != uint16(frames+1) || len(raw) > 1200 {
			t.Errorf("packet %d of %d bytes: %+v, %v", i, len(raw), descriptor, err)
		}
		frame = append(frame, part...)
		if packet.Marker {
			got, frame, frames = append(got, frame...), nil, frames+1
		}
	}
	var want []byte
	for rest := bars[32:]; len(rest) > 0; {
		size := int(rest[0]) | int(rest[1])<<8
		want, rest = append(want, rest[12:12+size]...), rest[12+size:]
	}
	if frames != 30 || !bytes.Equal(got, want) {
		t.Errorf("%d frames, %d bytes; want 30 frames and the file's %d bytes", frames, len(got), len(want))
	}
}

func TestTheClipsSoundIsOpus(t *testing.T) {
	track, shape := clipTrack(t, "audio")
	raw := track.build(nil, shape.Packets[0], true, 1, 1, 0, nil)
	if !bytes.Equal(raw[12:], silence) || len(shape.Packets) != 100 {
		t.Errorf("%d packets, the first with %x", len(shape.Packets), raw[12:])
	}
}

func TestAClipBeginsAnewForAKeyFrame(t *testing.T) {
	_, shape := clipTrack(t, "video")
	p := &part{client: &Client{}, shape: shape, length: 2 * time.Second, round: time.Unix(0, 0)}
	p.client.keyframe.Store(true)
	p.restart(p.due())
	if p.next != 0 || !p.client.keyframe.Load() {
		t.Error("at its beginning it took the request")
	}
	for p.next == 0 || !p.begins() {
		p.advance()
	}
	due := p.due()
	p.restart(due)
	if p.next != 0 || p.due() != due || p.client.keyframe.Load() {
		t.Errorf("it goes on with packet %d at %v, want the first at %v", p.next, p.due(), due)
	}
	p.advance()
	inside := p.next
	p.client.keyframe.Store(true)
	if p.restart(p.due()); !p.begins() && p.next != inside {
		t.Error("it began anew inside a frame")
	}
}

func TestFilesThatAreNoClip(t *testing.T) {
	for name, file := range map[string][]byte{
		"empty": nil, "no IVF": make([]byte, 64), "cut off": bars[:100], "without a clock": append(append([]byte{}, bars[:16]...), make([]byte, 32)...),
	} {
		if _, _, err := readIVF(file); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
