package socket

import (
	"net/netip"
	"time"
)

// Message is one datagram or, on the way out, a run of them to one peer. Addresses are unmapped: an IPv4 peer of a
// dual-stack socket is 4 bytes.
type Message struct {
	Buf     []byte // read: the socket's own, valid until the next ReadBatch
	Segment int    // write: Buf is a run of datagrams of this size, of which the last may be shorter; 0: it is one
	Remote  netip.AddrPort
	Local   netip.Addr // our address the datagram came to, or is to leave from; zero if unknown
}

// Conn sends and receives batches. One goroutine reads and one writes; SetReadDeadline may be called by any, and a time in
// the past ends a waiting ReadBatch with os.ErrDeadlineExceeded (as net.Error.Timeout).
type Conn interface {
	// ReadBatch fills as many messages as there are datagrams. If there is none it waits for one, or returns 0 at once; a
	// connection that cannot be asked always returns 0 then.
	ReadBatch(ms []Message, wait bool) (int, error)
	// WriteBatch sends all messages; datagrams the network refuses are counted as dropped, not retried.
	WriteBatch([]Message) (dropped int)
	SetReadDeadline(time.Time) error
	LocalAddr() netip.AddrPort
	Close() error
}

// Limits of a run (udp(7), UDP_SEGMENT): datagrams, and bytes in all.
const (
	MaxSegments = 64
	MaxRun      = 64000
)

// Class is what a datagram is by its first bytes.
type Class uint8

const (
	Unknown Class = iota
	STUN
	DTLS
	RTP
	RTCP
)

// Classify follows RFC 7983 §7 and, between RTP and RTCP, RFC 5761 §4.
func Classify(b []byte) Class {
	if len(b) < 8 {
		return Unknown
	}
	switch first := b[0]; {
	case first <= 3:
		return STUN
	case first >= 20 && first <= 63:
		return DTLS
	case first >= 128 && first <= 191:
		if b[1] >= 192 && b[1] <= 223 {
			return RTCP
		}
		return RTP
	}
	return Unknown
}
