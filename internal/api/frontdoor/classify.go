package frontdoor

import "encoding/binary"

// class is what a connection speaks, as its first bytes say.
type class uint8

const (
	undecided class = iota // more bytes are needed
	unknown
	isTLS
	isHTTP
	isTURN
	isICE
	isACME // an authority that looks whose the domain is
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
	case isLetter(first[0]):
		return isHTTP
	case n >= 8 && binary.BigEndian.Uint32(first[4:]) == stunCookie:
		return isTURN
	case n >= 10 && binary.BigEndian.Uint32(first[6:]) == stunCookie:
		return isICE
	case n < decidedBy:
		return undecided
	}
	return unknown
}

func isLetter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }
