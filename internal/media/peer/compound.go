package peer

import (
	"encoding/binary"

	"github.com/pion/rtcp"
)

// compound is the RTCP of a second (RFC 3550 §6) as it grows. It is written here, not by pion/rtcp, because every
// endpoint sends one each second and a scratch of the shard's holds it.
type compound []byte

const (
	typeSR   = 200
	typeRR   = 201
	typeSDES = 202
	typeBYE  = 203
)

// begin appends a part's header and SSRC; end makes its length right.
func (c compound) begin(count int, kind uint8, ssrc uint32) compound {
	return binary.BigEndian.AppendUint32(append(c, 0x80|byte(count), kind, 0, 0), ssrc)
}

func (c compound) end(from int) compound {
	binary.BigEndian.PutUint16(c[from+2:], uint16((len(c)-from)/4-1))
	return c
}

// receiver appends an RR, of at most 31 blocks (§6.4.2).
func (c compound) receiver(ssrc uint32, blocks ...rtcp.ReceptionReport) compound {
	from := len(c)
	blocks = blocks[:min(len(blocks), 31)]
	c = c.begin(len(blocks), typeRR, ssrc)
	for i := range blocks {
		b := &blocks[i]
		c = binary.BigEndian.AppendUint32(c, b.SSRC)
		c = binary.BigEndian.AppendUint32(c, uint32(b.FractionLost)<<24|b.TotalLost&0xffffff)
		c = binary.BigEndian.AppendUint32(c, b.LastSequenceNumber)
		c = binary.BigEndian.AppendUint32(c, b.Jitter)
		c = binary.BigEndian.AppendUint32(c, b.LastSenderReport)
		c = binary.BigEndian.AppendUint32(c, b.Delay)
	}
	return c.end(from)
}

// sender appends an SR without blocks (§6.4.1).
func (c compound) sender(r *rtcp.SenderReport) compound {
	from := len(c)
	c = c.begin(0, typeSR, r.SSRC)
	c = binary.BigEndian.AppendUint64(c, r.NTPTime)
	c = binary.BigEndian.AppendUint32(c, r.RTPTime)
	c = binary.BigEndian.AppendUint32(c, r.PacketCount)
	c = binary.BigEndian.AppendUint32(c, r.OctetCount)
	return c.end(from)
}

// names appends an SDES packet that gives all sources one CNAME of at most 255 bytes (§6.5.1).
func (c compound) names(cname string, sources ...uint32) compound {
	from := len(c)
	cname = cname[:min(len(cname), 255)]
	c = append(c, 0x80|byte(len(sources)), typeSDES, 0, 0)
	for _, ssrc := range sources {
		c = append(binary.BigEndian.AppendUint32(c, ssrc), byte(rtcp.SDESCNAME), byte(len(cname)))
		c = append(c, cname...)
		const zeros = "\x00\x00\x00\x00" // one ends the list, the others fill the word
		c = append(c, zeros[(len(c)-from)%4:]...)
	}
	return c.end(from)
}

// bye appends a BYE of some sources (§6.6).
func (c compound) bye(sources ...uint32) compound {
	from := len(c)
	c = append(c, 0x80|byte(len(sources)), typeBYE, 0, 0)
	for _, ssrc := range sources {
		c = binary.BigEndian.AppendUint32(c, ssrc)
	}
	return c.end(from)
}

// first cuts the first part off a compound that came in; ok is false if there is no whole one.
func (c compound) first() (part, rest compound, ok bool) {
	if len(c) < 8 || c[0]>>6 != 2 {
		return nil, nil, false
	}
	size := 4 * (int(binary.BigEndian.Uint16(c[2:])) + 1)
	if size < 8 || size > len(c) {
		return nil, nil, false
	}
	return c[:size], c[size:], true
}

// reports is how many blocks an SR or RR claims to have.
func (c compound) reports() int { return int(c[0] & 31) }

// block reads what an SR or RR says about the i-th stream that its sender receives; false if it is cut short.
func (c compound) block(i int) (r rtcp.ReceptionReport, ok bool) {
	at := 8 + 24*i
	if c[1] == typeSR {
		at += 20
	}
	if len(c) < at+24 {
		return r, false
	}
	return r, r.Unmarshal(c[at:at+24]) == nil
}
