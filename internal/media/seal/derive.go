package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"fmt"
)

// The labels of RFC 3711 §4.3.2. Those of SRTCP are as far behind those of SRTP.
const (
	labelKey  = 0
	labelAuth = 1
	labelSalt = 2

	labelsRTP  = 0
	labelsRTCP = 3
)

// sessionKeys are what a suite needs for RTP or for RTCP. An AEAD has no use for auth.
type sessionKeys struct{ key, auth, salt []byte }

// derive makes session keys out of a master key and salt with a key derivation rate of 0, by AES-CM (RFC 3711 §4.3.3)
// under a key of either length (RFC 7714 §11).
func derive(masterKey, masterSalt []byte) (rtp, rtcp sessionKeys, err error) {
	block, err := aes.NewCipher(masterKey)
	if err != nil {
		return rtp, rtcp, fmt.Errorf("seal: master key: %w", err)
	}
	session := func(labels byte) sessionKeys {
		return sessionKeys{
			key:  derived(block, masterSalt, labels+labelKey, len(masterKey)),
			auth: derived(block, masterSalt, labels+labelAuth, sha1.Size),
			salt: derived(block, masterSalt, labels+labelSalt, len(masterSalt)),
		}
	}
	return session(labelsRTP), session(labelsRTCP), nil
}

// derived is the first n bytes of the keystream whose counter begins with the salt and the label. The label is the
// first byte of seven that end where a salt of 14 bytes does; one of 12 bytes is padded behind (RFC 7714 §11).
func derived(block cipher.Block, salt []byte, label byte, n int) []byte {
	var counter [aes.BlockSize]byte
	copy(counter[:], salt)
	counter[7] ^= label
	out := make([]byte, n)
	cipher.NewCTR(block, counter[:]).XORKeyStream(out, out)
	return out
}
