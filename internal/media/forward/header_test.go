package forward

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"tertulia/internal/media"
)

func TestHeaderHasTheViewersExtensionsOnly(t *testing.T) {
	transport := uint16(65534)
	g := newRig(t, "opus", func(c *Config) {
		c.MID, c.MIDExt, c.AbsSendTimeExt, c.TransportCCExt, c.AudioLevelExt = "audio_0", 9, 3, 5, 1
		c.Track.AudioLevelExt = 7
		c.TransportSequence = &transport
	})
	theirs := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 7, CSRC: []uint32{8, 9}, Marker: true}, Payload: []byte{1}}
	for id, value := range map[uint8][]byte{7: {0x85}, 2: []byte("secret"), 9: []byte("x")} {
		if err := theirs.SetExtension(id, value); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := theirs.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p := g.publishRaw(1500*ms, 1<<16, 0, true, raw, len(raw)-1)
	if len(p.CSRC) != 0 || len(p.GetExtensionIDs()) != 4 {
		t.Errorf("CSRCs %v, extensions %v", p.CSRC, p.GetExtensionIDs())
	}
	for id, want := range map[uint8][]byte{9: []byte("audio_0"), 3: {0x06, 0, 0}, 5: {0xff, 0xff}, 1: {0x85}} {
		if got := p.GetExtension(id); !bytes.Equal(got, want) {
			t.Errorf("extension %d = %x, want %x", id, got, want)
		}
	}
	if p = g.publish(1500*ms, 1<<16+1, 0, true, 1); !bytes.Equal(p.GetExtension(1), []byte{127}) {
		t.Errorf("level of a packet without = %x", p.GetExtension(1))
	}
	// A publisher that comes back may have another id.
	g.connect()
	g.track.AudioLevelExt = 2
	theirs = rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 7}, Payload: []byte{1}}
	if err := theirs.SetExtension(2, []byte{0x11}); err != nil {
		t.Fatal(err)
	}
	if raw, err = theirs.Marshal(); err != nil {
		t.Fatal(err)
	}
	if again := g.publishRaw(1520*ms, 1<<16, 0, true, raw, len(raw)-1); !bytes.Equal(again.GetExtension(1), []byte{0x11}) {
		t.Errorf("level after a change of source = %x", again.GetExtension(1))
	}
	if !bytes.Equal(p.GetExtension(5), []byte{0, 0}) {
		t.Errorf("transport-wide number = %x", p.GetExtension(5))
	}
}

func TestHeaderWithoutExtensions(t *testing.T) {
	g := newRig(t, "VP8", func(c *Config) {
		c.MID, c.TransportCCExt = "no id for it", 3 // and no transport-wide numbers
		c.AudioLevelExt = 4                         // of a video
	})
	if p := g.publish(0, 1<<16, 0, true, 0x10); p.Extension || len(g.raw[0]) != 13 {
		t.Errorf("sent %x", g.raw[0])
	}
}

func TestHeaderInTwoByteForm(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"an id above 14": func(c *Config) { c.MID, c.MIDExt, c.AbsSendTimeExt = "1", 15, 3 },
		"a long MID":     func(c *Config) { c.MID, c.MIDExt, c.AbsSendTimeExt = strings.Repeat("m", 40), 4, 3 },
	} {
		var mid string
		var id uint8
		g := newRig(t, "VP8", func(c *Config) { change(c); mid, id = c.MID, c.MIDExt })
		p := g.publish(64000*ms, 1<<16, 0, true, 0x10)
		if p.ExtensionProfile != 0x1000 || string(p.GetExtension(id)) != mid || !bytes.Equal(p.GetExtension(3), []byte{0, 0, 0}) {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestAbsSendTime(t *testing.T) {
	for at, want := range map[media.Time]uint32{
		0: 0, 1000 * ms: 1 << 18, 63500 * ms: 127 << 17, 64000 * ms: 0, 1 << 62: absSendTime(media.Time(1<<62) % 64e9),
	} {
		if got := absSendTime(at); got != want {
			t.Errorf("at %d: %x, want %x", at, got, want)
		}
	}
}
