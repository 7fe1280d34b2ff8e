package peer

import (
	"encoding/binary"
	"maps"
	"time"

	"github.com/pion/rtp"

	"tertulia/internal/media"
	"tertulia/internal/media/congestion"
	"tertulia/internal/media/receive"
)

const (
	// maxUndeclared bounds the SSRCs a client may use without having them in its SDP.
	maxUndeclared = 16
	// maxSSRCs bounds all that it may use under its keys, for RTP and for RTCP each.
	maxSSRCs = 64
)

// ssrcs are those that came authenticated. pion/srtp keeps a replay window for each as long as the endpoint lives, so
// a client that counts its SSRCs up would take all memory.
type ssrcs map[uint32]struct{}

// admits tells whether a packet whose SSRC stands at an offset may be opened.
func (s ssrcs) admits(b []byte, at int) bool {
	if len(b) < at+4 {
		return true // too short to be opened
	}
	_, known := s[binary.BigEndian.Uint32(b[at:])]
	return known || len(s) < maxSSRCs
}

func (s *ssrcs) note(ssrc uint32) {
	if *s == nil {
		*s = ssrcs{}
	}
	(*s)[ssrc] = struct{}{}
}

// streams are the tracks of an endpoint at work.
type streams struct {
	endpoint *Endpoint

	sections   []*section
	sources    map[uint32]*source
	undeclared int
	heardRTP   ssrcs
	heardRTCP  ssrcs
	receiving  bool // the client publishes here
	arrivals   *congestion.Arrivals
	transportN uint16 // transport-wide sequence number of what we sent last

	ssrc     uint32 // our identity in RTCP
	maxKbps  int    // what the client may send us; 0 unlimited
	rsize    bool
	reported media.Time // when the latest report was sent
	told     media.Time // when arrival times were last sent
}

// source is a known SSRC of the client and who takes its packets.
type source struct {
	section  *section
	receiver *receive.Receiver
	repair   bool // the SSRC of its RTX
}

// handover is how long a section's source must be silent before a former one feeds the track again: until then its
// packets are late ones.
const handover = media.Time(time.Second)

// heard notes a packet. A client may change its SSRC, and change back, without a word.
func (src *source) heard(now media.Time) {
	sec := src.section
	switch {
	case src.receiver == sec.receiver:
		sec.heard = now
	case !src.repair && now-sec.heard >= handover:
		sec.heard = now
		sec.feed(src.receiver)
	}
}

// rtpPacket decrypts a packet and gives it to the receiver of its SSRC.
func (m *streams) rtpPacket(p *path, b []byte) {
	s := m.endpoint.shard
	if m.endpoint.in == nil {
		s.counters.BeforeKeys++
		return
	}
	if !m.heardRTP.admits(b, 8) {
		s.counters.UnknownSSRC++
		return
	}
	plain, err := m.endpoint.in.DecryptRTP(s.plain[:0], b, &s.header)
	if err != nil {
		m.endpoint.undecrypted(err)
		return
	}
	m.heardRTP.note(s.header.SSRC)
	m.endpoint.authenticated(p, len(b))
	src := m.sources[s.header.SSRC]
	if src == nil {
		if src = m.discover(&s.header); src == nil {
			s.counters.UnknownSSRC++
			return
		}
	}
	src.heard(s.now)
	m.noteArrival(src.section)
	if src.receiver.RTP(s.now, plain) != nil {
		s.counters.Malformed++
	}
}

// discover finds the section of an undeclared SSRC by MID (RFC 9143 §9.2), else by payload type.
func (m *streams) discover(h *rtp.Header) *source {
	for _, sec := range m.sections {
		if sec.track == nil || sec.midExt == 0 {
			continue
		}
		if mid := h.GetExtension(sec.midExt); mid != nil && string(mid) == sec.mid {
			return m.learn(sec, h)
		}
	}
	for _, sec := range m.sections {
		if sec.track != nil && (h.PayloadType == sec.codec.PayloadType || h.PayloadType == sec.codec.RTX) {
			return m.learn(sec, h)
		}
	}
	return nil
}

func (m *streams) learn(sec *section, h *rtp.Header) *source {
	if m.undeclared >= maxUndeclared {
		return nil
	}
	repair := sec.codec.RTX != 0 && h.PayloadType == sec.codec.RTX
	switch {
	case repair && sec.receiver == nil:
		return nil // RTX of what we have not seen yet
	case repair:
		sec.receiver.LearnRTX(h.SSRC)
	case h.PayloadType != sec.codec.PayloadType:
		return nil
	default:
		m.retire(sec)
		sec.receive(h.SSRC, 0)
	}
	m.undeclared++
	src := &source{section: sec, receiver: sec.receiver, repair: repair}
	m.sources[h.SSRC] = src
	return src
}

// retire forgets the sources a section had before its present one, which becomes a former one now: caches are large.
func (m *streams) retire(sec *section) {
	maps.DeleteFunc(m.sources, func(_ uint32, src *source) bool {
		return src.section == sec && src.receiver != sec.receiver
	})
}

// noteArrival records the transport-wide sequence number, RTX and padding included.
func (m *streams) noteArrival(sec *section) {
	if sec.transportExt == 0 {
		return
	}
	var tcc rtp.TransportCCExtension
	if tcc.Unmarshal(m.endpoint.shard.header.GetExtension(sec.transportExt)) == nil {
		m.arrivals.Record(m.endpoint.shard.now, tcc.TransportSequence)
		m.endpoint.hasten(m.told + arrivalsEvery)
	}
}
