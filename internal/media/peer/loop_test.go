package peer

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"tertulia/internal/media"
	"tertulia/internal/media/socket"
)

// deaf is a socket that cannot be asked without waiting, as socket.Plain.
type deaf struct {
	nowhere
	read int
}

func (d *deaf) ReadBatch(_ []socket.Message, wait bool) (int, error) {
	if !wait {
		return 0, nil
	}
	d.read++
	return 1, nil
}

// TestMessagesLeaveTheSocketItsTurn, however many keep coming.
func TestMessagesLeaveTheSocketItsTurn(t *testing.T) {
	s := newBench(t, 0).shard
	conn := &deaf{}
	s.config.Socket = conn
	const turns = 4 * maxUnread
	for range turns {
		s.post(func() {})
		if _, err := s.read(false); err != nil {
			t.Fatal(err)
		}
		s.runInbox()
	}
	if conn.read != turns/maxUnread {
		t.Errorf("read %d times in %d turns", conn.read, turns)
	}
	if _, err := s.read(false); err != nil || conn.read != turns/maxUnread+1 {
		t.Errorf("not read when no message waits (%v)", err)
	}
}

// TestABurstStandsInTheSmallestCache until it is forwarded: the rings of media/receive must not go round under as many of
// the largest packets as media/burst.go lets wait, wherever in the ring they begin.
func TestABurstStandsInTheSmallestCache(t *testing.T) {
	for _, kind := range []media.Kind{media.Audio, media.Video} {
		b := newBench(t, 0)
		e := b.shard.paths[b.key].endpoint
		track := b.track
		track.Kind = kind
		e.sections[0].receive(1, 0)
		intact := &intact{t: t}
		track.Attach(intact)
		for n := range uint16(2000) {
			b.shard.now += 300 * media.Time(1e6) // no need to grow
			raw := make([]byte, media.MaxPacketSize-int(n%7))
			raw[0], raw[1], raw[2], raw[3], raw[11] = 0x80, e.sections[0].codec.PayloadType, byte(n>>8), byte(n), 1
			for i := range raw[12:] {
				raw[12+i] = byte(n)
			}
			if err := e.sections[0].receiver.RTP(b.shard.now, raw); err != nil {
				t.Fatal(err)
			}
			if n%97 == 0 {
				b.shard.turn.Flush()
			}
		}
		if b.shard.turn.Flush(); intact.packets != 2000 || intact.longest < 4 {
			t.Errorf("%v: %d packets, at most %d at a time", kind, intact.packets, intact.longest)
		}
	}
}

// intact fails where the bytes of a packet are another's.
type intact struct {
	t                *testing.T
	packets, longest int
}

func (i *intact) Forward(burst []media.Packet) {
	for _, p := range burst {
		payload := p.Payload
		if p.Padded {
			payload = payload[:len(payload)-1]
		}
		for _, b := range payload {
			if b != byte(p.Sequence) {
				i.t.Fatalf("packet %d is overwritten", p.Sequence)
			}
		}
	}
	i.packets += len(burst)
	i.longest = max(i.longest, len(burst))
}

// chatty is a socket on which there is always one datagram more.
type chatty struct {
	nowhere
	read, before int // datagrams read, in all and before the first was sent
}

func (c *chatty) ReadBatch(ms []socket.Message, _ bool) (int, error) {
	if c.read++; c.read == 4*socket.Batch {
		return 0, net.ErrClosed
	}
	ms[0] = socket.Message{Buf: []byte{255}, Remote: netip.MustParseAddrPort("203.0.113.1:1")}
	return 1, nil
}

func (c *chatty) WriteBatch(ms []socket.Message) int {
	if c.before == 0 {
		c.before = c.read
	}
	return c.nowhere.WriteBatch(ms)
}

// TestHandedPacketsFillATurn as those from the socket do, which must not hold them up.
func TestHandedPacketsFillATurn(t *testing.T) {
	w := newWide(t, 0, 1)
	for n := range uint16(socket.Batch) {
		w[0].shard.packet(w[0].key, w[0].packet(t, n+1))
	}
	w[0].shard.send()
	conn, s := &chatty{}, w[1].shard
	s.config.Socket, s.out.socket = conn, conn
	if err := s.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	if conn.sent < socket.Batch || conn.before > 1 {
		t.Errorf("%d datagrams sent, the first after %d reads", conn.sent, conn.before)
	}
}
