package forward

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

// frame publishes packets of these payload sizes as one burst, each with room for a byte of padding; the numbers go on
// from sequence.
func (g *rig) frame(now media.Time, sequence uint64, timestamp uint32, sizes ...int) {
	turn := media.Turn{}
	g.track.Turn = &turn
	for i, size := range sizes {
		raw := append(make([]byte, 12, 12+size+1), bytes.Repeat([]byte{byte(i + 16)}, size)...)
		raw[0] = 0x80
		binary.BigEndian.PutUint32(raw[4:], timestamp)
		raw[:len(raw)+1][len(raw)] = 1
		g.source.cached[sequence+uint64(i)] = raw
		g.track.Publish(&media.Packet{
			Raw: raw, Payload: raw[12:], Sequence: sequence + uint64(i), Timestamp: timestamp, Keyframe: i == 0, Arrival: now,
		})
	}
	turn.Flush()
	g.track.Turn = nil
}

// TestPaddedPackets: what is padded to make a run is, to the viewer, what the publisher sent.
func TestPaddedPackets(t *testing.T) {
	g := newRig(t, "VP8", nil)
	g.frame(0, 1<<16, 3000, 100, 100, 101, 101)
	if len(g.sent) != 4 {
		t.Fatalf("%d packets sent", len(g.sent))
	}
	for i, want := range []int{100, 100, 101, 101} {
		p := g.sent[i]
		if !bytes.Equal(p.Payload, bytes.Repeat([]byte{byte(i + 16)}, want)) || len(g.raw[i]) != len(g.raw[3]) {
			t.Errorf("packet %d: payload of %d bytes, %d on the wire", i, len(p.Payload), len(g.raw[i]))
		}
		if padded := want == 100; p.Padding != padded {
			t.Errorf("packet %d: padding %v", i, p.Padding)
		}
	}
	if s := g.Stats(); s.Packets != 4 || s.Octets != 402 {
		t.Errorf("stats = %+v: padding is no payload", s)
	}
	// RTX needs no padding.
	g.NACK(50*ms, []rtcp.NackPair{{PacketID: g.sent[0].SequenceNumber}})
	if again := g.sent[4]; again.Padding || !bytes.Equal(again.Payload[2:], g.sent[0].Payload) {
		t.Errorf("resent: padding %v, %d bytes", again.Padding, len(again.Payload))
	}
}

// TestPaddedPacketsAreResentAsTheyWere, bit by bit, where there is no RTX.
func TestPaddedPacketsAreResentAsTheyWere(t *testing.T) {
	g := newRig(t, "VP8", func(c *Config) { c.RTXSSRC, c.AbsSendTimeExt = 0, 3 })
	g.frame(0, 1<<16, 3000, 100, 101)
	g.NACK(50*ms, []rtcp.NackPair{{PacketID: g.sent[0].SequenceNumber, LostPackets: 1}})
	if len(g.raw) != 4 || !bytes.Equal(g.raw[0], g.raw[2]) || !bytes.Equal(g.raw[1], g.raw[3]) {
		t.Errorf("sent %x", g.raw)
	}
}

// TestRolloverCount is the number of times that the 16 bits have gone round since the viewer's first packet.
func TestRolloverCount(t *testing.T) {
	out := &counts{}
	g := newRig(t, "opus", func(c *Config) { c.Out = out })
	for i := range uint64(1<<16 + 10) {
		g.track.Publish(&media.Packet{Payload: []byte{1}, Sequence: 1<<16 + i, Keyframe: true})
	}
	before := uint16(0)
	want := uint32(0)
	for i, c := range out.sent {
		if i > 0 && c.number < before {
			want++
		}
		if before = c.number; c.rollover != want {
			t.Fatalf("packet %d, number %d: rollover %d, want %d", i, c.number, c.rollover, want)
		}
	}
	if want != 1 {
		t.Errorf("went round %d times", want)
	}
}

// counts keeps the numbers of packets and what SRTP would be told of them.
type counts struct {
	nowhere
	sent []count
}

type count struct {
	number   uint16
	rollover uint32
}

func (o *counts) Send(_ int, _ []byte, rollover uint32) {
	o.sent = append(o.sent, count{uint16(o.room[2])<<8 | uint16(o.room[3]), rollover})
}
