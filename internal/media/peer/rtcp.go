package peer

import (
	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

// rtcpPacket decrypts a compound packet and gives each part to whom it concerns.
func (e *Endpoint) rtcpPacket(p *path, b []byte) {
	s := e.shard
	if e.in == nil {
		s.counters.BeforeKeys++
		return
	}
	plain, err := e.in.DecryptRTCP(s.plain[:0], b, nil)
	if err != nil {
		s.refusedSRTP(err)
		return
	}
	e.authenticated(p, len(b))
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		s.counters.Malformed++
		return
	}
	for _, packet := range packets {
		e.takeRTCP(packet)
	}
}

func (e *Endpoint) takeRTCP(packet rtcp.Packet) {
	now := e.shard.now
	switch r := packet.(type) {
	case *rtcp.SenderReport:
		if src := e.sources[r.SSRC]; src != nil {
			src.receiver.SenderReport(now, r.NTPTime, r.RTPTime)
		}
		e.takeReports(now, r.Reports)
	case *rtcp.ReceiverReport:
		e.takeReports(now, r.Reports)
	case *rtcp.TransportLayerNack:
		if sec := e.sender(r.MediaSSRC); sec != nil {
			sec.forwarder.NACK(now, r.Nacks)
		}
	case *rtcp.PictureLossIndication:
		if sec := e.sender(r.MediaSSRC); sec != nil {
			sec.forwarder.KeyframeRequested(now)
		}
	case *rtcp.FullIntraRequest:
		for _, f := range r.FIR {
			if sec := e.sender(f.SSRC); sec != nil {
				sec.forwarder.KeyframeRequested(now)
			}
		}
	}
}

func (e *Endpoint) takeReports(now media.Time, reports []rtcp.ReceptionReport) {
	for _, r := range reports {
		if sec := e.sender(r.SSRC); sec != nil {
			sec.forwarder.ReceiverReport(now, r)
		}
	}
}

// sender is the section that sends under an SSRC of ours.
func (e *Endpoint) sender(ssrc uint32) *section {
	for _, sec := range e.sections {
		if sec.forwarder != nil && sec.send.SSRC == ssrc {
			return sec
		}
	}
	return nil
}

// feedback sends what cannot wait for the next report: NACK, PLI, FIR and arrival times.
func (e *Endpoint) feedback(now media.Time) {
	var packets []rtcp.Packet
	for _, sec := range e.sections {
		if sec.receiver != nil {
			packets = sec.receiver.Feedback(now, e.ssrc, packets)
		}
	}
	if e.arrivals != nil && now-e.told >= arrivalsEvery {
		e.told = now
		packets = e.arrivals.Feedback(e.ssrc, e.mediaSSRC(), packets)
	}
	if len(packets) == 0 {
		return
	}
	if !e.rsize {
		packets = append([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: e.ssrc}, e.cname()}, packets...)
	}
	e.sendRTCP(packets)
}

// mediaSSRC is any source of the client's: transport feedback is about all of them.
func (e *Endpoint) mediaSSRC() uint32 {
	for ssrc := range e.sources {
		return ssrc
	}
	return 0
}

// report sends the compound of a second: SR or RR, SDES, REMB (RFC 3550 §6.1).
func (e *Endpoint) report(now media.Time) {
	var received []rtcp.ReceptionReport
	var ssrcs []uint32
	var packets []rtcp.Packet
	for _, sec := range e.sections {
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
		packets = append(packets, &rtcp.ReceiverReport{SSRC: e.ssrc, Reports: received})
	}
	for _, sec := range e.sections {
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
	packets = append(packets, e.cname())
	if e.maxKbps > 0 && len(ssrcs) > 0 {
		packets = append(packets, &rtcp.ReceiverEstimatedMaximumBitrate{
			SenderSSRC: e.ssrc, Bitrate: float32(e.maxKbps) * 1000, SSRCs: ssrcs,
		})
	}
	e.sendRTCP(packets)
}

// cname names our sources in every compound; all share one, so that the client plays them in step.
func (e *Endpoint) cname() *rtcp.SourceDescription {
	item := []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: e.ufrag}}
	sdes := &rtcp.SourceDescription{}
	for _, sec := range e.sections {
		if sec.forwarder != nil {
			sdes.Chunks = append(sdes.Chunks, rtcp.SourceDescriptionChunk{Source: sec.send.SSRC, Items: item})
		}
	}
	if len(sdes.Chunks) == 0 {
		sdes.Chunks = []rtcp.SourceDescriptionChunk{{Source: e.ssrc, Items: item}}
	}
	return sdes
}

// bye tells the client that our sources end.
func (e *Endpoint) bye() {
	var ssrcs []uint32
	for _, sec := range e.sections {
		if sec.forwarder != nil {
			ssrcs = append(ssrcs, sec.send.SSRC)
		}
	}
	if len(ssrcs) > 0 {
		e.sendRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: e.ssrc}, e.cname(), &rtcp.Goodbye{Sources: ssrcs}})
	}
}

// maxRTCP keeps a compound within one datagram; what is too much goes in the next.
const maxRTCP = 1200

func (e *Endpoint) sendRTCP(packets []rtcp.Packet) {
	if e.state != Connected || e.selected == nil {
		return
	}
	for len(packets) > 0 {
		n, size := 0, 0
		for n < len(packets) && (n == 0 || size+packets[n].MarshalSize() <= maxRTCP) {
			size += packets[n].MarshalSize()
			n++
		}
		e.sealRTCP(packets[:n])
		packets = packets[n:]
	}
}

func (e *Endpoint) sealRTCP(packets []rtcp.Packet) {
	raw, err := rtcp.Marshal(packets)
	if err != nil || len(raw) > datagram-64 {
		e.shard.counters.SendDropped++
		return
	}
	sealed, err := e.out.EncryptRTCP(e.shard.slot()[:0], raw, nil)
	if err != nil {
		e.shard.counters.SendDropped++
		return
	}
	e.sent(sealed)
}
