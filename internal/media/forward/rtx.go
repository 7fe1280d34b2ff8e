package forward

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

const (
	// A viewer may have at most half as many packets resent as it was sent, and a burst of maxCredit at any time: who
	// loses more needs fewer packets, not more. It is counted in halves.
	maxCredit  = 2 * 128
	resendCost = 2

	recentResends = 128
	unknownRTT    = media.Time(20 * time.Millisecond)

	// How many packets back one can be resent without RTX: what a receive cache has at most. Audio mostly goes without.
	asIsReach      = 512
	asIsReachAudio = 128
)

// resend is what a forwarder remembers in order to answer NACKs.
type resend struct {
	credit int
	recent *[recentResends]resent // made at the first NACK: most viewers never send one
	number uint64                 // the latest of the RTX stream, extended

	// Without RTX a packet goes out again under its own number, and SRTP would use the same nonce again: the two must
	// not differ in a single bit (RFC 3711 §9.1, RFC 7714 §8.1), header extensions included. So those are kept.
	stamps []stamped
}

type resent struct {
	out uint64
	at  media.Time
}

type stamped struct {
	out uint64
	stamp
}

func newResend(asIs bool, kind media.Kind) resend {
	r := resend{credit: maxCredit, number: 1 << 16}
	switch {
	case asIs && kind == media.Audio:
		r.stamps = make([]stamped, asIsReachAudio)
	case asIs:
		r.stamps = make([]stamped, asIsReach)
	}
	return r
}

// kept is where the stamp of a packet is kept.
func (r *resend) kept(out uint64) *stamped { return &r.stamps[out%uint64(len(r.stamps))] }

// forgotten tells whether a younger packet's stamp may be there.
func (r *resend) forgotten(out, highest uint64) bool { return out+uint64(len(r.stamps)) <= highest }

func (r *resend) earn() { r.credit = min(r.credit+1, maxCredit) }

// stamped keeps the stamp of a packet sent, if it may be resent as is.
func (r *resend) stamped(out uint64, s stamp) {
	if r.stamps != nil {
		*r.kept(out) = stamped{out: out, stamp: s}
	}
}

// spent tells whether a packet must not leave under its number any more: it has in answer to a NACK, while it waited for
// the end of the turn, or it is so far back that nobody knows.
func (r *resend) spent(out, highest uint64) bool {
	return r.stamps != nil && (r.kept(out).out == out || r.forgotten(out, highest))
}

// tooSoon tells whether a packet was resent less than a round trip ago; the viewer cannot have it yet.
func (r *resend) tooSoon(out uint64, now, rtt media.Time) bool {
	if r.recent == nil {
		r.recent = new([recentResends]resent)
	}
	last := r.recent[out%recentResends]
	return last.out == out && now-last.at < rtt
}

// NACK resends what the viewer says it lacks (RFC 4585 §6.2.1), as far as it is still cached.
func (f *Forwarder) NACK(now media.Time, pairs []rtcp.NackPair) {
	if !f.cfg.NACK {
		return
	}
	for _, pair := range pairs {
		f.answer(now, pair.PacketID)
		for i := range uint16(16) {
			if pair.LostPackets>>i&1 != 0 {
				f.answer(now, pair.PacketID+1+i)
			}
		}
	}
}

// answer resends one packet, or counts why it does not.
func (f *Forwarder) answer(now media.Time, number uint16) {
	f.stats.NACKed++
	source := f.track.Source()
	out, ok := f.splice.extend(number)
	if !ok || !f.live || f.generation != f.track.Generation || source == nil {
		f.stats.Unreachable++
		return
	}
	in, ok := f.splice.trace(out)
	if !ok {
		f.stats.Unreachable++
		return
	}
	if f.resend.credit < resendCost || f.resend.tooSoon(out, now, f.reports.roundTrip()) {
		f.stats.Withheld++
		return
	}
	raw, ok := source.Cached(in)
	if !ok {
		f.stats.Unreachable++
		return
	}
	h, err := media.ParseHeader(raw)
	if err != nil { // it was parsed when it came
		f.stats.Unreachable++
		return
	}
	payload := raw[h.HeaderLen : len(raw)-h.PaddingLen]
	if f.cfg.RTXSSRC != 0 {
		f.sendRTX(now, out, h, payload)
	} else if !f.sendAgain(now, out, h, payload) {
		f.stats.Unreachable++
		return
	}
	f.resend.recent[out%recentResends] = resent{out: out, at: now}
	f.resend.credit -= resendCost
	f.stats.Resent++
	f.stats.ResentOctets += uint64(len(payload))
}

// sendRTX wraps a packet as RFC 4588 §4: a stream of its own, whose payload begins with the original number.
func (f *Forwarder) sendRTX(now media.Time, out uint64, h media.Header, payload []byte) {
	f.resend.number++
	number := f.resend.number
	binary.BigEndian.PutUint16(f.buffer, uint16(out))
	original := f.buffer[2 : 2+copy(f.buffer[2:], payload)]
	f.pictures.rewrite(original)
	n := f.rtxHeader.write(f.cfg.Out.Room(), uint16(number), h.Timestamp+f.splice.shift, h.Marker, f.stamp(now, f.level(h)))
	f.cfg.Out.Send(n, f.buffer[:2+len(original)], rollover(number))
}

// sendAgain repeats a packet bit by bit. One that was never sent (it came before the key frame that started the stream,
// or waits for the end of the turn) goes out for the first time; where it is too long ago to tell, nothing goes out.
func (f *Forwarder) sendAgain(now media.Time, out uint64, h media.Header, payload []byte) bool {
	if f.resend.forgotten(out, f.splice.highestOut) {
		return false
	}
	kept := f.resend.kept(out)
	if kept.out != out {
		f.resend.stamped(out, f.stamp(now, f.level(h)))
	}
	if kept.padded {
		payload = payload[:len(payload)+1]
	}
	payload = f.pictures.rewritten(payload, f.buffer)
	n := f.header.write(f.cfg.Out.Room(), uint16(out), h.Timestamp+f.splice.shift, h.Marker, kept.stamp)
	f.cfg.Out.Send(n, payload, rollover(out))
	return true
}
