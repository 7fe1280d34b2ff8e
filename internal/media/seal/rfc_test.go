package seal

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/pion/srtp/v3"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %x\nwant %x", what, got, want)
	}
}

// TestKeystream is RFC 3711 B.2: the first three blocks and those around the 2^16-th but 256.
func TestKeystream(t *testing.T) {
	for name, stream := range counterModes(t, [16]byte(unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"))) {
		keystream := make([]byte, 0xff02*16)
		counter := [16]byte(unhex(t, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"))
		stream.xor(keystream, keystream, &counter)
		same(t, name+", the first", keystream[:48], unhex(t, `E03EAD0935C95E80E166B16DD92B4EB4
			D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0`))
		same(t, name+", the last", keystream[0xfeff*16:], unhex(t, `EC8CDF7398607CB0F2D21675EA9EA1E4
			362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44`))
	}
}

// TestDerivation is RFC 3711 B.3.
func TestDerivation(t *testing.T) {
	rtp, rtcp, err := derive(unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"), unhex(t, "0EC675AD498AFEEBB6960B3AABE6"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "cipher key", rtp.key, unhex(t, "C61E7A93744F39EE10734AFE3FF7A087"))
	same(t, "cipher salt", rtp.salt, unhex(t, "30CBBC08863D8C85D49DB34A9AE1"))
	same(t, "auth key", rtp.auth, unhex(t, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
	if bytes.Equal(rtp.key, rtcp.key) || bytes.Equal(rtp.auth, rtcp.auth) || bytes.Equal(rtp.salt, rtcp.salt) {
		t.Error("SRTCP has keys of SRTP")
	}
}

// TestKeySchedule is FIPS 197 C.1: one block of AES under a key whose every byte differs.
func TestKeySchedule(t *testing.T) {
	for name, stream := range counterModes(t, [16]byte(unhex(t, "000102030405060708090a0b0c0d0e0f"))) {
		block := make([]byte, 16)
		counter := [16]byte(unhex(t, "00112233445566778899aabbccddeeff"))
		stream.xor(block, block, &counter)
		same(t, name, block, unhex(t, "69c4e0d86a7b0430d8cdb78070b4c55a"))
	}
}

// TestHMAC is RFC 2202 §3, the cases whose key is at most a block.
func TestHMAC(t *testing.T) {
	h := newHMACSHA1()
	for _, c := range []struct{ key, message, want string }{
		{strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")), "b617318655057264e28bc0b6fb378c8ef146be00"},
		{hex.EncodeToString([]byte("Jefe")), hex.EncodeToString([]byte("what do ya want for nothing?")), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
		{strings.Repeat("aa", 20), strings.Repeat("dd", 50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
		{"0102030405060708090a0b0c0d0e0f10111213141516171819", strings.Repeat("cd", 50), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
		{strings.Repeat("0c", 20), hex.EncodeToString([]byte("Test With Truncation")), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"},
	} {
		key, err := newHMACKey(unhex(t, c.key))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the key is not used up
			same(t, "HMAC under "+c.key, h.sum(&key, unhex(t, c.message)), unhex(t, c.want))
		}
	}
}

// TestGCM is RFC 7714 §16.1.1, §16.2.1, §17.1 and §17.3, whose session keys are the same for SRTP and SRTCP.
func TestGCM(t *testing.T) {
	for _, c := range []struct{ name, key, rtp, rtcp string }{
		{"AES-128-GCM", "000102030405060708090a0b0c0d0e0f",
			`8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf
			 8833899d 7f27beb1 6a9152cf 765ee439 0cce`,
			`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded
			 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`},
		{"AES-256-GCM", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			`8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799
			 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`,
			`81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 c61de047
			 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4`},
	} {
		keys := sessionKeys{key: unhex(t, c.key), salt: unhex(t, "5175696420 70726f2071756f")}
		g, err := newGCM(keys, keys)
		if err != nil {
			t.Fatal(err)
		}
		s := Sealer{suite: g, index: 0x5d4}
		dst := make([]byte, 200)
		header := copy(dst, unhex(t, "8040f17b 8041f8d3 5501a0b2"))
		n := s.RTP(dst, header, []byte("Gallia est omnis divisa in partes tres"), 0)
		same(t, c.name+", RTP", dst[:n], unhex(t, c.rtp))

		n = s.RTCP(dst, unhex(t, `81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
			deadbeef deadbeef deadbeef deadbeef deadbeef`))
		same(t, c.name+", RTCP", dst[:n], unhex(t, c.rtcp))
	}
}

// TestCMPacket is libsrtp's reference packet, sealed under the master key and salt of RFC 3711 B.3.
func TestCMPacket(t *testing.T) {
	s, err := New(srtp.ProtectionProfileAes128CmHmacSha1_80, unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"), unhex(t, "0EC675AD498AFEEBB6960B3AABE6"))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 100)
	header := copy(dst, unhex(t, "800f1234 decafbad cafebabe"))
	n := s.RTP(dst, header, slices.Repeat([]byte{0xab}, 16), 0)
	same(t, "packet", dst[:n], unhex(t, "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb"))
}
