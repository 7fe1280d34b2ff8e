package codec

import "testing"

func TestKeyframe(t *testing.T) {
	for _, c := range []struct {
		about, codec string
		payload      []byte
		want         bool
	}{
		{"nothing", "VP8", nil, false},
		{"first packet, P=0", "VP8", []byte{0x10, 0x00}, true},
		{"first packet, P=1", "VP8", []byte{0x10, 0x01}, false},
		{"not the start of a partition", "VP8", []byte{0x00, 0x00}, false},
		{"second partition", "VP8", []byte{0x11, 0x00}, false},
		{"with 15-bit id, TL0 and TID", "VP8", []byte{0x90, 0xe0, 0x81, 0x02, 0x03, 0x00, 0x50}, true},
		{"the same, P=1", "VP8", []byte{0x90, 0xe0, 0x81, 0x02, 0x03, 0x00, 0x51}, false},
		{"descriptor only", "VP8", []byte{0x90, 0x80, 0x01}, false},
		{"descriptor cut in the id", "VP8", []byte{0x90, 0x80, 0x81}, false},

		{"begins, not predicted", "VP9", []byte{0x88, 0x01, 0x00}, true},
		{"begins, predicted", "VP9", []byte{0xc8, 0x01, 0x00}, false},
		{"goes on", "VP9", []byte{0x80, 0x01, 0x00}, false},
		{"spatial layer 0", "VP9", []byte{0xa8, 0x01, 0x00, 0x05}, true},
		{"spatial layer 1 of a key picture", "VP9", []byte{0xa8, 0x01, 0x03, 0x05}, false},
		{"layers cut", "VP9", []byte{0xa8, 0x01}, false},

		{"IDR alone", "H264", []byte{0x65, 0x88}, true},
		{"SPS alone", "H264", []byte{0x67, 0x42}, true},
		{"PPS alone", "H264", []byte{0x68, 0xce}, false},
		{"slice", "H264", []byte{0x41, 0x9a}, false},
		{"STAP-A, PPS then IDR", "H264", []byte{24, 0, 2, 0x68, 1, 0, 2, 0x65, 1}, true},
		{"STAP-A, two slices", "H264", []byte{24, 0, 2, 0x41, 1, 0, 2, 0x41, 1}, false},
		{"STAP-A, size beyond end", "H264", []byte{24, 0xff, 0xff, 0x41, 1}, false},
		{"STAP-A, empty", "H264", []byte{24}, false},
		{"FU-A, first fragment of IDR", "H264", []byte{0x7c, 0x85, 1}, true},
		{"FU-A, later fragment of IDR", "H264", []byte{0x7c, 0x05, 1}, false},
		{"FU-A, first fragment of slice", "H264", []byte{0x7c, 0x81, 1}, false},
		{"FU-A, cut", "H264", []byte{0x7c}, false},

		{"N, sequence header first", "AV1", []byte{0x18, 0x0a, 0x01}, true},
		{"N, W=0, sequence header second", "AV1", []byte{0x08, 1, 0x12, 2, 0x0a, 0x01}, true},
		{"N, W=2, sequence header last", "AV1", []byte{0x28, 1, 0x12, 0x0a, 0x01}, true},
		{"N without a sequence header", "AV1", []byte{0x18, 0x32, 0x01}, false},
		{"sequence header without N", "AV1", []byte{0x10, 0x0a, 0x01}, false},
		{"a continuation", "AV1", []byte{0x98, 0x0a, 0x01}, false},
		{"a length beyond the end", "AV1", []byte{0x08, 0x7f, 0x0a}, false},
		{"a length that never ends", "AV1", []byte{0x08, 0xff, 0xff, 0xff, 0xff}, false},

		{"audio", "OPUS", []byte{1}, true},
		{"empty audio", "OPUS", nil, false},
	} {
		if got := Keyframe(c.codec, c.payload); got != c.want {
			t.Errorf("%s, %s: %v, want %v", c.codec, c.about, got, c.want)
		}
	}
}

func fuzzKeyframe(f *testing.F, name string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if Keyframe(name, payload) && len(payload) < 2 && name != "H264" {
			t.Fatalf("a key frame in %x", payload)
		}
	})
}

func FuzzKeyframeVP8(f *testing.F) {
	fuzzKeyframe(f, "VP8", []byte{0x90, 0xe0, 0x81, 0x02, 0x03, 0x00, 0x50}, []byte{0x10, 0})
}

func FuzzKeyframeH264(f *testing.F) {
	fuzzKeyframe(f, "H264", []byte{24, 0, 2, 0x68, 1, 0, 2, 0x65, 1}, []byte{0x7c, 0x85, 1})
}

func FuzzKeyframeAV1(f *testing.F) {
	fuzzKeyframe(f, "AV1", []byte{0x08, 1, 0x12, 2, 0x0a, 0x01}, []byte{0x28, 1, 0x12, 0x0a, 0x01})
}

// One byte can begin a VP9 key frame as far as the descriptor says; what counts is that none panics.
func FuzzKeyframeVP9(f *testing.F) {
	f.Add([]byte{0xa8, 0x81, 0x01, 0x00, 0x05})
	f.Add([]byte{0x08})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if Keyframe("VP9", payload) && payload[0]&0x48 != 0x08 {
			t.Fatalf("a key frame in %x", payload)
		}
	})
}
