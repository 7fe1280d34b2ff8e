package seal

import (
	"crypto/aes"
	"encoding/binary"
	"fmt"
)

const tagRTCP = 10 // bytes, whatever the tag of RTP is (RFC 5764 §4.1.2)

// cm is AES-128-CM with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1).
type cm struct {
	media, control cmKeys
	tag            int // bytes, of RTP

	hash    hmacSHA1
	counter [aes.BlockSize]byte
}

type cmKeys struct {
	stream counterMode
	salt   [aes.BlockSize]byte // 14 bytes, and two for the number of the block in its packet
	auth   hmacKey
}

func newCM(rtp, rtcp sessionKeys, tag int) (*cm, error) {
	media, err := newCMKeys(rtp)
	if err != nil {
		return nil, err
	}
	control, err := newCMKeys(rtcp)
	if err != nil {
		return nil, err
	}
	return &cm{media: media, control: control, tag: tag, hash: newHMACSHA1()}, nil
}

func newCMKeys(s sessionKeys) (k cmKeys, err error) {
	if k.stream, err = newCounterMode([16]byte(s.key)); err != nil {
		return k, fmt.Errorf("seal: session key: %w", err)
	}
	if k.auth, err = newHMACKey(s.auth); err != nil {
		return k, fmt.Errorf("seal: authentication key: %w", err)
	}
	copy(k.salt[:], s.salt)
	return k, nil
}

// rtp: the rollover is authenticated behind the payload but not sent. It stands where the tag comes, so that there is
// one run of bytes to hash.
func (c *cm) rtp(dst []byte, header int, payload []byte, rollover uint32) int {
	c.counter = c.media.salt
	xor32(c.counter[4:], binary.BigEndian.Uint32(dst[8:]))
	xor32(c.counter[8:], rollover)
	c.counter[12] ^= dst[2]
	c.counter[13] ^= dst[3]
	c.media.stream.xor(dst[header:], payload, &c.counter)

	n := header + len(payload)
	binary.BigEndian.PutUint32(dst[n:], rollover)
	return n + copy(dst[n:n+c.tag], c.hash.sum(&c.media.auth, dst[:n+4]))
}

// rtcp: the index is both authenticated and sent (RFC 3711 §3.4).
func (c *cm) rtcp(dst, compound []byte, index uint32) int {
	c.counter = c.control.salt
	xor32(c.counter[4:], binary.BigEndian.Uint32(compound[4:]))
	xor32(c.counter[10:], index)
	copy(dst, compound[:rtcpHeader])
	c.control.stream.xor(dst[rtcpHeader:], compound[rtcpHeader:], &c.counter)

	n := len(compound)
	binary.BigEndian.PutUint32(dst[n:], encrypted|index)
	n += indexSize
	return n + copy(dst[n:n+tagRTCP], c.hash.sum(&c.control.auth, dst[:n]))
}
