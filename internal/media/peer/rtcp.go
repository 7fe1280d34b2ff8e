package peer

import (
	"context"
	"encoding/binary"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
	"tertulia/internal/media/congestion"
)

// rtcpPacket decrypts a compound packet and gives each part to whom it concerns.
func (m *streams) rtcpPacket(p *path, b []byte) {
	s := m.endpoint.shard
	if m.endpoint.in == nil {
		m.endpoint.takeProof(b)
		return
	}
	if !m.heardRTCP.admits(b, 4) {
		s.counters.UnknownSSRC++
		return
	}
	plain, err := m.endpoint.in.DecryptRTCP(s.plain[:0], b, &s.controlHeader)
	if err != nil {
		m.endpoint.undecrypted(err)
		return
	}
	m.heardRTCP.note(binary.BigEndian.Uint32(b[4:]))
	m.endpoint.authenticated(p, len(b))
	for rest := compound(plain); len(rest) > 0; {
		part, after, ok := rest.first()
		if !ok || !m.takeRTCP(part) {
			s.counters.Malformed++
			return
		}
		rest = after
	}
}

// takeRTCP takes one part of a compound; false if it is malformed. Reports come all the time and are read in place.
func (m *streams) takeRTCP(part compound) bool {
	now := m.endpoint.shard.now
	switch part[1] {
	case typeSR:
		if len(part) < 28 {
			return false
		}
		if src := m.sources[binary.BigEndian.Uint32(part[4:])]; src != nil && !src.repair {
			src.receiver.SenderReport(now, binary.BigEndian.Uint64(part[8:]), binary.BigEndian.Uint32(part[16:]), binary.BigEndian.Uint32(part[20:]))
		}
		return m.takeReports(now, part)
	case typeRR:
		return m.takeReports(now, part)
	case uint8(rtcp.TypeTransportSpecificFeedback), uint8(rtcp.TypePayloadSpecificFeedback):
		packets, err := rtcp.Unmarshal(part)
		for _, packet := range packets {
			m.takeFeedback(now, packet)
		}
		return err == nil
	}
	return true
}

func (m *streams) takeReports(now media.Time, part compound) bool {
	for i := range part.reports() {
		r, ok := part.block(i)
		if !ok {
			return false
		}
		if sec := m.sender(r.SSRC); sec != nil {
			sec.forwarder.ReceiverReport(now, r)
		}
	}
	return true
}

func (m *streams) takeFeedback(now media.Time, packet rtcp.Packet) {
	switch r := packet.(type) {
	case *rtcp.TransportLayerNack:
		if sec := m.sender(r.MediaSSRC); sec != nil {
			sec.forwarder.NACK(now, r.Nacks)
		}
	case *rtcp.PictureLossIndication:
		if sec := m.sender(r.MediaSSRC); sec != nil {
			sec.forwarder.KeyframeRequested(now)
		}
	case *rtcp.FullIntraRequest:
		for _, f := range r.FIR {
			if sec := m.sender(f.SSRC); sec != nil {
				sec.forwarder.KeyframeRequested(now)
			}
		}
	}
}

// sender is the section that sends under an SSRC of ours.
func (m *streams) sender(ssrc uint32) *section {
	for _, sec := range m.sections {
		if sec.forwarder != nil && sec.send.SSRC == ssrc {
			return sec
		}
	}
	return nil
}

// feedback sends what cannot wait for the next report: NACK, PLI, FIR and arrival times.
func (m *streams) feedback(now media.Time) {
	var packets []rtcp.Packet
	for _, sec := range m.sections {
		if sec.receiver != nil {
			packets = sec.receiver.Feedback(now, m.ssrc, packets)
		}
	}
	if m.arrivals != nil && now-m.told >= arrivalsEvery {
		m.told = now
		packets = m.arrivals.Feedback(m.ssrc, m.mediaSSRC(), packets)
	}
	if len(packets) > 0 {
		m.sendRTCP(packets)
	}
}

// wanting is when to call feedback again; far off if nothing waits for it.
func (m *streams) wanting(now media.Time) media.Time {
	next := now + sparse
	for _, sec := range m.sections {
		if sec.receiver != nil && sec.receiver.Wants() {
			next = now + frequent
		}
	}
	if m.arrivals != nil && m.arrivals.Waiting() {
		next = min(next, m.told+arrivalsEvery)
	}
	return next
}

// mediaSSRC is any source of the client's: transport feedback is about all of them.
func (m *streams) mediaSSRC() uint32 {
	for ssrc := range m.sources {
		return ssrc
	}
	return 0
}

// report sends the compound of a second: SR or RR, SDES, REMB (RFC 3550 §6.1). It allocates nothing unless there is a
// limit to tell.
func (m *streams) report(now media.Time) {
	c := m.endpoint.shard.compound[:0]
	if blocks := receptions(m.sections, now, &[maxSources]rtcp.ReceptionReport{}); len(blocks) > 0 {
		c = c.receiver(m.ssrc, blocks...)
	}
	for _, sec := range m.sections {
		if sec.forwarder == nil {
			continue
		}
		if sr, ok := sec.forwarder.SenderReport(now); ok {
			c = c.sender(&sr)
		}
	}
	if len(c) == 0 {
		return
	}
	c = c.names(m.endpoint.ufrag, named(m.sections, m.ssrc, &[maxSources]uint32{})...)
	if m.maxKbps > 0 {
		c = m.limit(c)
	}
	m.sendCompound(c)
}

// receptions reports on what the client sends.
func receptions(sections []*section, now media.Time, room *[maxSources]rtcp.ReceptionReport) []rtcp.ReceptionReport {
	list := room[:0]
	for _, sec := range sections {
		if sec.receiver != nil && len(list) < len(room) {
			list = append(list, sec.receiver.Report(now))
		}
	}
	return list
}

// boundless is the limit that takes an earlier one back, in kbit/s: clients keep to the latest they were told.
const boundless = 1_000_000

// Limit changes what the client may send us, which the next report tells it; 0 is unlimited.
func (m *streams) Limit(ctx context.Context, kbps int) error {
	return m.endpoint.shard.Do(ctx, func() {
		if kbps == 0 && m.maxKbps > 0 {
			kbps = boundless
		}
		m.maxKbps = kbps
	})
}

// limit appends what the client may send in all.
func (m *streams) limit(c compound) compound {
	var ssrcs []uint32
	for _, sec := range m.sections {
		if sec.receiver != nil && sec.codec.Has("goog-remb") {
			ssrcs = append(ssrcs, sec.receiver.SSRC())
		}
	}
	if len(ssrcs) == 0 {
		return c
	}
	b, err := congestion.REMB(m.ssrc, uint64(m.maxKbps)*1000, ssrcs...).Marshal()
	if err != nil {
		return c
	}
	return append(c, b...)
}

// maxSources bounds the sources of ours that one compound names; an endpoint has an audio and a video section.
const maxSources = 4

// sending lists the SSRCs of what we send.
func sending(sections []*section, room *[maxSources]uint32) []uint32 {
	list := room[:0]
	for _, sec := range sections {
		if sec.forwarder != nil && len(list) < len(room) {
			list = append(list, sec.send.SSRC)
		}
	}
	return list
}

// named lists what gets a CNAME, or else ourselves; all share one, so that the client plays them in step.
func named(sections []*section, otherwise uint32, room *[maxSources]uint32) []uint32 {
	list := sending(sections, room)
	if len(list) == 0 {
		list = append(list, otherwise)
	}
	return list
}

// bye tells the client that our sources end.
func (m *streams) bye() {
	if ssrcs := sending(m.sections, &[maxSources]uint32{}); len(ssrcs) > 0 {
		m.sendCompound(m.endpoint.shard.compound[:0].receiver(m.ssrc).names(m.endpoint.ufrag, ssrcs...).bye(ssrcs...))
	}
}

// maxRTCP keeps a compound within one datagram; what is too much goes in the next.
const maxRTCP = 1200

// sendRTCP sends feedback, in as many compounds as it needs; in whole ones if the client takes no less (RFC 5506).
func (m *streams) sendRTCP(packets []rtcp.Packet) {
	head := m.endpoint.shard.compound[:0]
	if !m.rsize {
		head = head.receiver(m.ssrc).names(m.endpoint.ufrag, named(m.sections, m.ssrc, &[maxSources]uint32{})...)
	}
	c := head
	for _, packet := range packets {
		b, err := packet.Marshal()
		if err != nil {
			m.endpoint.shard.counters.SendDropped++
			continue
		}
		if len(c) > len(head) && len(c)+len(b) > maxRTCP {
			m.sendCompound(c)
			c = head
		}
		c = append(c, b...)
	}
	if len(c) > len(head) {
		m.sendCompound(c)
	}
}

// sendCompound sends what stands in the shard's scratch.
func (m *streams) sendCompound(c compound) {
	if m.endpoint.state == Connected && m.endpoint.selected != nil {
		m.endpoint.sealRTCP(c)
	}
}
