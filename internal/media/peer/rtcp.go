package peer

import (
	"encoding/binary"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
	"tertulia/internal/media/congestion"
)

// rtcpPacket decrypts a compound packet and gives each part to whom it concerns.
func (m *streams) rtcpPacket(p *path, b []byte) {
	s := m.endpoint.shard
	if m.endpoint.in == nil {
		s.counters.BeforeKeys++
		return
	}
	if !m.heardRTCP.admits(b, 4) {
		s.counters.UnknownSSRC++
		return
	}
	plain, err := m.endpoint.in.DecryptRTCP(s.plain[:0], b, nil)
	if err != nil {
		s.counters.undecrypted(err)
		return
	}
	m.heardRTCP.note(binary.BigEndian.Uint32(b[4:]))
	m.endpoint.authenticated(p, len(b))
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		s.counters.Malformed++
		return
	}
	for _, packet := range packets {
		m.takeRTCP(packet)
	}
}

func (m *streams) takeRTCP(packet rtcp.Packet) {
	now := m.endpoint.shard.now
	switch r := packet.(type) {
	case *rtcp.SenderReport:
		if src := m.sources[r.SSRC]; src != nil && !src.repair {
			src.receiver.SenderReport(now, r.NTPTime, r.RTPTime)
		}
		m.takeReports(now, r.Reports)
	case *rtcp.ReceiverReport:
		m.takeReports(now, r.Reports)
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

func (m *streams) takeReports(now media.Time, reports []rtcp.ReceptionReport) {
	for _, r := range reports {
		if sec := m.sender(r.SSRC); sec != nil {
			sec.forwarder.ReceiverReport(now, r)
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
	if len(packets) == 0 {
		return
	}
	if !m.rsize {
		packets = append([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: m.ssrc}, m.cname()}, packets...)
	}
	m.sendRTCP(packets)
}

// mediaSSRC is any source of the client's: transport feedback is about all of them.
func (m *streams) mediaSSRC() uint32 {
	for ssrc := range m.sources {
		return ssrc
	}
	return 0
}

// report sends the compound of a second: SR or RR, SDES, REMB (RFC 3550 §6.1).
func (m *streams) report(now media.Time) {
	var received []rtcp.ReceptionReport
	var ssrcs []uint32
	var packets []rtcp.Packet
	for _, sec := range m.sections {
		if sec.receiver == nil {
			continue
		}
		r := sec.receiver.Report(now)
		received = append(received, r)
		if sec.codec.Has("goog-remb") {
			ssrcs = append(ssrcs, r.SSRC)
		}
	}
	if len(received) > 0 {
		packets = append(packets, &rtcp.ReceiverReport{SSRC: m.ssrc, Reports: received})
	}
	for _, sec := range m.sections {
		if sec.forwarder == nil {
			continue
		}
		if sr, ok := sec.forwarder.SenderReport(now); ok {
			packets = append(packets, &sr)
		}
	}
	if len(packets) == 0 {
		return
	}
	packets = append(packets, m.cname())
	if m.maxKbps > 0 && len(ssrcs) > 0 {
		packets = append(packets, congestion.REMB(m.ssrc, uint64(m.maxKbps)*1000, ssrcs...))
	}
	m.sendRTCP(packets)
}

// cname names our sources in every compound; all share one, so that the client plays them in step.
func (m *streams) cname() *rtcp.SourceDescription {
	item := []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: m.endpoint.ufrag}}
	sdes := &rtcp.SourceDescription{}
	for _, sec := range m.sections {
		if sec.forwarder != nil {
			sdes.Chunks = append(sdes.Chunks, rtcp.SourceDescriptionChunk{Source: sec.send.SSRC, Items: item})
		}
	}
	if len(sdes.Chunks) == 0 {
		sdes.Chunks = []rtcp.SourceDescriptionChunk{{Source: m.ssrc, Items: item}}
	}
	return sdes
}

// bye tells the client that our sources end.
func (m *streams) bye() {
	var ssrcs []uint32
	for _, sec := range m.sections {
		if sec.forwarder != nil {
			ssrcs = append(ssrcs, sec.send.SSRC)
		}
	}
	if len(ssrcs) > 0 {
		m.sendRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: m.ssrc}, m.cname(), &rtcp.Goodbye{Sources: ssrcs}})
	}
}

// maxRTCP keeps a compound within one datagram; what is too much goes in the next.
const maxRTCP = 1200

func (m *streams) sendRTCP(packets []rtcp.Packet) {
	if m.endpoint.state != Connected || m.endpoint.selected == nil {
		return
	}
	for len(packets) > 0 {
		n, size := 0, 0
		for n < len(packets) && (n == 0 || size+packets[n].MarshalSize() <= maxRTCP) {
			size += packets[n].MarshalSize()
			n++
		}
		m.endpoint.sealRTCP(packets[:n])
		packets = packets[n:]
	}
}
