package media

import (
	"encoding/binary"

	"tertulia/internal/fault"
)

// MaxPacketSize is the longest RTP packet accepted, in bytes: a UDP datagram that fits an Ethernet frame. Browsers send
// at most 1,200 bytes; only a framed TCP stream could carry more.
const MaxPacketSize = 1500

const (
	fixedHeaderSize  = 12
	oneByteProfile   = 0xBEDE // RFC 8285 §4.2
	twoByteProfile   = 0x1000 // RFC 8285 §4.3; the low four bits are the application's
	oneByteStopID    = 15
	extensionPadding = 0
)

// What makes a packet unusable. They are values, so that refusing a packet allocates nothing.
var (
	ErrShort     = fault.New(fault.Invalid, "RTP packet ends inside its header or extensions: drop it")
	ErrVersion   = fault.New(fault.Invalid, "RTP version is not 2: drop the packet")
	ErrPadding   = fault.New(fault.Invalid, "RTP padding is zero or longer than the payload: drop the packet")
	ErrTooLarge  = fault.New(fault.TooLarge, "RTP packet is longer than 1500 bytes: drop it")
	ErrForeign   = fault.New(fault.Invalid, "RTP SSRC or payload type is not of this stream: drop the packet")
	ErrTruncated = fault.New(fault.Invalid, "RTX packet has no original sequence number: drop it")
)

// Header is an RTP header read in place: its extensions stay in the packet it was parsed from and are valid as long.
type Header struct {
	SSRC        uint32
	Timestamp   uint32
	Sequence    uint16
	PayloadType uint8
	Marker      bool
	HeaderLen   int // fixed header, CSRCs and extensions, in bytes
	PaddingLen  int // padding at the end, its length byte included

	profile    uint16
	extensions []byte
}

// ParseHeader reads an RTP header without allocating (RFC 3550 §5.1, RFC 8285 §4). The payload is
// raw[HeaderLen:len(raw)-PaddingLen] and may be empty.
func ParseHeader(raw []byte) (Header, error) {
	switch {
	case len(raw) < fixedHeaderSize:
		return Header{}, ErrShort
	case len(raw) > MaxPacketSize:
		return Header{}, ErrTooLarge
	case raw[0]>>6 != 2:
		return Header{}, ErrVersion
	}
	h := Header{
		Marker:      raw[1]&0x80 != 0,
		PayloadType: raw[1] & 0x7f,
		Sequence:    binary.BigEndian.Uint16(raw[2:]),
		Timestamp:   binary.BigEndian.Uint32(raw[4:]),
		SSRC:        binary.BigEndian.Uint32(raw[8:]),
		HeaderLen:   fixedHeaderSize + 4*int(raw[0]&0x0f),
	}
	if raw[0]&0x10 != 0 {
		start := h.HeaderLen + 4
		if start > len(raw) {
			return Header{}, ErrShort
		}
		h.profile = binary.BigEndian.Uint16(raw[start-4:])
		h.HeaderLen = start + 4*int(binary.BigEndian.Uint16(raw[start-2:]))
		if h.HeaderLen <= len(raw) {
			h.extensions = raw[start:h.HeaderLen]
		}
	}
	if h.HeaderLen > len(raw) {
		return Header{}, ErrShort
	}
	if raw[0]&0x20 != 0 {
		h.PaddingLen = int(raw[len(raw)-1])
		if h.PaddingLen == 0 || h.PaddingLen > len(raw)-h.HeaderLen {
			return Header{}, ErrPadding
		}
	}
	return h, nil
}

// Extension returns the bytes of an extension element, nil if the packet has none with that id (1–14 in the one-byte
// form, 1–255 in the two-byte form; RFC 8285 §4.2, §4.3).
func (h Header) Extension(id uint8) []byte {
	if id == extensionPadding {
		return nil
	}
	switch {
	case h.profile == oneByteProfile:
		return oneByteExtension(h.extensions, id)
	case h.profile&0xfff0 == twoByteProfile:
		return twoByteExtension(h.extensions, id)
	}
	return nil
}

func oneByteExtension(b []byte, id uint8) []byte {
	for len(b) > 0 {
		have, size := b[0]>>4, int(b[0]&0x0f)+1
		if have == extensionPadding {
			b = b[1:]
			continue
		}
		if have == oneByteStopID || 1+size > len(b) {
			return nil
		}
		if have == id {
			return b[1 : 1+size]
		}
		b = b[1+size:]
	}
	return nil
}

func twoByteExtension(b []byte, id uint8) []byte {
	for len(b) > 0 {
		if b[0] == extensionPadding {
			b = b[1:]
			continue
		}
		if len(b) < 2 || 2+int(b[1]) > len(b) {
			return nil
		}
		size := int(b[1])
		if b[0] == id {
			return b[2 : 2+size]
		}
		b = b[2+size:]
	}
	return nil
}
