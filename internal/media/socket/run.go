package socket

// Batch is how many messages one system call carries at most.
const Batch = 64

// longest is what a datagram read from the network may have, in bytes; the rest of a longer one is cut off. Ethernet
// carries 1,500, and whatever we read has a checksum or a MAC that a cut one fails.
const longest = 2048

// take removes up to most datagrams from the front of m. What it returns has a Segment only if it is more than one; more
// is false when m is used up. A message without bytes is one empty datagram.
func take(m *Message, most int) (part Message, more bool) {
	part = *m
	size := len(m.Buf)
	if m.Segment > 0 && size/most >= m.Segment {
		size = most * m.Segment
	}
	part.Buf, m.Buf = m.Buf[:size], m.Buf[size:]
	if size <= part.Segment || part.Segment < 0 {
		part.Segment = 0
	}
	return part, len(m.Buf) > 0
}

// perRun is how many datagrams of a message one run may have.
func perRun(m *Message) int {
	if m.Segment <= 0 {
		return 1
	}
	return max(1, min(MaxSegments, MaxRun/m.Segment))
}

// Datagrams is how many a message leaves as.
func (m *Message) Datagrams() int {
	if m.Segment <= 0 {
		return 1
	}
	return max(1, (len(m.Buf)+m.Segment-1)/m.Segment)
}
