package receive

import "tertulia/internal/media"

// pictures counts the pictures of a video by their timestamps: all packets and layers of one share it (RFC 7741 §4.1),
// and a marker may be lost.
type pictures struct {
	count  uint64
	at     media.Time // when the first packet of the latest one came
	latest uint32     // its timestamp
}

// farBack is a step back of the timestamp, five seconds of video, that is no late packet but another clock.
const farBack = -5 * 90000

// arrived takes the timestamp of a packet with a payload.
func (p *pictures) arrived(now media.Time, timestamp uint32) {
	step := int32(timestamp - p.latest)
	if p.count > 0 && step <= 0 && step > farBack {
		return
	}
	p.count++
	p.at, p.latest = now, timestamp
}
