package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// counterMode is AES-128 in counter mode under one key.
type counterMode interface {
	// xor writes src with the keystream from counter on to dst[:len(src)], which is src itself or does not overlap it.
	// The counter is one number of 128 bits; what stands in it afterwards is of no use.
	xor(dst, src []byte, counter *[aes.BlockSize]byte)
}

// portable is the counter mode of machines without assembly of ours. crypto/aes is constant in time and fast where the
// machine has instructions for it, block by block though.
type portable struct {
	block     cipher.Block
	keystream [8 * aes.BlockSize]byte
}

func newPortable(key [16]byte) (*portable, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return &portable{block: block}, nil
}

func (p *portable) xor(dst, src []byte, counter *[aes.BlockSize]byte) {
	for len(src) > 0 {
		n := min(len(src), len(p.keystream))
		for at := 0; at < n; at += aes.BlockSize {
			p.block.Encrypt(p.keystream[at:], counter[:])
			increment(counter)
		}
		subtle.XORBytes(dst, src[:n], p.keystream[:n])
		dst, src = dst[n:], src[n:]
	}
}

func increment(counter *[aes.BlockSize]byte) {
	for i := len(counter) - 1; i >= 0; i-- {
		if counter[i]++; counter[i] != 0 {
			return
		}
	}
}
