package load

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"tertulia/internal/media/sdp"
)

func never() bool { return false }

// TestPacketsAreValid: another implementation reads header, extensions, VP8 and trailer.
func TestPacketsAreValid(t *testing.T) {
	s := newStage(t, Config{}, true)
	s.agree()
	video := s.client.track("video")
	due := time.Unix(1_800_000_000, 0).UnixNano()
	var b [largest]byte
	first := video.sequence
	for i, c := range []struct {
		begins, marker bool
		picture        uint16
	}{{true, false, 1}, {false, true, 1}, {true, true, 2}} {
		now := due + int64(i)*1e6
		raw := video.build(b[:0], Packet{Size: 600 + i, Marker: c.marker}, c.begins, due, now, uint16(40+i), never)
		var p rtp.Packet
		ok(t, p.Unmarshal(raw))
		if len(raw) != 600+i || p.PayloadType != 100 || p.SSRC != video.ssrc || p.Marker != c.marker || p.SequenceNumber != first+uint16(i)+1 || p.Timestamp != video.base {
			t.Errorf("packet %d: %d bytes, %+v", i, len(raw), p.Header)
		}
		var twcc rtp.TransportCCExtension
		ok(t, twcc.Unmarshal(p.GetExtension(2)))
		var abs rtp.AbsSendTimeExtension
		ok(t, abs.Unmarshal(p.GetExtension(1)))
		if want := rtp.NewAbsSendTimeExtension(time.Unix(0, now)); twcc.TransportSequence != uint16(40+i) || abs.Timestamp != want.Timestamp&0xffffff {
			t.Errorf("packet %d: number %d, sent %d, want %d", i, twcc.TransportSequence, abs.Timestamp, want.Timestamp&0xffffff)
		}
		if string(p.GetExtension(4)) != "7" || p.GetExtension(3) != nil {
			t.Errorf("packet %d: mid %q, level %x of a picture", i, p.GetExtension(4), p.GetExtension(3))
		}
		var v codecs.VP8Packet
		frame, err := v.Unmarshal(p.Payload)
		ok(t, err)
		if v.PictureID != c.picture || v.S == 1 != c.begins || v.PID != 0 {
			t.Errorf("packet %d: %+v", i, v)
		}
		if key := frame[0]&1 == 0; c.begins && key != (i == 0) {
			t.Errorf("packet %d: key frame: %v", i, key)
		}
		if i == 0 && (binary.LittleEndian.Uint16(frame[6:]) != 1280 || binary.LittleEndian.Uint16(frame[8:]) != 720) {
			t.Errorf("the picture is %x", frame[:10])
		}
		var all Heard
		all.packet(p.Payload, now+1000, c.marker)
		if all.Video.Max() != time.Microsecond {
			t.Errorf("packet %d took %v", i, all.Video.Max())
		}
		if i == 1 && all.Last.Max() != time.Millisecond+time.Microsecond {
			t.Errorf("the last of a frame came %v after the first was sent", all.Last.Max())
		}
	}
}

// TestNumbersGoRound: sequence numbers, picture ids and timestamps.
func TestNumbersGoRound(t *testing.T) {
	s := newStage(t, Config{}, true)
	s.agree()
	video := s.client.track("video")
	video.sequence, video.picture, video.base = 65535, 0x7fff, 1<<32-90
	var b [largest]byte
	at := int64(1e18)
	build := func() (p rtp.Packet, v codecs.VP8Packet) {
		ok(t, p.Unmarshal(video.build(b[:0], Packet{Size: 100, Marker: true}, true, at, at, 0, never)))
		_, err := v.Unmarshal(p.Payload)
		ok(t, err)
		return p, v
	}
	build()
	at += 1e6
	if p, v := build(); p.SequenceNumber != 1 || p.Timestamp != 0 || v.PictureID != 1 {
		t.Errorf("number %d, picture %d, at %d", p.SequenceNumber, v.PictureID, p.Timestamp)
	}
	at += 24 * 3600 * 1e9
	if p, _ := build(); p.Timestamp != uint32(24*3600*90000%(1<<32)) {
		t.Errorf("a day later it is %d", p.Timestamp)
	}
}

// TestSmallPackets: what is shorter than its header gets a byte of payload, and no trailer.
func TestSmallPackets(t *testing.T) {
	s := newStage(t, Config{}, true)
	s.agree()
	for _, track := range s.client.tracks {
		for size := 12; size < 80; size++ {
			var b [largest]byte
			raw := track.build(b[:0], Packet{Size: size, Marker: true}, true, 1, 1, 0, never)
			var p rtp.Packet
			ok(t, p.Unmarshal(raw))
			if want := max(size-len(track.header), 1); len(p.Payload) != want {
				t.Fatalf("%s of %d bytes has %d of payload, want %d", track.kind, size, len(p.Payload), want)
			}
		}
	}
}

// TestHeaderHoldsWhatWasAgreed and nothing else; a foreign mid that is too long is left out.
func TestHeaderHoldsWhatWasAgreed(t *testing.T) {
	track := newTrack("audio", make([]byte, 10))
	long := section("audio")
	long.MID = "a mid of more than sixteen bytes"
	for _, c := range []struct {
		section *sdp.Section
		ids     []uint8
	}{
		{&sdp.Section{Codecs: []sdp.Codec{{PayloadType: 9}}}, nil}, {section("audio"), []uint8{1, 2, 3, 4}}, {long, []uint8{1, 2, 3}},
	} {
		track.agree(c.section)
		var h rtp.Header
		n, err := h.Unmarshal(track.header)
		ok(t, err)
		if n != len(track.header) || len(h.GetExtensionIDs()) != len(c.ids) || h.PayloadType != c.section.Codecs[0].PayloadType {
			t.Errorf("header %x has %v, want %v", track.header, h.GetExtensionIDs(), c.ids)
		}
		if len(c.ids) > 2 && h.GetExtension(3)[0] != 0x80|30 {
			t.Errorf("the voice is %x", h.GetExtension(3))
		}
	}
}

func TestHistogramsMerge(t *testing.T) {
	var a, b Histogram
	a.Add(-time.Second)
	for i := range 10 {
		b.Add(time.Duration(i) * time.Second)
	}
	a.Merge(&b)
	if a.Count() != 11 || a.Max() != 9*time.Second || a.Quantile(0) != 0 || a.Quantile(1) != 9*time.Second {
		t.Errorf("%d, at most %v, from %v to %v", a.Count(), a.Max(), a.Quantile(0), a.Quantile(1))
	}
	for d := time.Duration(1); d > 0 && d < 1<<62; d = d*5/4 + 1 {
		if over := top(bucket(d)); over < d || over-d > d/steps+1 {
			t.Fatalf("%v is counted as %v", d, over)
		}
	}
}
