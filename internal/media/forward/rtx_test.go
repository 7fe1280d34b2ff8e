package forward

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"
)

func TestNACKIsAnsweredByRTX(t *testing.T) {
	g := newRig(t, "VP8", func(c *Config) { c.MID, c.MIDExt = "v", 4 })
	offset := g.start(1<<16 + 65534)
	for _, in := range []uint64{65535, 0x10000, 0x10001, 0x10003} { // 0x10002 is lost on the way in
		g.publish(0, 1<<16+in, 5, false, 0x10, byte(in))
	}
	before := len(g.sent)
	g.NACK(500*ms, []rtcp.NackPair{{PacketID: 65535 + offset, LostPackets: 0b0111}})
	got := g.sent[before:]
	if len(got) != 3 { // 65535, 0, 1
		t.Fatalf("resent %d packets", len(got))
	}
	for i, p := range got {
		in := uint16(65535 + i)
		if p.SSRC != 0xbbbb || p.PayloadType != 101 || p.Timestamp != 5 || !p.Marker || string(p.GetExtension(4)) != "v" {
			t.Errorf("resent %v", p)
		}
		if want := append(binary.BigEndian.AppendUint16(nil, in+offset), 0x10, byte(in)); !bytes.Equal(p.Payload, want) {
			t.Errorf("payload %x, want %x", p.Payload, want)
		}
		if i > 0 && p.SequenceNumber != got[i-1].SequenceNumber+1 {
			t.Error("the RTX stream has a gap")
		}
	}
	if s := g.Stats(); s.Resent != 3 || s.NACKed != 4 || s.Unreachable != 1 || s.ResentOctets != 6 || s.Packets != 5 {
		t.Errorf("stats = %+v", s)
	}
	// When it comes at last, it can be asked for as well, and an empty one is an empty original.
	g.publish(0, 1<<16+0x10002, 5, false)
	g.NACK(600*ms, []rtcp.NackPair{{PacketID: 2 + offset}})
	if last := g.sent[len(g.sent)-1]; last.SSRC != 0xbbbb || len(last.Payload) != 2 {
		t.Errorf("resent %v", last)
	}
}

func TestNACKOverPaddingLeftOut(t *testing.T) {
	g := newRig(t, "VP8", nil)
	offset := g.start(1 << 16)
	g.publish(0, 1<<16+1, 0, false)
	g.publish(0, 1<<16+2, 0, false, 0x10, 22)
	g.NACK(0, []rtcp.NackPair{{PacketID: 1 + offset}})
	if last := g.sent[len(g.sent)-1]; len(last.Payload) != 4 || last.Payload[3] != 22 {
		t.Errorf("resent %v, want the packet after the padding", last)
	}
}

func TestNACKForWhatCannotBe(t *testing.T) {
	g := newRig(t, "VP8", nil)
	g.NACK(0, []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}) // before the start
	offset := g.start(1 << 16)
	before := len(g.sent)
	g.NACK(0, []rtcp.NackPair{{PacketID: offset + 1, LostPackets: 0xffff}}) // not sent yet
	g.NACK(0, []rtcp.NackPair{{PacketID: offset - 20, LostPackets: 0xff}})  // from before the start
	g.connect()
	g.source.cached[1<<16] = g.raw[0]
	g.NACK(0, []rtcp.NackPair{{PacketID: offset}}) // of the former source, before the new one begins
	g.publish(0, 1<<16+500, 0, true, 0x10, 0, 1)
	g.NACK(0, []rtcp.NackPair{{PacketID: offset}}) // and after
	g.track.SetSource(nil)
	g.NACK(0, []rtcp.NackPair{{PacketID: offset + 1}})
	if n := len(g.sent) - before - 1; n != 0 {
		t.Errorf("resent %d packets", n)
	}
	if s := g.Stats(); s.Unreachable != s.NACKed {
		t.Errorf("stats = %+v", s)
	}
}

func TestNACKIsBounded(t *testing.T) {
	g := newRig(t, "VP8", nil)
	offset := g.start(1 << 16)
	for in := range uint64(400) {
		g.publish(0, 1<<16+1+in, 0, false, 0x10, 1)
	}
	before := len(g.sent)
	one := []rtcp.NackPair{{PacketID: 9 + offset}}
	g.NACK(0, one)
	g.NACK(unknownRTT-1, one)
	if n := len(g.sent) - before; n != 1 {
		t.Errorf("resent %d times within a round trip", n)
	}
	g.NACK(unknownRTT, one)
	if n := len(g.sent) - before; n != 2 {
		t.Errorf("resent %d times after a round trip", n)
	}
	for i := range uint16(24) {
		g.NACK(500*ms, []rtcp.NackPair{{PacketID: offset + 17*i, LostPackets: 0xffff}})
	}
	if n := len(g.sent) - before; n != maxCredit/resendCost {
		t.Errorf("resent %d in a burst, want %d", n, maxCredit/resendCost)
	}
	if g.Stats().Withheld == 0 {
		t.Error("nothing was withheld")
	}
}

func TestNACKIsIgnoredWhereNotNegotiated(t *testing.T) {
	g := newRig(t, "VP8", func(c *Config) { c.NACK = false })
	offset := g.start(1 << 16)
	g.NACK(0, []rtcp.NackPair{{PacketID: offset}})
	if len(g.sent) != 1 {
		t.Error("resent")
	}
}

// SRTP would use a nonce twice: what goes out under one number has to be the same to the last bit.
func TestResentAsIsIsIdentical(t *testing.T) {
	transport := uint16(0)
	g := newRig(t, "VP8", func(c *Config) {
		c.RTXSSRC = 0
		c.AbsSendTimeExt, c.TransportCCExt = 2, 3
		c.TransportSequence = &transport
	})
	g.publish(0, 1<<16+9, 0, false, 0x10, 1, 9) // dropped: no key frame yet
	offset := g.start(1<<16 + 5)                // a key frame that was reordered
	g.publish(20*ms, 1<<16+12, 0, false, 0x10, 1)
	for now := 30 * ms; now < 200*ms; now += 30 * ms {
		g.NACK(now, []rtcp.NackPair{{PacketID: 9 + offset, LostPackets: 0b111}, {PacketID: 5 + offset}})
	}
	first := map[uint16][]byte{}
	times := map[uint16]int{}
	for i, p := range g.sent {
		times[p.SequenceNumber-offset]++
		if have, ok := first[p.SequenceNumber]; ok && !bytes.Equal(have, g.raw[i]) {
			t.Errorf("%d went out as %x and as %x", p.SequenceNumber-offset, have, g.raw[i])
		}
		first[p.SequenceNumber] = g.raw[i]
	}
	if times[5] != 7 || times[9] != 6 || times[12] != 7 {
		t.Errorf("sent so many times: %v", times)
	}
	// Too long ago to know what went out: nothing does.
	for in := range uint64(asIsReach) {
		g.publish(0, 1<<16+13+in, 0, false, 0x10, 1)
	}
	before := len(g.sent)
	g.NACK(1000*ms, []rtcp.NackPair{{PacketID: 12 + offset}})
	if len(g.sent) != before {
		t.Error("resent a packet whose header is forgotten")
	}
}

func FuzzNACK(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0xff, 0x80}, uint16(1), uint16(0xffff))
	f.Add([]byte{1, 3, 3, 3, 5, 7}, uint16(60000), uint16(1))
	f.Fuzz(func(t *testing.T, steps []byte, id, mask uint16) {
		g := newRig(t, "VP8", func(c *Config) {
			if mask&1 == 0 {
				c.RTXSSRC = 0
			}
		})
		in, payloads := uint64(1<<16), map[uint16][]byte{}
		for i, step := range steps {
			in += uint64(step & 7)
			payload := []byte{0x10, byte(i), step}
			switch {
			case step&0xc0 == 0xc0:
				g.connect()
				in = 1<<16 + uint64(step)
			case step&0x80 != 0:
				payload = nil
			}
			if _, doubled := g.source.cached[in]; !doubled { // receive sees to that
				g.publish(ms, in, uint32(in), true, payload...)
			}
			for j := range uint16(3) {
				g.NACK(ms*50, []rtcp.NackPair{{PacketID: id + j*20, LostPackets: rtcp.PacketBitmap(mask)}})
			}
		}
		for _, p := range g.sent {
			number, payload := p.SequenceNumber, p.Payload
			if p.SSRC == 0xbbbb {
				number, payload = binary.BigEndian.Uint16(payload), payload[2:]
			}
			if have, ok := payloads[number]; ok && !bytes.Equal(have, payload) {
				t.Fatalf("%d is %x and %x", number, have, payload)
			}
			payloads[number] = payload
		}
	})
}
