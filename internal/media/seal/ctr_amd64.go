package seal

import "crypto/aes"

const (
	rounds = 10 // of AES with a key of 128 bits

	// Of CPUID's leaf 1, register ECX (Intel SDM, vol. 2A).
	cpuSSE41 = 1 << 19
	cpuAES   = 1 << 25
)

var hasAES = cpuFeatures()&(cpuAES|cpuSSE41) == cpuAES|cpuSSE41

// In ctr_amd64.s.

// cpuFeatures is register ECX of CPUID's leaf 1.
func cpuFeatures() uint32

// expandKey makes the round keys.
//
//go:noescape
func expandKey(key *[16]byte, schedule *schedule)

// xorBlocks writes blocks of src with the keystream to dst, which is src itself or does not overlap it, and counts up.
//
//go:noescape
func xorBlocks(schedule *schedule, counter *[aes.BlockSize]byte, dst, src *byte, blocks int)

type schedule [(rounds + 1) * aes.BlockSize]byte

// native is the counter mode of processors with AES instructions.
type native struct{ schedule schedule }

func newCounterMode(key [16]byte) (counterMode, error) {
	if !hasAES {
		return newPortable(key)
	}
	n := new(native)
	expandKey(&key, &n.schedule)
	return n, nil
}

func (n *native) xor(dst, src []byte, counter *[aes.BlockSize]byte) {
	dst = dst[:len(src)]
	whole := len(src) &^ (aes.BlockSize - 1)
	if whole > 0 {
		xorBlocks(&n.schedule, counter, &dst[0], &src[0], whole/aes.BlockSize)
	}
	if whole < len(src) {
		var last [aes.BlockSize]byte
		copy(last[:], src[whole:])
		xorBlocks(&n.schedule, counter, &last[0], &last[0], 1)
		copy(dst[whole:], last[:])
	}
}
