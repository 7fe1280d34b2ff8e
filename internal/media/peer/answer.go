package peer

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v4"
)

// Browsers check every path every 2.5 s as long as it lives. What that takes is kept here, so that it allocates nothing.

// answer is where the shard makes its answers to checks.
type answer struct {
	message stun.Message
	key     []byte
}

// integrity is the password as a key, valid until the next call.
func (a *answer) integrity(pwd string) stun.MessageIntegrity {
	a.key = append(a.key[:0], pwd...)
	return a.key
}

// grant answers a verified check with the address that it came from (RFC 8489 §7.3.1.1).
func (s *Shard) grant(to pathKey, request *stun.Message, pwd string) {
	m := &s.answer.message
	m.Reset()
	m.Type, m.TransactionID = stun.BindingSuccess, request.TransactionID
	m.WriteHeader()
	var room [20]byte
	m.Add(stun.AttrXORMappedAddress, appendXORed(room[:0], to.remote, m.TransactionID))
	if s.answer.integrity(pwd).AddTo(m) != nil || stun.Fingerprint.AddTo(m) != nil {
		s.counters.Malformed++
		return
	}
	s.out.transmit(m.Raw, to)
}

// appendXORed writes the value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
func appendXORed(b []byte, a netip.AddrPort, id [stun.TransactionIDSize]byte) []byte {
	var mask [16]byte
	binary.BigEndian.PutUint32(mask[:], 0x2112A442) // the magic cookie
	copy(mask[4:], id[:])
	const ipv4, ipv6 = 1, 2
	port := a.Port() ^ binary.BigEndian.Uint16(mask[:])
	at := len(b) + 4
	if a.Addr().Is4() {
		v4 := a.Addr().As4()
		b = append(binary.BigEndian.AppendUint16(append(b, 0, ipv4), port), v4[:]...)
	} else {
		v6 := a.Addr().As16()
		b = append(binary.BigEndian.AppendUint16(append(b, 0, ipv6), port), v6[:]...)
	}
	for i := range b[at:] {
		b[at+i] ^= mask[i]
	}
	return b
}
