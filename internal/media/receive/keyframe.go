package receive

import (
	"time"

	"tertulia/internal/media"
)

// keyframeQuiet is the least time between two requests: libwebrtc's encoder answers no faster
// (video/encoder_rtcp_feedback.cc). It leaves 200 ms of the half second a late joiner may wait.
const keyframeQuiet = media.Time(300 * time.Millisecond)

// keyframeRequest remembers that a key frame is wanted until one arrives, and asks again while it does not.
type keyframeRequest struct {
	wanted bool
	asked  bool // ever
	last   media.Time
	number uint8 // FIR: the same for repetitions, RFC 5104 §4.3.1.2
}

func (k *keyframeRequest) want() {
	if !k.wanted {
		k.wanted = true
		k.number++
	}
}

func (k *keyframeRequest) arrived() { k.wanted = false }

// due tells whether to ask now, and takes it that the caller does.
func (k *keyframeRequest) due(now media.Time) bool {
	if !k.wanted || k.asked && now-k.last < keyframeQuiet {
		return false
	}
	k.asked, k.last = true, now
	return true
}
