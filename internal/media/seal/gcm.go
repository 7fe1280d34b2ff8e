package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

const nonceSize = 12

// gcm is AES-GCM with a key of 128 or 256 bits (RFC 7714). The AEADs are 768 bytes each.
type gcm struct {
	media, control gcmKeys

	nonce [nonceSize]byte
	aad   [rtcpHeader + indexSize]byte
}

type gcmKeys struct {
	aead cipher.AEAD
	salt [nonceSize]byte
}

func newGCM(rtp, rtcp sessionKeys) (*gcm, error) {
	media, err := newGCMKeys(rtp)
	if err != nil {
		return nil, err
	}
	control, err := newGCMKeys(rtcp)
	if err != nil {
		return nil, err
	}
	return &gcm{media: media, control: control}, nil
}

func newGCMKeys(s sessionKeys) (gcmKeys, error) {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return gcmKeys{}, fmt.Errorf("seal: session key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return gcmKeys{}, fmt.Errorf("seal: GCM: %w", err)
	}
	k := gcmKeys{aead: aead}
	copy(k.salt[:], s.salt)
	return k, nil
}

// rtp: the header is what is authenticated only; the nonce is the salt with 00 00, SSRC, rollover and sequence number
// (RFC 7714 §8.1, §8.2).
func (g *gcm) rtp(dst []byte, header int, payload []byte, rollover uint32) int {
	g.nonce = g.media.salt
	xor32(g.nonce[2:], binary.BigEndian.Uint32(dst[8:]))
	xor32(g.nonce[6:], rollover)
	g.nonce[10] ^= dst[2]
	g.nonce[11] ^= dst[3]
	return header + len(g.media.aead.Seal(dst[header:header], g.nonce[:], payload, dst[:header]))
}

// rtcp: the first eight bytes and the index are what is authenticated only; the nonce is the salt with 00 00, SSRC,
// 00 00 and the index (RFC 7714 §9.1, §9.2).
func (g *gcm) rtcp(dst, compound []byte, index uint32) int {
	copy(g.aad[:], compound[:rtcpHeader])
	binary.BigEndian.PutUint32(g.aad[rtcpHeader:], encrypted|index)
	g.nonce = g.control.salt
	xor32(g.nonce[2:], binary.BigEndian.Uint32(compound[4:]))
	xor32(g.nonce[8:], index)

	n := rtcpHeader + len(g.control.aead.Seal(dst[rtcpHeader:rtcpHeader], g.nonce[:], compound[rtcpHeader:], g.aad[:]))
	copy(dst, g.aad[:rtcpHeader])
	return n + copy(dst[n:], g.aad[rtcpHeader:])
}

func xor32(b []byte, v uint32) { binary.BigEndian.PutUint32(b, binary.BigEndian.Uint32(b)^v) }
