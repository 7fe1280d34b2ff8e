package codec

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"
)

func TestParsePicture(t *testing.T) {
	for _, c := range []struct {
		about, codec string
		payload      []byte
		ok           bool
		id           uint16
		bits         uint8
		tl0          uint8
		hasTL0       bool
	}{
		{"no extension byte", "VP8", []byte{0x10, 0x00}, true, 0, 0, 0, false},
		{"7 bits", "VP8", []byte{0x90, 0x80, 0x7f, 0x00}, true, 0x7f, 7, 0, false},
		{"15 bits and TL0", "VP8", []byte{0x90, 0xc0, 0x81, 0x02, 0x09, 0x00}, true, 0x102, 15, 9, true},
		{"cut after the flags", "VP8", []byte{0x90, 0x80}, false, 0, 0, 0, false},
		{"TID cut", "VP8", []byte{0x90, 0x20}, false, 0, 0, 0, false},
		{"15 bits, layers, TL0", "VP9", []byte{0xa0, 0x81, 0x02, 0x00, 0x09, 0}, true, 0x102, 15, 9, true},
		{"flexible mode has no TL0", "VP9", []byte{0xb0, 0x05, 0x00, 0x09}, true, 5, 7, 0, false},
		{"TL0 cut", "VP9", []byte{0xa0, 0x05, 0x00}, false, 0, 0, 0, false},
		{"empty", "VP9", nil, false, 0, 0, 0, false},
		{"none in H264", "H264", []byte{0x65, 1}, false, 0, 0, 0, false},
	} {
		p, ok := ParsePicture(c.codec, c.payload)
		if ok != c.ok {
			t.Errorf("%s, %s: ok = %v", c.codec, c.about, ok)
		}
		if ok && (p.ID != c.id || p.IDBits != c.bits || p.TL0 != c.tl0 || p.HasTL0 != c.hasTL0) {
			t.Errorf("%s, %s: %+v", c.codec, c.about, p)
		}
	}
}

func TestRewriteKeepsWidth(t *testing.T) {
	for _, c := range []struct{ payload, want []byte }{
		{[]byte{0x90, 0x80, 0x7f, 0xee}, []byte{0x90, 0x80, 0x23, 0xee}},
		{[]byte{0x90, 0xc0, 0x81, 0x02, 0x09, 0xee}, []byte{0x90, 0xc0, 0xff, 0xa3, 0x55, 0xee}},
		{[]byte{0x10, 0xee}, []byte{0x10, 0xee}},
	} {
		got := bytes.Clone(c.payload)
		p, ok := ParsePicture("VP8", got)
		if !ok {
			t.Fatalf("%x not parsed", got)
		}
		p.Rewrite(got, 0x7fa3, 0x55)
		if !bytes.Equal(got, c.want) {
			t.Errorf("%x became %x, want %x", c.payload, got, c.want)
		}
	}
}

func FuzzPicture(f *testing.F) {
	f.Add(true, []byte{0x90, 0xc0, 0x81, 0x02, 0x09, 0x00})
	f.Add(false, []byte{0xa0, 0x81, 0x02, 0x00, 0x09, 0})
	f.Fuzz(func(t *testing.T, vp8 bool, payload []byte) {
		name := "VP9"
		if vp8 {
			name = "VP8"
		}
		p, ok := ParsePicture(name, payload)
		if !ok {
			return
		}
		var theirs codecs.VP8Packet
		if _, err := theirs.Unmarshal(payload); vp8 && err == nil {
			if theirs.PictureID != p.ID || theirs.TL0PICIDX != p.TL0 {
				t.Fatalf("we read %+v, pion %+v", p, theirs)
			}
		}
		p.Rewrite(payload, 0x1234, 0x56)
		again, ok := ParsePicture(name, payload)
		if !ok || again.IDBits != p.IDBits || again.HasTL0 != p.HasTL0 {
			t.Fatalf("%+v reads as %+v after rewriting", p, again)
		}
		if p.IDBits == 15 && again.ID != 0x1234 || p.IDBits == 7 && again.ID != 0x34 || p.HasTL0 && again.TL0 != 0x56 {
			t.Fatalf("rewritten numbers read as %+v", again)
		}
	})
}

// TestDescriptorsCutShort: every beginning of a payload is either too short or read within its bounds.
func TestDescriptorsCutShort(t *testing.T) {
	for name, c := range map[string]struct {
		payload []byte
		least   int // bytes that must be there
	}{
		"VP8":      {[]byte{0x00}, 1},
		"VP8 ID7":  {[]byte{0x80, 0x80, 0x05}, 3},
		"VP8 ID15": {[]byte{0x80, 0x80, 0x85, 1}, 4},
		"VP8 all":  {[]byte{0x80, 0xf0, 0x85, 1, 9, 0x20}, 6},
		"VP8 TID":  {[]byte{0x80, 0x20, 0x40}, 3},
		"VP9":      {[]byte{0x08}, 1},
		"VP9 ID7":  {[]byte{0x88, 0x05}, 2},
		"VP9 ID15": {[]byte{0x88, 0x85, 1}, 3},
		"VP9 all":  {[]byte{0xa8, 0x85, 1, 0x20, 9}, 5},
		"VP9 flex": {[]byte{0xb8, 0x85, 1, 0x20}, 4},
	} {
		for cut := range len(c.payload) + 1 {
			p, ok := ParsePicture(name[:3], c.payload[:cut])
			if ok != (cut >= c.least) {
				t.Errorf("%s: %d bytes are parsed: %v", name, cut, ok)
			}
			if ok {
				p.Rewrite(c.payload[:cut], p.ID, p.TL0) // in place, and nothing changes
			}
		}
	}
}
