package congestion

import "github.com/pion/rtcp"

// REMB tells a publisher how much it may send for all the SSRCs together, in bit/s
// (draft-alvestrand-rmcat-remb-03). More than 255 SSRCs do not fit; the rest is left out.
func REMB(sender uint32, bitrate uint64, ssrcs ...uint32) *rtcp.ReceiverEstimatedMaximumBitrate {
	return &rtcp.ReceiverEstimatedMaximumBitrate{
		SenderSSRC: sender, Bitrate: float32(bitrate), SSRCs: ssrcs[:min(len(ssrcs), 255)],
	}
}
