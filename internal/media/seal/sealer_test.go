package seal

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

var profiles = []srtp.ProtectionProfile{
	srtp.ProtectionProfileAeadAes128Gcm,
	srtp.ProtectionProfileAeadAes256Gcm,
	srtp.ProtectionProfileAes128CmHmacSha1_80,
	srtp.ProtectionProfileAes128CmHmacSha1_32,
}

func each(t *testing.T, f func(t *testing.T, p srtp.ProtectionProfile)) {
	for _, p := range profiles {
		t.Run(p.String(), func(t *testing.T) { f(t, p) })
	}
}

// secrets are a master key and salt that fit a profile.
func secrets(t testing.TB, p srtp.ProtectionProfile) (key, salt []byte) {
	t.Helper()
	k, err := p.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.SaltLen()
	if err != nil {
		t.Fatal(err)
	}
	all := make([]byte, k+s)
	_, _ = rand.NewChaCha8([32]byte{byte(p)}).Read(all)
	return all[:k], all[k:]
}

func sealer(t testing.TB, p srtp.ProtectionProfile) *Sealer {
	t.Helper()
	key, salt := secrets(t, p)
	s, err := New(p, key, salt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opener is the other end, as a strict receiver has it.
func opener(t testing.TB, p srtp.ProtectionProfile) *srtp.Context {
	t.Helper()
	key, salt := secrets(t, p)
	c, err := srtp.CreateContext(key, salt, p, srtp.SRTPReplayProtection(1024), srtp.SRTCPReplayProtection(1024))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// headers are the shapes of RTP headers, all of one stream.
func headers(t testing.TB) []rtp.Header {
	t.Helper()
	plain := rtp.Header{Version: 2, PayloadType: 96, Timestamp: 7, SSRC: 0xfedcba98}
	mixed := plain
	mixed.Marker, mixed.CSRC = true, []uint32{1, 2, 3}
	extended := plain
	for id := range uint8(3) {
		if err := extended.SetExtension(id+1, make([]byte, 3+4*id)); err != nil {
			t.Fatal(err)
		}
	}
	both := extended.Clone()
	both.CSRC = slices.Repeat([]uint32{0xffffffff}, 15)
	return []rtp.Header{plain, mixed, extended, both}
}

// TestRTPOpens: pion opens every packet, of any length and header, in place and not, and while the numbers go round
// twice; the payload it came from is as it was.
func TestRTPOpens(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s, far, shapes := sealer(t, p), opener(t, p), headers(t)
		source := make([]byte, 1500)
		_, _ = rand.NewChaCha8([32]byte{2}).Read(source)
		kept := bytes.Clone(source)
		dst := make([]byte, 2000)
		for n := uint64(65000); n < 3*65536+500; n++ {
			if n%65536 == 1600 {
				n += 30000 // pion guesses the rollover of a jump shorter than half a round
			}
			h := shapes[n%uint64(len(shapes))]
			h.SequenceNumber = uint16(n)
			header, err := h.MarshalTo(dst)
			if err != nil {
				t.Fatal(err)
			}
			payload := source[:n%1501]
			if n%3 == 0 {
				payload = dst[header : header+copy(dst[header:], payload)]
			}
			length := s.RTP(dst, header, payload, uint32(n>>16))
			opened, err := far.DecryptRTP(nil, dst[:length], nil)
			if err != nil {
				t.Fatalf("packet %d of %d bytes: %v", n, len(payload), err)
			}
			if !bytes.Equal(opened[:header], dst[:header]) || !bytes.Equal(opened[header:], source[:n%1501]) {
				t.Fatalf("packet %d of %d bytes: another was opened", n, len(payload))
			}
		}
		if roc, _ := far.ROC(shapes[0].SSRC); roc != 3 {
			t.Errorf("the numbers went round %d times", roc)
		}
		if !bytes.Equal(source, kept) {
			t.Error("the payload was written to")
		}
	})
}

// TestEqualsPion: the same bytes as pion's, at any rollover.
func TestEqualsPion(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s, other := sealer(t, p), opener(t, p)
		dst := make([]byte, 1600)
		for i, rollover := range []uint32{0, 1, 0xffff, 0x10000, 0x89abcdef, 0xffffffff} {
			for _, h := range headers(t) {
				h.SSRC, h.SequenceNumber = h.SSRC+uint32(i), uint16(rollover)*3
				other.SetROC(h.SSRC, rollover)
				raw, err := (&rtp.Packet{Header: h, Payload: bytes.Repeat([]byte{9}, 1100+i)}).Marshal()
				if err != nil {
					t.Fatal(err)
				}
				want, err := other.EncryptRTP(nil, raw, nil)
				if err != nil {
					t.Fatal(err)
				}
				header := h.MarshalSize()
				copy(dst, raw[:header])
				same(t, "packet", dst[:s.RTP(dst, header, raw[header:], rollover)], want)
			}
		}
	})
}

// TestRTCPOpens: pion opens every compound, of any length; the index counts from 0 through all SSRCs, behind the E bit.
func TestRTCPOpens(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s, far := sealer(t, p), opener(t, p)
		dst := make([]byte, 2000)
		for n := range uint32(1500) {
			compound := report(n%3, max(rtcpHeader, int(n)))
			kept := bytes.Clone(compound)
			if n%2 == 0 {
				compound = dst[:copy(dst, compound)]
			}
			length := s.RTCP(dst, compound)
			opened, err := far.DecryptRTCP(nil, dst[:length], nil)
			if err != nil {
				t.Fatalf("%d bytes: %v", len(kept), err)
			}
			same(t, "compound", opened, kept)
			if n%2 != 0 {
				same(t, "source", compound, kept)
			}
			if got := indexOf(p, dst[:length]); got != encrypted|n {
				t.Fatalf("E bit and index are %#x, want index %d", got, n)
			}
			if length > len(kept)+Overhead {
				t.Fatalf("%d bytes were added to RTCP", length-len(kept))
			}
		}
	})
}

// indexOf is the word of the E bit and the index: at the end with an AEAD, before the tag without.
func indexOf(p srtp.ProtectionProfile, sealed []byte) uint32 {
	at := len(sealed) - indexSize
	if p != srtp.ProtectionProfileAeadAes128Gcm && p != srtp.ProtectionProfileAeadAes256Gcm {
		at -= tagRTCP
	}
	return binary.BigEndian.Uint32(sealed[at:])
}

// report is a packet of RTCP's form.
func report(ssrc uint32, size int) []byte {
	b := make([]byte, size)
	b[0], b[1] = 0x80, 200
	binary.BigEndian.PutUint32(b[4:], ssrc)
	for i := rtcpHeader; i < size; i++ {
		b[i] = byte(i)
	}
	return b
}

// TestRTCPIndexEnds: the last index is used once and nothing is sealed after it.
func TestRTCPIndexEnds(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s, far := sealer(t, p), opener(t, p)
		s.index = lastIndex
		dst := make([]byte, 200)
		n := s.RTCP(dst, report(5, 28))
		if _, err := far.DecryptRTCP(nil, dst[:n], nil); err != nil {
			t.Fatal(err)
		}
		if got := indexOf(p, dst[:n]); got != 0xffffffff {
			t.Errorf("E bit and index are %#x", got)
		}
		for range 3 {
			if n := s.RTCP(dst, report(5, 28)); n != 0 {
				t.Fatalf("%d bytes sealed under an index used before", n)
			}
		}
	})
}

// TestRefused: what does not fit is not begun; the last byte of room is enough.
func TestRefused(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s := sealer(t, p)
		whole := make([]byte, maxPacket+100)
		untouched := func(what string, n int, dst []byte) {
			t.Helper()
			if n != 0 || slices.ContainsFunc(dst, func(b byte) bool { return b != 0 }) {
				t.Errorf("%s: length %d; something was written", what, n)
			}
		}
		for room := range 12 + 100 + Overhead {
			for _, header := range []int{-1, 0, 11, 12, room, room + 1, 1 << 62} {
				untouched("RTP", s.RTP(whole[:room:room], header, make([]byte, 100), 1), whole)
			}
			if room < 100+Overhead {
				untouched("RTCP", s.RTCP(whole[:room:room], report(0, 100)), whole)
			}
		}
		untouched("nothing", s.RTP(nil, 0, nil, 0)+s.RTCP(nil, nil), nil)
		for n := range rtcpHeader {
			untouched("no RTCP header", s.RTCP(whole, make([]byte, n)), whole)
		}
		untouched("more than a datagram", s.RTP(whole, 12, make([]byte, maxPacket-11), 1), whole)
		untouched("more than a datagram", s.RTCP(whole, report(0, maxPacket+1)), whole)
		if s.index != 0 {
			t.Errorf("%d indices were used for it", s.index)
		}

		dst := make([]byte, 12+100+Overhead)
		if s.RTP(dst, 12, make([]byte, 100), 1) == 0 || s.RTCP(dst, report(0, 112)) == 0 {
			t.Error("what fits is refused")
		}
		if n := s.RTP(whole, 12, make([]byte, maxPacket-12), 1); n <= maxPacket {
			t.Errorf("the largest packet came to %d", n)
		}
	})
}

func TestKeysThatDoNotFit(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		key, salt := secrets(t, p)
		for _, bad := range [][2][]byte{{nil, salt}, {key, nil}, {key[1:], salt}, {key, salt[1:]}, {append(key[:len(key):len(key)], 0), salt}} {
			if _, err := New(p, bad[0], bad[1]); err == nil {
				t.Errorf("a key of %d bytes and a salt of %d", len(bad[0]), len(bad[1]))
			}
		}
	})
	for _, p := range []srtp.ProtectionProfile{srtp.ProtectionProfileNullHmacSha1_80, srtp.ProtectionProfileAes256CmHmacSha1_80} {
		key, salt := secrets(t, p)
		if _, err := New(p, key, salt); err == nil {
			t.Errorf("%v is accepted", p)
		}
	}
	if _, err := New(0x99, nil, nil); err == nil {
		t.Error("an unknown profile is accepted")
	}
}

func TestNoAllocations(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s := sealer(t, p)
		dst, payload, compound := make([]byte, 1500), make([]byte, 1101), report(1, 60)
		if n := testing.AllocsPerRun(100, func() {
			s.RTP(dst, 12, payload, 1)
			s.RTP(dst, 12, dst[12:1000], 1)
			s.RTCP(dst, compound)
		}); n != 0 {
			t.Errorf("%v allocations for three packets", n)
		}
	})
}

// TestMemory: a Sealer is the larger part of what the keys of an endpoint cost; perf.md has room for 3 KiB.
func TestMemory(t *testing.T) {
	each(t, func(t *testing.T, p srtp.ProtectionProfile) {
		s := make([]*Sealer, 1000)
		before := heap()
		for i := range s {
			s[i] = sealer(t, p)
		}
		size := int(heap()-before) / len(s)
		runtime.KeepAlive(s)
		t.Logf("%d bytes", size)
		if size > 3<<10 {
			t.Errorf("a Sealer takes %d bytes", size)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// FuzzSealed: whatever the header's fields, payload and rollover, pion opens it and finds the same.
func FuzzSealed(f *testing.F) {
	f.Add(uint8(0), uint32(1), uint16(2), uint32(3), uint8(0), []byte("payload"), true)
	f.Add(uint8(1), uint32(0xffffffff), uint16(0xffff), uint32(0xffffffff), uint8(15), make([]byte, 1200), false)
	f.Add(uint8(2), uint32(7), uint16(0), uint32(1), uint8(3), []byte{}, true)
	f.Fuzz(func(t *testing.T, profile uint8, ssrc uint32, number uint16, rollover uint32, sources uint8, payload []byte, within bool) {
		p := profiles[int(profile)%len(profiles)]
		s, far := sealer(t, p), opener(t, p)
		payload = payload[:min(len(payload), 2000)]
		dst := make([]byte, 2200)
		h := rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: number, CSRC: make([]uint32, sources%16)}
		header, err := h.MarshalTo(dst)
		if err != nil {
			t.Fatal(err)
		}
		from := payload
		if within {
			from = dst[header : header+copy(dst[header:], payload)]
		}
		n := s.RTP(dst, header, from, rollover)
		far.SetROC(ssrc, rollover)
		if opened, err := far.DecryptRTP(nil, dst[:n], nil); err != nil || !bytes.Equal(opened[header:], payload) {
			t.Fatalf("RTP of %d bytes: %v", len(payload), err)
		}

		compound := append(report(ssrc, rtcpHeader), payload...)
		n = s.RTCP(dst, compound)
		if opened, err := far.DecryptRTCP(nil, dst[:n], nil); err != nil || !bytes.Equal(opened, compound) {
			t.Fatalf("RTCP of %d bytes: %v", len(compound), err)
		}
	})
}
