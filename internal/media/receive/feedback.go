package receive

import (
	"github.com/pion/rtcp"

	"tertulia/internal/media"
)

// maxNACKed bounds one NACK packet: in the worst case each number needs a pair of 4 bytes, and 255 fit by RFC 4585.
const maxNACKed = 128

// RequestKeyframe implements media.Source: the next Feedback asks the publisher, at most every 300 ms for all viewers
// together, and goes on asking until a key frame arrives.
func (r *Receiver) RequestKeyframe(media.Time) { r.needKeyframe() }

func (r *Receiver) needKeyframe() {
	if r.track.Kind == media.Video && (r.cfg.PLI || r.cfg.FIR) {
		r.keyframe.want()
		r.cfg.Wanting()
	}
}

// Feedback appends what is due to the publisher now: NACK, and PLI or FIR. The sender is our SSRC. It is to be called
// every 20 ms or so while Wants says so.
func (r *Receiver) Feedback(now media.Time, sender uint32, dst []rtcp.Packet) []rtcp.Packet {
	if len(r.losses.missing) > 0 {
		dst = r.nack(now, sender, dst)
	}
	if !r.keyframe.due(now) {
		return dst
	}
	r.stats.KeyframeRequests++
	if r.cfg.PLI {
		return append(dst, &rtcp.PictureLossIndication{SenderSSRC: sender, MediaSSRC: r.cfg.SSRC})
	}
	return append(dst, &rtcp.FullIntraRequest{
		SenderSSRC: sender,
		FIR:        []rtcp.FIREntry{{SSRC: r.cfg.SSRC, SequenceNumber: r.keyframe.number}},
	})
}

func (r *Receiver) nack(now media.Time, sender uint32, dst []rtcp.Packet) []rtcp.Packet {
	ask, abandoned := r.losses.due(now)
	if abandoned > 0 {
		r.stats.Abandoned += uint64(abandoned)
		r.needKeyframe()
	}
	r.stats.NACKed += uint64(len(ask))
	for len(ask) > 0 {
		some := ask[:min(len(ask), maxNACKed)]
		ask = ask[len(some):]
		dst = append(dst, &rtcp.TransportLayerNack{
			SenderSSRC: sender, MediaSSRC: r.cfg.SSRC, Nacks: rtcp.NackPairsFromSequenceNumbers(some),
		})
	}
	return dst
}

// Wants tells whether Feedback may have something to say soon: packets are missing, or a key frame.
func (r *Receiver) Wants() bool { return len(r.losses.missing) > 0 || r.keyframe.wanted }

// SSRC is that of the original stream.
func (r *Receiver) SSRC() uint32 { return r.cfg.SSRC }
