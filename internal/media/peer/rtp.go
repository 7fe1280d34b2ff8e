package peer

import (
	"errors"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// maxUndeclared bounds the SSRCs a client may use without having them in its SDP.
const maxUndeclared = 16

// rtpPacket decrypts a packet and gives it to the receiver of its SSRC.
func (e *Endpoint) rtpPacket(p *path, b []byte) {
	s := e.shard
	if e.in == nil {
		s.counters.BeforeKeys++
		return
	}
	plain, err := e.in.DecryptRTP(s.plain[:0], b, &s.header)
	if err != nil {
		s.refusedSRTP(err)
		return
	}
	e.authenticated(p, len(b))
	src := e.sources[s.header.SSRC]
	if src == nil {
		if src = e.discover(&s.header); src == nil {
			s.counters.UnknownSSRC++
			return
		}
	}
	e.noteArrival(src.section)
	if src.receiver.RTP(s.now, plain) != nil {
		s.counters.Malformed++
	}
}

// refusedSRTP counts what did not decrypt: replays apart from forgeries. pion/srtp does not export its error for a
// replay, only wraps it.
func (s *Shard) refusedSRTP(err error) {
	cause := errors.Unwrap(err)
	switch {
	case errors.Is(err, srtp.ErrFailedToVerifyAuthTag):
		s.counters.Forged++
	case cause != nil && cause.Error() == "duplicated packet":
		s.counters.Replayed++
	default:
		s.counters.Malformed++
	}
}

// authenticated notes that the client has our keys: its handshake can be released.
func (e *Endpoint) authenticated(p *path, n int) {
	p.heard = e.shard.now
	e.packetsIn++
	e.bytesIn += uint64(n)
	if !e.proven {
		e.proven = true
		e.endDTLS()
	}
}

// discover finds the section of an undeclared SSRC by MID (RFC 9143 §9.2), else by payload type.
func (e *Endpoint) discover(h *rtp.Header) *source {
	for _, sec := range e.sections {
		if sec.track == nil || sec.midExt == 0 {
			continue
		}
		if mid := h.GetExtension(sec.midExt); mid != nil && string(mid) == sec.mid {
			return e.learn(sec, h)
		}
	}
	for _, sec := range e.sections {
		if sec.track != nil && (h.PayloadType == sec.codec.PayloadType || h.PayloadType == sec.codec.RTX) {
			return e.learn(sec, h)
		}
	}
	return nil
}

func (e *Endpoint) learn(sec *section, h *rtp.Header) *source {
	if e.undeclared >= maxUndeclared {
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
		sec.receive(h.SSRC, 0)
	}
	e.undeclared++
	src := &source{sec, sec.receiver}
	e.sources[h.SSRC] = src
	return src
}

// noteArrival records the transport-wide sequence number, RTX and padding included.
func (e *Endpoint) noteArrival(sec *section) {
	if sec.transportExt == 0 {
		return
	}
	var tcc rtp.TransportCCExtension
	if tcc.Unmarshal(e.shard.header.GetExtension(sec.transportExt)) == nil {
		e.arrivals.Record(e.shard.now, tcc.TransportSequence)
	}
}

// sendRTP encrypts a packet of a forwarder into the batch. Without consent nothing is sent (RFC 7675 §5.1).
func (e *Endpoint) sendRTP(raw []byte) {
	if e.state != Connected || e.selected == nil || len(raw) > datagram-64 {
		return
	}
	s := e.shard
	slot := s.slot()
	sealed, err := e.out.EncryptRTP(slot[:0], raw, &s.outHeader)
	if err != nil {
		s.counters.SendDropped++
		return
	}
	e.sent(sealed)
}

// sent commits what stands in the latest slot.
func (e *Endpoint) sent(sealed []byte) {
	e.packetsOut++
	e.bytesOut += uint64(len(sealed))
	e.shard.commit(len(sealed), e.selected.pathKey)
}

func (e *Endpoint) nextTransport() uint16 {
	e.transportN++
	return e.transportN
}
