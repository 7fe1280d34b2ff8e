package congestion

import (
	"math"
	"time"

	"github.com/pion/rtcp"
)

// maxDeltas keeps a feedback packet below 1,200 bytes, even if each delta takes two and the statuses never repeat.
const maxDeltas = 400

// Feedback appends what arrived since the last call as transport-wide feedback packets, none if nothing did. The sender
// is our SSRC, mediaSSRC any of the publisher's. A call every 100 ms is what browsers expect.
func (a *Arrivals) Feedback(sender, mediaSSRC uint32, dst []rtcp.Packet) []rtcp.Packet {
	for a.begin < a.end {
		p := a.next()
		p.SenderSSRC, p.MediaSSRC = sender, mediaSSRC
		dst = append(dst, p)
	}
	return dst
}

// next makes one packet, which begins with a.begin and ends with a packet that arrived, as far as deltas reach: in
// number, and in time (a delta has 16 bits: ±8 s).
func (a *Arrivals) next() *rtcp.TransportLayerCC {
	const ticksPerReference = int64(64 * time.Millisecond / (250 * time.Microsecond))
	p := &rtcp.TransportLayerCC{BaseSequenceNumber: uint16(a.begin), FbPktCount: a.feedback}
	a.feedback++
	var statuses [reach]uint16
	deltas := make([]rtcp.RecvDelta, 0, 64)
	last, count := int64(0), 0
	for number := a.begin; number < a.end && len(deltas) < maxDeltas; number++ {
		arrived := int64(a.times[number%reach])
		if arrived == 0 {
			continue
		}
		if len(deltas) == 0 {
			reference := arrived / ticksPerReference
			p.ReferenceTime = uint32(reference) & 0xffffff
			last = reference * ticksPerReference
		}
		delta := arrived - last
		if delta != int64(int16(delta)) {
			break
		}
		status := rtcp.TypeTCCPacketReceivedLargeDelta
		if delta >= 0 && delta <= math.MaxUint8 {
			status = rtcp.TypeTCCPacketReceivedSmallDelta
		}
		last = arrived
		statuses[number-a.begin] = status
		count = int(number-a.begin) + 1
		deltas = append(deltas, rtcp.RecvDelta{Type: status, Delta: delta * rtcp.TypeTCCDeltaScaleFactor})
	}
	a.begin += uint64(count)
	p.PacketStatusCount = uint16(count)
	p.PacketChunks = chunks(statuses[:count])
	p.RecvDeltas = make([]*rtcp.RecvDelta, len(deltas))
	for i := range deltas {
		p.RecvDeltas[i] = &deltas[i]
	}
	seal(p)
	return p
}

// chunks packs statuses (§3.1.3, §3.1.4): a run where it saves something, else 14 of one bit or 7 of two.
func chunks(statuses []uint16) (packed []rtcp.PacketStatusChunk) {
	for len(statuses) > 0 {
		n := 1
		for n < len(statuses) && statuses[n] == statuses[0] {
			n++
		}
		switch {
		case n > 14 || n == len(statuses):
			packed = append(packed, &rtcp.RunLengthChunk{PacketStatusSymbol: statuses[0], RunLength: uint16(n)})
		case small(statuses):
			n = min(14, len(statuses))
			packed = append(packed, vector(rtcp.TypeTCCSymbolSizeOneBit, statuses[:n]))
		default:
			n = min(7, len(statuses))
			packed = append(packed, vector(rtcp.TypeTCCSymbolSizeTwoBit, statuses[:n]))
		}
		statuses = statuses[n:]
	}
	return packed
}

// small tells whether the next 14 statuses fit one bit each.
func small(statuses []uint16) bool {
	for _, s := range statuses[:min(14, len(statuses))] {
		if s == rtcp.TypeTCCPacketReceivedLargeDelta {
			return false
		}
	}
	return true
}

func vector(size uint16, statuses []uint16) *rtcp.StatusVectorChunk {
	return &rtcp.StatusVectorChunk{
		Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: size, SymbolList: append([]uint16(nil), statuses...),
	}
}

// seal fills in the RTCP header, which pion leaves to the caller.
func seal(p *rtcp.TransportLayerCC) {
	size := 20 + 2*len(p.PacketChunks)
	for _, d := range p.RecvDeltas {
		size += int(d.Type) // 1 byte for a small delta, 2 for a large one: the statuses' values
	}
	p.Header = rtcp.Header{
		Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback,
		Padding: size%4 != 0, Length: uint16((size+3)/4 - 1),
	}
}
