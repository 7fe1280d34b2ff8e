package media_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pion/rtp"

	"tertulia/internal/media"
)

// packet marshals an RTP packet with pion, which is the independent opinion in these tests.
func packet(t testing.TB, h rtp.Header, payload []byte, padding byte, extensions map[uint8][]byte) []byte {
	t.Helper()
	h.Version = 2
	for id, value := range extensions {
		if err := h.SetExtension(id, value); err != nil {
			t.Fatal(err)
		}
	}
	p := rtp.Packet{Header: h, Payload: payload}
	if padding > 0 {
		p.Header.Padding, p.Header.PaddingSize = true, padding
	}
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParseHeader(t *testing.T) {
	raw := packet(t, rtp.Header{
		PayloadType: 96, SequenceNumber: 65535, Timestamp: 1 << 31, SSRC: 0xdeadbeef, Marker: true, CSRC: []uint32{1, 2},
	}, []byte("payload"), 5, map[uint8][]byte{1: {9}, 14: []byte("video1")})
	h, err := media.ParseHeader(raw)
	if err != nil {
		t.Fatal(err)
	}
	if h.SSRC != 0xdeadbeef || h.Sequence != 65535 || h.Timestamp != 1<<31 || !h.Marker || h.PayloadType != 96 {
		t.Errorf("header = %+v", h)
	}
	if got := raw[h.HeaderLen : len(raw)-h.PaddingLen]; string(got) != "payload" {
		t.Errorf("payload = %q", got)
	}
	if got := h.Extension(14); string(got) != "video1" {
		t.Errorf("extension 14 = %q", got)
	}
	if h.Extension(2) != nil || h.Extension(0) != nil {
		t.Error("an extension that is not there was found")
	}
}

func TestParseHeaderTwoByteExtensions(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 40)
	// Said beforehand: pion's choice would depend on which of the two is set first.
	twoBytes := rtp.Header{SSRC: 1, Extension: true, ExtensionProfile: rtp.ExtensionProfileTwoByte}
	raw := packet(t, twoBytes, []byte{1}, 0, map[uint8][]byte{20: long, 3: {4, 5}})
	h, err := media.ParseHeader(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(h.Extension(20), long) || !bytes.Equal(h.Extension(3), []byte{4, 5}) {
		t.Errorf("extensions 20 and 3 = %x, %x", h.Extension(20), h.Extension(3))
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	good := packet(t, rtp.Header{SSRC: 1}, []byte{1, 2, 3}, 0, nil)
	patched := func(at int, b ...byte) []byte {
		raw := bytes.Clone(good)
		copy(raw[at:], b)
		return raw
	}
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"empty":                  {nil, media.ErrShort},
		"eleven bytes":           {good[:11], media.ErrShort},
		"version 1":              {patched(0, 0x40), media.ErrVersion},
		"CSRCs beyond the end":   {patched(0, 0x8f), media.ErrShort},
		"extension header cut":   {patched(0, 0x90), media.ErrShort},
		"absurd extension words": {append(patched(0, 0x90), 0xbe, 0xde, 0xff, 0xff), media.ErrShort},
		"padding of zero":        {append(patched(0, 0xa0), 0), media.ErrPadding},
		"padding beyond payload": {append(patched(0, 0xa0), 5), media.ErrPadding},
		"too large":              {append(bytes.Clone(good), make([]byte, media.MaxPacketSize)...), media.ErrTooLarge},
	} {
		if _, err := media.ParseHeader(c.raw); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestParseHeaderOddExtensions(t *testing.T) {
	for name, elements := range map[string][]byte{
		"stops at 15":        {0xf0, 0x10, 1, 0},
		"element beyond end": {0x1f, 1, 2, 3},
		"only padding":       {0, 0, 0, 0},
	} {
		raw := append([]byte{0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1}, elements...)
		h, err := media.ParseHeader(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := h.Extension(1); got != nil {
			t.Errorf("%s: extension 1 = %x", name, got)
		}
	}
}

func TestParseHeaderAllocatesNothing(t *testing.T) {
	raw := packet(t, rtp.Header{SSRC: 1}, []byte{1}, 0, map[uint8][]byte{1: {9}, 2: []byte("video1")})
	if n := testing.AllocsPerRun(100, func() {
		h, err := media.ParseHeader(raw)
		if err != nil || h.Extension(2) == nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(packet(f, rtp.Header{SSRC: 1, CSRC: []uint32{4}}, []byte{1, 2}, 3, map[uint8][]byte{1: {9}}))
	f.Add(packet(f, rtp.Header{SSRC: 1}, nil, 0, map[uint8][]byte{200: make([]byte, 30)}))
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 0xf0, 0x10, 1, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := media.ParseHeader(raw)
		if err != nil {
			return
		}
		if h.HeaderLen < 12 || h.HeaderLen+h.PaddingLen > len(raw) {
			t.Fatalf("header %d + padding %d of %d bytes", h.HeaderLen, h.PaddingLen, len(raw))
		}
		for id := range 256 {
			_ = h.Extension(uint8(id))
		}
		var theirs rtp.Header
		if n, err := theirs.Unmarshal(raw); err == nil && n == h.HeaderLen {
			if theirs.SSRC != h.SSRC || theirs.SequenceNumber != h.Sequence || theirs.Timestamp != h.Timestamp ||
				theirs.Marker != h.Marker || theirs.PayloadType != h.PayloadType {
				t.Fatalf("we read %+v, pion %+v", h, theirs)
			}
		}
	})
}

// TestExtensionsThatAreCutShort are not there; what stands before them is.
func TestExtensionsThatAreCutShort(t *testing.T) {
	for name, c := range map[string]struct {
		profile  []byte
		elements []byte
		found    map[uint8]string
	}{
		"one-byte, padded":       {[]byte{0xbe, 0xde}, []byte{0, 0, 0x10, 'a', 0, 0x20, 'b', 0}, map[uint8]string{1: "a", 2: "b"}},
		"one-byte, stop":         {[]byte{0xbe, 0xde}, []byte{0x10, 'a', 0xf0, 0x20}, map[uint8]string{1: "a", 2: ""}},
		"one-byte, too long":     {[]byte{0xbe, 0xde}, []byte{0x10, 'a', 0x2f, 'b'}, map[uint8]string{1: "a", 2: ""}},
		"two-byte, padded":       {[]byte{0x10, 0x05}, []byte{0, 1, 1, 'a', 0, 2, 1, 'b'}, map[uint8]string{1: "a", 2: "b"}},
		"two-byte, no value":     {[]byte{0x10, 0x00}, []byte{1, 0, 2, 0}, map[uint8]string{1: "", 2: ""}},
		"two-byte, too long":     {[]byte{0x10, 0x00}, []byte{1, 1, 'a', 2}, map[uint8]string{1: "a", 2: ""}},
		"two-byte, length alone": {[]byte{0x10, 0x00}, []byte{1, 1, 'a', 9}, map[uint8]string{9: ""}},
		"another profile":        {[]byte{0xab, 0xcd}, []byte{0x10, 'a', 0, 0}, map[uint8]string{1: ""}},
	} {
		raw := append([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, c.profile...)
		raw = append(raw, 0, byte(len(c.elements)/4))
		raw = append(append(raw, c.elements...), 'p')
		h, err := media.ParseHeader(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, want := range c.found {
			if got := string(h.Extension(id)); got != want {
				t.Errorf("%s: extension %d is %q, want %q", name, id, got, want)
			}
		}
	}
}
