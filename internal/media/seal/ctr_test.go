package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"math/rand/v2"
	"testing"
)

// counterModes are the one this machine uses and the portable one.
func counterModes(t testing.TB, key [16]byte) map[string]counterMode {
	t.Helper()
	own, err := newCounterMode(key)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newPortable(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]counterMode{fmt.Sprintf("%T", own): own, "portable": other}
}

// TestCounterModes compares with crypto/cipher: any length, from counters that carry from every byte into the next, in
// place and not, and neither writes beyond the end.
func TestCounterModes(t *testing.T) {
	r := rand.NewChaCha8([32]byte{1})
	var key [16]byte
	_, _ = r.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	src, want := make([]byte, 2000), make([]byte, 2000)
	_, _ = r.Read(src)
	for name, stream := range counterModes(t, key) {
		for n := range len(src) + 1 {
			for _, counter := range carries(n) {
				cipher.NewCTR(block, counter[:]).XORKeyStream(want[:n], src[:n])

				dst := bytes.Repeat([]byte{0xee}, n+40)
				start := counter
				stream.xor(dst, src[:n], &start)
				within := bytes.Clone(src)
				stream.xor(within, within[:n], &counter)
				if !bytes.Equal(dst[:n], want[:n]) || !bytes.Equal(within[:n], want[:n]) {
					t.Fatalf("%s: %d bytes from another keystream", name, n)
				}
				if !bytes.Equal(dst[n:], bytes.Repeat([]byte{0xee}, 40)) || !bytes.Equal(within[n:], src[n:]) {
					t.Fatalf("%s: %d bytes, and more was written", name, n)
				}
			}
		}
	}
}

// carries are an ordinary counter and two that overflow a little later, the n-th from one byte more or less than the
// one before.
func carries(n int) [][16]byte {
	var some, whole [16]byte
	for i := range some {
		some[i] = byte(0x11 * i)
		whole[i] = 0xff
	}
	whole[15] = 0xff - byte(n%120)
	part := some
	for i := n % 16; i < 16; i++ {
		part[i] = 0xff
	}
	part[15] = 0xff - byte(n%7)
	return [][16]byte{some, whole, part}
}
