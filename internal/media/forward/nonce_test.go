package forward

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

// once fails if a number went out with different bytes: SRTP would use a nonce twice.
func (g *rig) once() {
	g.t.Helper()
	first := map[uint16][]byte{}
	for i, p := range g.sent {
		if p.SSRC != 0xaaaa {
			continue
		}
		if have, ok := first[p.SequenceNumber]; ok && !bytes.Equal(have, g.raw[i]) {
			g.t.Errorf("%d went out as %x and as %x", p.SequenceNumber, have, g.raw[i])
		}
		first[p.SequenceNumber] = g.raw[i]
	}
}

// asIs negotiates no RTX, but what may differ from one transmission to the next.
func asIs(c *Config) {
	c.RTXSSRC, c.AbsSendTimeExt, c.TransportCCExt, c.AudioLevelExt = 0, 2, 3, 4
	c.TransportSequence = new(uint16)
}

// TestNumbersBeforePaddingAreKept for what is missing there, whatever comes next.
func TestNumbersBeforePaddingAreKept(t *testing.T) {
	for name, change := range map[string]func(*rig){
		"another source": (*rig).connect,
		"a pause":        func(g *rig) { g.Pause() },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, "VP8", nil)
			g.start(1 << 16)
			g.publish(ms, 1<<16+3, 0, false) // padding; 1 and 2 are missing
			g.publish(ms, 1<<16+4, 0, false)
			for late := range uint64(2) {
				if g.publish(ms, 1<<16+1+late, 0, false, 0x10, byte(late)) == nil {
					t.Fatal("a late packet was not sent")
				}
			}
			change(g)
			for next := range uint64(3) {
				g.publish(2*ms, 1<<17+next, 0, true, 0x10, 0, 40+byte(next))
			}
			g.once()
			for i, p := range g.sent[1:] {
				if want := g.sent[0].SequenceNumber + 1 + uint16(i); p.SequenceNumber != want {
					t.Errorf("packet %d went out as %d, want %d", i+1, p.SequenceNumber, want)
				}
			}
		})
	}
}

// TestResentBeforeItWasSent: a late packet is cached at once but forwarded at the end of the turn, and the viewer may
// ask for it between.
func TestResentBeforeItWasSent(t *testing.T) {
	g := newRig(t, "opus", asIs)
	offset := g.start(1 << 16)
	g.publish(20*ms, 1<<16+2, 960*2, true, 7)
	var turn media.Turn
	g.track.Turn = &turn
	g.publish(30*ms, 1<<16+1, 960, true, 8) // waits
	g.NACK(30*ms, []rtcp.NackPair{{PacketID: offset + 1}})
	turn.Flush()
	g.NACK(90*ms, []rtcp.NackPair{{PacketID: offset + 1}})
	if g.once(); len(g.sent) != 4 || g.sent[2].SequenceNumber != offset+1 || g.sent[3].SequenceNumber != offset+1 {
		t.Errorf("sent %v", g.sent)
	}
	if s := g.Stats(); s.Packets != 2 || s.Resent != 2 || s.Late != 1 {
		t.Errorf("stats = %+v", s)
	}
}

// TestResentWithTheLevelItHad: the next publisher may give the extension another id before its first packet comes.
func TestResentWithTheLevelItHad(t *testing.T) {
	g := newRig(t, "opus", asIs)
	g.track.AudioLevelExt = 1
	raw := []byte{0x90, 0x80 | 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, 0x10, 33, 0, 0, 5}
	p := g.publishRaw(0, 1<<16, 0, true, raw, 20)
	if p == nil || !bytes.Equal(p.GetExtension(4), []byte{33}) {
		t.Fatalf("sent %v", p)
	}
	g.track.AudioLevelExt = 6
	g.NACK(50*ms, []rtcp.NackPair{{PacketID: p.SequenceNumber}})
	if g.once(); len(g.sent) != 2 {
		t.Errorf("%d packets sent", len(g.sent))
	}
}

// TestTooOldForItsNumber: where stamps are forgotten, a late packet would take the place of another's.
func TestTooOldForItsNumber(t *testing.T) {
	g := newRig(t, "opus", asIs)
	offset := g.start(1 << 16)
	for in := uint64(2); in <= asIsReachAudio+1; in++ {
		g.publish(ms, 1<<16+in, 0, true, byte(in))
	}
	if g.publish(2*ms, 1<<16+1, 0, true, 77) != nil {
		t.Error("sent a packet whose number is out of reach")
	}
	g.NACK(500*ms, []rtcp.NackPair{{PacketID: offset + asIsReachAudio + 1}})
	g.once()
	if last := g.sent[len(g.sent)-1]; last.SequenceNumber != offset+asIsReachAudio+1 {
		t.Errorf("resent %d", last.SequenceNumber-offset)
	}
}

// TestNoNumberIsSealedTwice, whatever a publisher, a network and a viewer do in whatever order.
func TestNoNumberIsSealedTwice(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		codec, turn := []string{"opus", "VP8"}[seed%2], media.Turn{}
		g := newRig(t, codec, asIs)
		g.track.Turn = &turn
		first, highest := uint64(1<<16), uint64(1<<16)
		for now := media.Time(0); now < 400*ms; now += ms {
			in := highest + 1
			switch n := random.IntN(100); {
			case n < 25 && highest > first: // late, perhaps for the second time
				in -= random.Uint64N(min(40, highest-first)) + 1
			case n < 35:
				in += random.Uint64N(4) // behind a gap
			case n < 37:
				turn.Flush()
				g.connect()
				first, highest, in = 1<<16, 1<<16, 1<<16
			case n < 39:
				turn.Flush() // as the endpoint's streams are paused between turns
				g.Pause()
			case n < 60:
				g.track.AudioLevelExt = uint8(random.IntN(3))
				near := uint16(g.splice.highestOut) - uint16(random.IntN(20))
				g.NACK(now, []rtcp.NackPair{{PacketID: near, LostPackets: rtcp.PacketBitmap(random.Uint32())}})
			case n < 80:
				turn.Flush()
			}
			if _, doubled := g.source.cached[in]; doubled { // receive sees to that
				continue
			}
			highest = max(highest, in)
			raw := append(make([]byte, 12, 40), []byte{0x10, 0, 0, byte(in), 5, 6, 7, 8}[:[]int{0, 6, 7, 8}[random.IntN(4)]]...)
			raw[0], raw[:len(raw)+1][len(raw)] = 0x80, 1
			g.source.cached[in] = raw
			g.track.Publish(&media.Packet{
				Raw: raw, Payload: raw[12:], Sequence: in, Keyframe: len(raw) > 12 && (codec == "opus" || random.IntN(4) == 0),
				Level: media.Silence, Arrival: now,
			})
		}
		turn.Flush()
		if g.once(); t.Failed() || len(g.sent) < 100 {
			t.Fatalf("seed %d: %d packets sent", seed, len(g.sent))
		}
	}
}
