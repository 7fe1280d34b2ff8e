package load

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"hash"
)

// sealer protects one viewer's packets: what is least for an SRTP sender, with keys of its own.
type sealer interface {
	// seal appends header and payload to b, sealed. roc is the rollover counter.
	seal(b, header, payload []byte, roc uint32) []byte
	overhead() int // bytes added to each packet
}

const sealerSecret = 16 + 14 + 20 // bytes

// newSealer takes session keys: key, salt and, for CM, the authentication key, one after the other.
func newSealer(p Profile, secret []byte) (sealer, error) {
	block, err := aes.NewCipher(secret[:16])
	if err != nil {
		return nil, err
	}
	if p == CM {
		return &cmSealer{block: block, salt: [14]byte(secret[16:30]), mac: hmac.New(sha1.New, secret[30:])}, nil
	}
	aead, err := cipher.NewGCM(block)
	return &gcmSealer{aead: aead, salt: [12]byte(secret[16:28])}, err
}

// gcmSealer is AEAD_AES_128_GCM (RFC 7714 §8.1).
type gcmSealer struct {
	aead cipher.AEAD
	salt [12]byte
	iv   [12]byte // scratch
}

func (s *gcmSealer) overhead() int { return 16 }

func (s *gcmSealer) seal(b, header, payload []byte, roc uint32) []byte {
	s.iv = s.salt
	binary.BigEndian.PutUint32(s.iv[2:], binary.BigEndian.Uint32(s.salt[2:])^binary.BigEndian.Uint32(header[8:]))
	binary.BigEndian.PutUint32(s.iv[6:], binary.BigEndian.Uint32(s.salt[6:])^roc)
	binary.BigEndian.PutUint16(s.iv[10:], binary.BigEndian.Uint16(s.salt[10:])^binary.BigEndian.Uint16(header[2:]))
	b = append(b, header...)
	return s.aead.Seal(b, s.iv[:], payload, header)
}

// cmSealer is AES128_CM_HMAC_SHA1_80 (RFC 3711 §4.1.1, §4.2.1).
type cmSealer struct {
	block cipher.Block
	salt  [14]byte
	mac   hash.Hash
	iv    [16]byte // scratch
	sum   [sha1.Size]byte
	roc   [4]byte
}

func (s *cmSealer) overhead() int { return 10 }

func (s *cmSealer) seal(b, header, payload []byte, roc uint32) []byte {
	s.iv = [16]byte{}
	copy(s.iv[:], s.salt[:])
	binary.BigEndian.PutUint32(s.iv[4:], binary.BigEndian.Uint32(s.iv[4:])^binary.BigEndian.Uint32(header[8:]))
	binary.BigEndian.PutUint32(s.iv[8:], binary.BigEndian.Uint32(s.iv[8:])^roc)
	binary.BigEndian.PutUint16(s.iv[12:], binary.BigEndian.Uint16(s.iv[12:])^binary.BigEndian.Uint16(header[2:]))
	start := len(b)
	b = append(b, header...)
	body := b[len(b) : len(b)+len(payload)]
	cipher.NewCTR(s.block, s.iv[:]).XORKeyStream(body, payload)
	b = b[:len(b)+len(payload)]
	binary.BigEndian.PutUint32(s.roc[:], roc)
	s.mac.Reset()
	s.mac.Write(b[start:])
	s.mac.Write(s.roc[:])
	return append(b, s.mac.Sum(s.sum[:0])[:10]...)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
