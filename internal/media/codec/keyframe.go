package codec

// Keyframe reports whether payload is the first packet of a key frame, where a decoder can start. The name is the
// rtpmap's in upper case. Payloads of other codecs (audio included) can be decoded from anywhere as far as we know, so
// the answer is true for any that is not empty.
func Keyframe(name string, payload []byte) bool {
	if len(payload) == 0 {
		return false
	}
	switch name {
	case "VP8":
		return vp8Keyframe(payload)
	case "VP9":
		return vp9Keyframe(payload)
	case "H264":
		return h264Keyframe(payload)
	case "AV1":
		return av1Keyframe(payload)
	}
	return true
}

// vp8Keyframe looks for the start of the first partition (RFC 7741 §4.2) whose payload header has P = 0 (§4.3).
func vp8Keyframe(payload []byte) bool {
	const start, partition = 0x10, 0x0f
	d, ok := parseVP8(payload)
	return ok && payload[0]&start != 0 && payload[0]&partition == 0 &&
		d.size < len(payload) && payload[d.size]&0x01 == 0
}

// vp9Keyframe looks for the start (B) of a frame that is not inter-picture predicted (P), of the lowest spatial layer
// (RFC 9628 §4.2): the upper ones of a key picture have P = 0 as well.
func vp9Keyframe(payload []byte) bool {
	const predicted, layers, begin = 0x40, 0x20, 0x08
	if payload[0]&predicted != 0 || payload[0]&begin == 0 {
		return false
	}
	if payload[0]&layers == 0 {
		return true
	}
	d, ok := parseVP9(payload)
	return ok && payload[d.layersAt]>>1&0x07 == 0
}

// H264 NAL unit types: ITU-T H.264 table 7-1 and RFC 6184 §5.2.
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// h264Keyframe looks for an IDR slice or a sequence parameter set, which precedes one: alone, in an aggregate (STAP-A,
// RFC 6184 §5.7.1) or as the first fragment (FU-A, §5.8).
func h264Keyframe(payload []byte) bool {
	starts := func(header byte) bool { return header&0x1f == nalIDR || header&0x1f == nalSPS }
	switch payload[0] & 0x1f {
	case nalSTAPA:
		for b := payload[1:]; len(b) > 2; {
			size := int(b[0])<<8 | int(b[1])
			if starts(b[2]) && size > 0 {
				return true
			}
			if 2+size > len(b) {
				return false
			}
			b = b[2+size:]
		}
		return false
	case nalFUA:
		return len(payload) > 1 && payload[1]&0x80 != 0 && starts(payload[1])
	}
	return starts(payload[0])
}

const av1SequenceHeader = 1 // OBU type, AV1 bitstream §5.3.2

// av1Keyframe wants the first packet of a coded video sequence: N set, no continuation (Z), and a sequence header
// among its OBUs (AV1 RTP §4.4). W says how many elements there are; the last has no length then.
func av1Keyframe(payload []byte) bool {
	const continues, fresh = 0x80, 0x08
	if payload[0]&continues != 0 || payload[0]&fresh == 0 {
		return false
	}
	count := int(payload[0] >> 4 & 0x03)
	b := payload[1:]
	for i := 1; len(b) > 0; i++ {
		size := len(b)
		if i != count {
			var n int
			if size, n = leb128(b); n == 0 || size > len(b)-n {
				return false
			}
			b = b[n:]
		}
		if size > 0 && b[0]>>3&0x0f == av1SequenceHeader {
			return true
		}
		b = b[size:]
	}
	return false
}

// leb128 reads a length of at most 21 bits, more than any packet holds; n is 0 if there is none.
func leb128(b []byte) (value, n int) {
	for n < 3 && n < len(b) {
		value |= int(b[n]&0x7f) << (7 * n)
		n++
		if b[n-1]&0x80 == 0 {
			return value, n
		}
	}
	return 0, 0
}
