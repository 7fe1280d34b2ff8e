package seal

import (
	"crypto/sha1"
	"encoding"
	"hash"
)

// hmacKey is a key of HMAC-SHA1 (RFC 2104): the states of SHA-1 after the padded key's block, inner and outer, as
// crypto/sha1 marshals them. crypto/hmac keeps the same, and two hashes besides; here all keys of a cm share one.
type hmacKey struct{ inner, outer []byte }

func newHMACKey(key []byte) (k hmacKey, err error) {
	if k.inner, err = padded(key, 0x36); err != nil {
		return k, err
	}
	k.outer, err = padded(key, 0x5c)
	return k, err
}

// padded is the state of SHA-1 after a key of at most a block. It fails where SHA-1 is forbidden (GODEBUG=fips140=only).
func padded(key []byte, pad byte) ([]byte, error) {
	var block [sha1.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	h := newSHA1()
	if _, err := h.Write(block[:]); err != nil {
		return nil, err
	}
	return h.MarshalBinary()
}

// hmacSHA1 computes tags under any hmacKey.
type hmacSHA1 struct {
	hash   resumable
	result [sha1.Size]byte
}

// resumable is what crypto/sha1's hash is documented to be.
type resumable interface {
	hash.Hash
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

func newSHA1() resumable { return sha1.New().(resumable) }

func newHMACSHA1() hmacSHA1 { return hmacSHA1{hash: newSHA1()} }

// sum is the tag of a message, 20 bytes that are valid until the next call.
func (h *hmacSHA1) sum(k *hmacKey, message []byte) []byte {
	h.resume(k.inner)
	h.hash.Write(message)
	inner := h.hash.Sum(h.result[:0])
	h.resume(k.outer)
	h.hash.Write(inner)
	return h.hash.Sum(h.result[:0])
}

// resume cannot fail on what MarshalBinary made; a tag of another state must not go out silently.
func (h *hmacSHA1) resume(state []byte) {
	if err := h.hash.UnmarshalBinary(state); err != nil {
		panic("seal: SHA-1 refuses its own state: " + err.Error())
	}
}
