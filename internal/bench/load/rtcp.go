package load

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"golang.org/x/sys/unix"

	"tertulia/internal/media/socket"
)

// source is a stream a viewer hears of, by the few packets it reads.
type source struct {
	ssrc    uint32
	highest uint32 // extended sequence number
}

const maxSources = 8

// send transmits one datagram; errors are those of a network that loses it.
func (c *Client) send(b []byte, to netip.AddrPort) {
	if c.connected() {
		_, _ = unix.Write(c.fd, b)
		return
	}
	_ = unix.Sendto(c.fd, b, 0, sockaddr(to))
}

// receive takes what waits in the socket.
func (c *Client) receive() {
	in := c.loop.in
	for {
		n := in.read(c.fd)
		for i := range n {
			b := in.datagram(i)
			switch socket.Classify(b) {
			case socket.STUN:
				c.stun(in.from(i), b)
			case socket.DTLS:
				c.dtls(in.from(i), b)
			case socket.RTCP:
				c.rtcp(b)
			case socket.RTP:
				if in.from(i) == c.selected { // a port may have had another owner shortly before
					c.read.Add(1)
					c.rtp(b, in, i)
				}
			}
			if c.closed {
				return
			}
		}
		if n < batchSize {
			return
		}
	}
}

// rtp notes what reports tell; a probe that listens looks inside.
func (c *Client) rtp(b []byte, in *inbox, i int) {
	if len(b) < 12 {
		return
	}
	c.note(binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:]))
	if c.config.Probe && c.heard != nil && c.in != nil {
		c.listen(b, in.stamp(i))
	}
}

func (c *Client) note(ssrc uint32, sequence uint16) {
	for i := range c.sources {
		if s := &c.sources[i]; s.ssrc == ssrc {
			s.highest = uint32(int64(s.highest) + int64(int16(sequence-uint16(s.highest))))
			return
		}
	}
	if len(c.sources) < maxSources {
		c.sources = append(c.sources, source{ssrc, uint32(sequence)})
	}
}

// greet is a client's first word under its keys: it tells a server that its last flight has arrived.
func (c *Client) greet() {
	now := c.loop.now()
	// Clients that came together report and check at times of their own.
	spread := func(every time.Duration) time.Duration {
		return now + max(every, 0)*time.Duration(c.ssrc>>8&0xff)/256
	}
	c.consentAt, c.reportAt = spread(c.config.Consent), spread(c.config.Reports)
	if c.config.Reports < 0 {
		return
	}
	c.report()
	if !c.publishes && c.remote.video != 0 {
		c.seal(&rtcp.PictureLossIndication{SenderSSRC: c.ssrc, MediaSSRC: c.remote.video})
	}
}

// report sends sender reports, or a receiver report of what is known: nothing lost, as no one looks.
func (c *Client) report() {
	if !c.publishes {
		r := rtcp.ReceiverReport{SSRC: c.ssrc}
		for _, s := range c.sources {
			r.Reports = append(r.Reports, rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: s.highest})
		}
		c.seal(&r, c.description(c.ssrc))
		return
	}
	for _, t := range c.tracks {
		if r, ok := t.report(time.Now()); ok {
			c.seal(&r, c.description(t.ssrc))
		} else {
			c.seal(&rtcp.ReceiverReport{SSRC: t.ssrc}, c.description(t.ssrc))
		}
	}
}

func (c *Client) description(ssrc uint32) *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: c.cname}},
	}}}
}

func (c *Client) seal(packets ...rtcp.Packet) {
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	if sealed, err := c.rtcpOut.EncryptRTCP(nil, raw, nil); err == nil {
		c.send(sealed, c.selected)
	}
}

// rtcp looks for what a publisher must hear: that a key frame is asked for (RFC 4585 §6.3.1, RFC 5104 §4.3.1).
func (c *Client) rtcp(b []byte) {
	if !c.publishes || c.in == nil {
		return
	}
	plain, err := c.in.DecryptRTCP(c.loop.plain[:0], b, nil)
	if err != nil {
		return
	}
	for len(plain) >= 4 {
		length := 4 * (int(binary.BigEndian.Uint16(plain[2:])) + 1)
		format := plain[0] & 31
		if rtcp.PacketType(plain[1]) == rtcp.TypePayloadSpecificFeedback && (format == rtcp.FormatPLI || format == rtcp.FormatFIR) {
			c.keyframe.Store(true)
		}
		plain = plain[min(length, len(plain)):]
	}
}

// listen measures a packet under way for so long.
func (c *Client) listen(b []byte, arrived int64) {
	var h rtp.Header
	plain, err := c.in.DecryptRTP(c.loop.plain[:0], b, &h)
	if err != nil || arrived == 0 {
		return
	}
	payload := plain[h.MarshalSize():]
	if h.Padding && len(payload) > 0 {
		payload = payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	c.heard.packet(payload, arrived, h.Marker)
}
