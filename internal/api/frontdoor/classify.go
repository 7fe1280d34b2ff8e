package frontdoor

import (
	"bytes"
	"encoding/binary"

	"github.com/pires/go-proxyproto"
)

// class is what a connection speaks, as its first bytes say.
type class uint8

const (
	undecided class = iota // more bytes are needed
	unknown
	isTLS
	isHTTP
	isTURN
	isICE
	isACME  // an authority that looks whose the domain is
	isPROXY // the PROXY protocol; what it carries comes after its header
)

// decidedBy is how many bytes decide in every case.
const decidedBy = 10

const stunCookie = 0x2112A442 // RFC 8489 §5

// classify reads the first bytes of a connection. A STUN message begins with a byte below 4 and an RFC 4571 frame
// with the high byte of its length, which is no letter's and not 0x16 for frames below 5,632 bytes.
func classify(first []byte) class {
	switch n := len(first); {
	case n == 0:
		return undecided
	case first[0] == 0x16: // a TLS handshake record, RFC 8446 §5.1
		return isTLS
	case begins(first, proxyproto.SIGV1):
		return alike(first, proxyproto.SIGV1)
	case isLetter(first[0]):
		return isHTTP
	case begins(first, proxyproto.SIGV2):
		return alike(first, proxyproto.SIGV2)
	case n >= 8 && binary.BigEndian.Uint32(first[4:]) == stunCookie:
		return isTURN
	case n >= 10 && binary.BigEndian.Uint32(first[6:]) == stunCookie:
		return isICE
	case n < decidedBy:
		return undecided
	}
	return unknown
}

// begins reports whether what there is of first is how a signature goes, and may go on like that.
func begins(first, signature []byte) bool {
	n := min(len(first), len(signature), decidedBy)
	return bytes.Equal(first[:n], signature[:n])
}

// alike: enough of a signature to tell it from everything else. No HTTP method begins with PROXY, and no other
// protocol here with a line feed.
func alike(first, signature []byte) class {
	if len(first) < min(len(signature), decidedBy) {
		return undecided
	}
	return isPROXY
}

func isLetter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }
