package peer

import (
	"tertulia/internal/media"
	"tertulia/internal/media/receive"
)

// parcelRoom is what a parcel holds at most; what a batch has beyond that goes in another one.
const parcelRoom = 128 << 10

// parcel is what a shard hands to another one at the end of a batch. It belongs to one of them at a time, and goes back
// empty.
type parcel struct {
	from      *Shard
	room      []byte // datagrams and packets, one behind the other
	datagrams []handedDatagram
	packets   []handedPacket
}

// handedDatagram is one that another shard's socket has read.
type handedDatagram struct {
	from    pathKey
	at, end int // in room
}

// handedPacket is one of another shard's track.
type handedPacket struct {
	mirror  *mirror
	packet  media.Packet // without its bytes
	state   receive.State
	at, end int
}

// put copies b in; end is behind it.
func (p *parcel) put(b []byte) (at, end int) {
	at = len(p.room)
	p.room = append(p.room, b...)
	return at, len(p.room)
}

func (p *parcel) datagram(from pathKey, b []byte) {
	at, end := p.put(b)
	p.datagrams = append(p.datagrams, handedDatagram{from, at, end})
}

func (p *parcel) media(m *mirror, packet *media.Packet, state receive.State) {
	at, end := p.put(packet.Raw)
	h := handedPacket{mirror: m, packet: *packet, state: state, at: at, end: end}
	h.packet.Raw, h.packet.Payload = nil, nil
	p.packets = append(p.packets, h)
}

func (p *parcel) count() int { return len(p.datagrams) + len(p.packets) }

func (p *parcel) empty() {
	clear(p.datagrams) // links and mirrors must not be kept alive
	clear(p.packets)
	p.room, p.datagrams, p.packets = p.room[:0], p.datagrams[:0], p.packets[:0]
}

// open gives a shard what the parcel holds, as if it had read or received it.
func (p *parcel) open(s *Shard) {
	s.reader = p.from
	for i := range p.datagrams {
		d := &p.datagrams[i]
		s.packet(d.from, p.room[d.at:d.end])
	}
	s.reader = nil
	for i := range p.packets {
		h := &p.packets[i]
		h.packet.Raw = p.room[h.at:h.end]
		h.mirror.Take(s.now, &h.packet, h.state)
	}
	p.empty()
}

// crossing is what a shard's present batch has for the other ones.
type crossing struct {
	from    *Shard
	parcels []*parcel // to each shard; nil where nothing was ever sent
}

// parcel is the one to be filled for a shard, with room for n bytes.
func (c *crossing) parcel(to *Shard, n int) *parcel {
	p := c.parcels[to.index]
	if p != nil && len(p.room)+n > parcelRoom {
		p = c.dispatch(to.index)
	}
	if p == nil {
		p = &parcel{from: c.from}
		c.parcels[to.index] = p
	}
	return p
}

// handOver gives every shard what the batch had for it: one message and one wake-up for each.
func (c *crossing) handOver() {
	for i, p := range c.parcels {
		if p != nil && p.count() > 0 {
			c.dispatch(i)
		}
	}
}

// dispatch gives a shard its parcel and returns the next one to fill, nil if a new one must be made.
func (c *crossing) dispatch(to int) *parcel {
	p, n := c.parcels[to], uint64(c.parcels[to].count())
	next, taken := c.from.shards[to].accept(p)
	if taken {
		c.from.counters.HandedOver += n
	} else {
		c.from.counters.HandOverDropped += n
		next.empty()
	}
	if next != nil {
		next.from = c.from
	}
	c.parcels[to] = next
	return next
}
