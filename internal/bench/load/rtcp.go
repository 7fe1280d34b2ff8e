package load

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
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

// talk is what a client says and hears by RTCP, and what it hears of RTP.
type talk struct {
	client *Client

	ssrc     uint32 // of a viewer's reports
	sources  []source
	reportAt time.Duration
	keyframe atomic.Bool // the server has asked for one
	heard    *Heard      // set while a probe listens
}

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
func (t *talk) rtp(b []byte, in *inbox, i int) {
	if len(b) < 12 {
		return
	}
	t.note(binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:]))
	if t.client.config.Probe && t.heard != nil && t.client.in != nil {
		t.listen(b, in.stamp(i))
	}
}

func (t *talk) note(ssrc uint32, sequence uint16) {
	for i := range t.sources {
		if s := &t.sources[i]; s.ssrc == ssrc {
			if ahead := int16(sequence - uint16(s.highest)); ahead > 0 { // others come late
				s.highest += uint32(ahead)
			}
			return
		}
	}
	if len(t.sources) < maxSources {
		t.sources = append(t.sources, source{ssrc, uint32(sequence)})
	}
}

// greet is a client's first word under its keys: it tells a server that its last flight has arrived.
func (t *talk) greet() {
	now := t.client.loop.now()
	// Clients that came together report and check at times of their own.
	spread := func(every time.Duration) time.Duration {
		return now + max(every, 0)*time.Duration(t.ssrc>>8&0xff)/256
	}
	t.client.consentAt, t.reportAt = spread(t.client.config.Consent), spread(t.client.config.Reports)
	if t.client.config.Reports < 0 {
		return
	}
	t.report()
	if !t.client.publishes && t.client.remote.video != 0 {
		t.seal(&rtcp.PictureLossIndication{SenderSSRC: t.ssrc, MediaSSRC: t.client.remote.video})
	}
}

// report sends sender reports, or a receiver report of what is known: nothing lost, as no one looks.
func (t *talk) report() {
	if !t.client.publishes {
		r := rtcp.ReceiverReport{SSRC: t.ssrc}
		for _, s := range t.sources {
			r.Reports = append(r.Reports, rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: s.highest})
		}
		t.seal(&r, t.description(t.ssrc))
		return
	}
	for _, track := range t.client.tracks {
		if r, ok := track.report(time.Now()); ok {
			t.seal(&r, t.description(track.ssrc))
		} else {
			t.seal(&rtcp.ReceiverReport{SSRC: track.ssrc}, t.description(track.ssrc))
		}
	}
}

func (t *talk) description(ssrc uint32) *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: t.client.cname}},
	}}}
}

func (t *talk) seal(packets ...rtcp.Packet) {
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	if sealed, err := t.client.rtcpOut.EncryptRTCP(nil, raw, nil); err == nil {
		t.client.send(sealed, t.client.selected)
	}
}

// rtcp looks for what a publisher must hear: that a key frame is asked for (RFC 4585 §6.3.1, RFC 5104 §4.3.1).
func (t *talk) rtcp(b []byte) {
	if !t.client.publishes || t.client.in == nil {
		return
	}
	plain, err := t.client.in.DecryptRTCP(t.client.loop.plain[:0], b, nil)
	if err != nil {
		return
	}
	for len(plain) >= 4 {
		length := 4 * (int(binary.BigEndian.Uint16(plain[2:])) + 1)
		format := plain[0] & 31
		if rtcp.PacketType(plain[1]) == rtcp.TypePayloadSpecificFeedback && (format == rtcp.FormatPLI || format == rtcp.FormatFIR) {
			t.keyframe.Store(true)
		}
		plain = plain[min(length, len(plain)):]
	}
}

// listen measures a packet under way for so long.
func (t *talk) listen(b []byte, arrived int64) {
	plain, err := t.client.in.DecryptRTP(t.client.loop.plain[:0], b, nil)
	if err != nil || arrived == 0 {
		return
	}
	var p rtp.Packet
	if p.Unmarshal(plain) == nil {
		t.heard.packet(p.Payload, arrived, p.Marker)
	}
}
