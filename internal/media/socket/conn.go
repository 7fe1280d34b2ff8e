package socket

import (
	"net/netip"
	"time"
)

// Message is one datagram. Addresses are unmapped: an IPv4 peer of a dual-stack socket is 4 bytes.
type Message struct {
	Buf    []byte // read: the room; write: its first N bytes are sent
	N      int
	Remote netip.AddrPort
	Local  netip.Addr // our address the datagram came to, or is to leave from; zero if unknown
}

// Conn sends and receives batches. One goroutine reads and writes; SetReadDeadline may be called by any, and a time in
// the past ends a waiting ReadBatch with os.ErrDeadlineExceeded (as net.Error.Timeout).
type Conn interface {
	// ReadBatch waits for at least one datagram and fills N, Remote and Local of as many messages as it returns.
	ReadBatch([]Message) (int, error)
	// WriteBatch sends all messages; those the network refuses are counted as dropped, not retried.
	WriteBatch([]Message) (dropped int)
	SetReadDeadline(time.Time) error
	LocalAddr() netip.AddrPort
	Close() error
}

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
