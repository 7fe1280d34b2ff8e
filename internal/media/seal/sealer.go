package seal

import (
	"fmt"

	"github.com/pion/srtp/v3"
)

const (
	// Overhead is the most, in bytes, that sealing adds to a packet: an AEAD's tag and the index of SRTCP.
	Overhead = 16 + indexSize

	// maxPacket is what a UDP datagram can hold, in bytes, and far below the 2^16 blocks after which the keystream of
	// AES-CM would run into the next packet's (RFC 3711 §4.1.1).
	maxPacket = 1<<16 - 1

	rtpHeader  = 12      // the least an RTP header has (RFC 3550 §5.1)
	rtcpHeader = 8       // what SRTCP leaves in the clear (RFC 3711 §3.4)
	indexSize  = 4       // the E bit and the index behind an SRTCP packet
	encrypted  = 1 << 31 // the E bit
	lastIndex  = 1<<31 - 1
)

// Sealer seals what one end sends to another, under one set of keys. It is not for concurrent use.
type Sealer struct {
	suite suite
	index uint32 // of the next SRTCP packet
}

// suite is the cipher and authentication of a profile. What it is given has been measured by Sealer.
type suite interface {
	// rtp encrypts payload into dst[header:] and authenticates it with dst[:header]; it returns the packet's length.
	rtp(dst []byte, header int, payload []byte, rollover uint32) int
	// rtcp does the same for a compound, whose first eight bytes stay readable.
	rtcp(dst, compound []byte, index uint32) int
}

// New derives the session keys of one direction from its master key and salt, as DTLS exports them (RFC 5764 §4.2).
// Profiles are AES-128-GCM, AES-256-GCM (RFC 7714) and AES-128-CM with an HMAC-SHA1 of 80 or 32 bits (RFC 3711). Fails
// on any other, and on keys and salts not of the profile's length.
func New(profile srtp.ProtectionProfile, masterKey, masterSalt []byte) (*Sealer, error) {
	if err := fits(profile, masterKey, masterSalt); err != nil {
		return nil, err
	}
	rtp, rtcp, err := derive(masterKey, masterSalt)
	if err != nil {
		return nil, err
	}
	var s suite
	switch profile {
	case srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm:
		s, err = newGCM(rtp, rtcp)
	case srtp.ProtectionProfileAes128CmHmacSha1_80:
		s, err = newCM(rtp, rtcp, 10)
	case srtp.ProtectionProfileAes128CmHmacSha1_32:
		s, err = newCM(rtp, rtcp, 4)
	default:
		err = fmt.Errorf("seal: profile %v is not supported", profile)
	}
	if err != nil {
		return nil, err
	}
	return &Sealer{suite: s}, nil
}

func fits(profile srtp.ProtectionProfile, masterKey, masterSalt []byte) error {
	key, err := profile.KeyLen()
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	salt, err := profile.SaltLen()
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if len(masterKey) != key || len(masterSalt) != salt {
		return fmt.Errorf("seal: a master key of %d bytes and a salt of %d; %v wants %d and %d",
			len(masterKey), len(masterSalt), profile, key, salt)
	}
	return nil
}

// RTP seals a packet and returns its length. The finished RTP header stands in dst[:header]; payload is encrypted
// behind it. SSRC and sequence number are read from the header, rollover is how often the latter went round.
//
// payload is not written to. It is either dst[header:header+len(payload)] itself or does not overlap dst at all.
// dst must have room for Overhead bytes behind the payload. Where it has not, where header is no length of an RTP header
// in dst, or where the whole exceeds a datagram, RTP writes nothing and returns 0.
//
// The same SSRC, rollover and sequence number must never come with different bytes: see the package comment.
func (s *Sealer) RTP(dst []byte, header int, payload []byte, rollover uint32) int {
	if header < rtpHeader || header > len(dst) || !room(len(dst)-header, len(payload)) || len(payload) > maxPacket-header {
		return 0
	}
	return s.suite.rtp(dst, header, payload, rollover)
}

// RTCP seals a compound into dst and returns its length. The index counts from 0 and is shared by all SSRCs.
//
// compound is either dst[:len(compound)] itself or does not overlap dst at all. RTCP writes nothing and returns 0 where
// dst has no room for Overhead bytes behind the compound, where that is shorter than a header or longer than a datagram,
// and when 2^31 packets have been sealed: then only new keys help (RFC 3711 §9.2).
func (s *Sealer) RTCP(dst, compound []byte) int {
	if len(compound) < rtcpHeader || len(compound) > maxPacket || !room(len(dst), len(compound)) || s.index > lastIndex {
		return 0
	}
	n := s.suite.rtcp(dst, compound, s.index)
	s.index++
	return n
}

func room(have, want int) bool { return have >= want+Overhead }
