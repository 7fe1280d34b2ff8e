package testkit

import (
	"strings"

	"github.com/pion/webrtc/v4"
)

// The codecs a client can publish.
var (
	VP8  = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	AV1  = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeAV1, ClockRate: 90000, SDPFmtpLine: "level-idx=5;profile=0;tier=0"}
	Opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	PCMU = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}
	PCMA = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA, ClockRate: 8000}
)

// only makes a transceiver offer one codec, under the number that browsers give it; nil for Pion's own list, which has
// VP8 and Opus first.
func only(c webrtc.RTPCodecCapability) []webrtc.RTPCodecParameters {
	codec := func(number webrtc.PayloadType, feedback ...string) webrtc.RTPCodecParameters {
		for _, f := range feedback {
			kind, parameter, _ := strings.Cut(f, " ")
			c.RTCPFeedback = append(c.RTCPFeedback, webrtc.RTCPFeedback{Type: kind, Parameter: parameter})
		}
		return webrtc.RTPCodecParameters{RTPCodecCapability: c, PayloadType: number}
	}
	switch c.MimeType {
	case webrtc.MimeTypeAV1:
		rtx := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=45"}
		return []webrtc.RTPCodecParameters{
			codec(45, "goog-remb", "ccm fir", "nack", "nack pli"), {RTPCodecCapability: rtx, PayloadType: 46},
		}
	case webrtc.MimeTypePCMU:
		return []webrtc.RTPCodecParameters{codec(0)}
	case webrtc.MimeTypePCMA:
		return []webrtc.RTPCodecParameters{codec(8)}
	}
	return nil
}

// parts is how many packets a picture has.
const parts = 3

// picture makes one packet of a picture, of 1,000 bytes.
func picture(mime string, id uint16, part int, key bool) []byte {
	if mime == webrtc.MimeTypeAV1 {
		return av1(part, key)
	}
	return vp8(id, part == 0, key)
}

// keyframe tells whether a payload begins a key frame.
func keyframe(mime string, payload []byte) bool {
	if mime == webrtc.MimeTypeAV1 {
		return av1Key(payload)
	}
	return vp8Key(payload)
}

// av1 makes a payload by the AV1 RTP specification: a frame in parts, before it a sequence header where it is a key frame.
func av1(part int, key bool) []byte {
	const continues, goesOn, fresh, sequenceHeader, frame = 0x80, 0x40, 0x08, 1 << 3, 6 << 3
	p := make([]byte, 0, 1000)
	header := byte(1 << 4)
	if part > 0 {
		header |= continues
	}
	if part < parts-1 {
		header |= goesOn
	}
	if part == 0 && key {
		header += 1<<4 | fresh
		p = append(p, header, 4, sequenceHeader, 0, 0, 0)
	} else {
		p = append(p, header)
	}
	return append(p, frame)[:cap(p)]
}

func av1Key(p []byte) bool {
	return len(p) > 2 && p[0]&0x88 == 0x08 && p[2] == 1<<3
}

// vp8 makes a payload with descriptor and 15-bit picture id (RFC 7741 §4.2), filled up to 1,000 bytes.
func vp8(id uint16, start, key bool) []byte {
	p := make([]byte, 1000)
	p[0], p[1], p[2], p[3] = 0x80, 0x80, 0x80|byte(id>>8)&0x7f, byte(id)
	if start {
		p[0] |= 0x10
	}
	p[4] = 1 // inter frame
	if key {
		p[4] = 0
	}
	return p
}

func vp8Key(p []byte) bool {
	return len(p) > 4 && p[0]&0x1f == 0x10 && p[0]&0x80 != 0 && p[1]&0x80 != 0 && p[4]&1 == 0
}
