package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const benched = 1100 // bytes of payload

// BenchmarkRTP compares in one run: ours, pion's, and for GCM the bare AEAD.
func BenchmarkRTP(b *testing.B) {
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: 5}
	raw, err := (&rtp.Packet{Header: h, Payload: make([]byte, benched)}).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	header := h.MarshalSize()
	dst := make([]byte, 1500)
	for _, p := range profiles {
		b.Run(p.String()+"/ours", func(b *testing.B) {
			s := sealer(b, p)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				copy(dst, raw[:header])
				dst[2], dst[3] = byte(n>>8), byte(n)
				s.RTP(dst, header, raw[header:], uint32(n>>16))
			}
		})
		b.Run(p.String()+"/pion", func(b *testing.B) {
			s := opener(b, p)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				raw[2], raw[3] = byte(n>>8), byte(n)
				if _, err := s.EncryptRTP(dst, raw, &h); err != nil {
					b.Fatal(err)
				}
			}
		})
		if p == srtp.ProtectionProfileAeadAes128Gcm || p == srtp.ProtectionProfileAeadAes256Gcm {
			b.Run(p.String()+"/bare", func(b *testing.B) {
				key, salt := secrets(b, p)
				block, err := aes.NewCipher(key)
				if err != nil {
					b.Fatal(err)
				}
				aead, err := cipher.NewGCM(block)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					aead.Seal(dst[header:header], salt, raw[header:], raw[:header])
				}
			})
		}
	}
}

// BenchmarkCM takes AES-CM apart, against the standard library.
func BenchmarkCM(b *testing.B) {
	dst, src := make([]byte, benched), make([]byte, benched)
	var counter [aes.BlockSize]byte
	for name, stream := range counterModes(b, [16]byte{1}) {
		b.Run("ctr/"+name, func(b *testing.B) {
			for b.Loop() {
				stream.xor(dst, src, &counter)
			}
		})
	}
	b.Run("ctr/cipher.NewCTR", func(b *testing.B) {
		block, err := aes.NewCipher(make([]byte, 16))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			cipher.NewCTR(block, counter[:]).XORKeyStream(dst, src)
		}
	})
	b.Run("hmac/ours", func(b *testing.B) {
		h := newHMACSHA1()
		key, err := newHMACKey(make([]byte, 20))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			h.sum(&key, src)
		}
	})
	b.Run("hmac/crypto", func(b *testing.B) {
		h := hmac.New(sha1.New, make([]byte, 20))
		var sum [sha1.Size]byte
		for b.Loop() {
			h.Reset()
			h.Write(src)
			h.Sum(sum[:0])
		}
	})
}

// BenchmarkNew is what an endpoint pays once.
func BenchmarkNew(b *testing.B) {
	for _, p := range profiles {
		key, salt := secrets(b, p)
		b.Run(p.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New(p, key, salt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
