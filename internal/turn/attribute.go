package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// family is an address family as TURN writes it (RFC 8656 §18.6).
type family byte

const (
	ipv4 family = 1
	ipv6 family = 2
)

func familyOf(a netip.Addr) family {
	if a.Unmap().Is4() {
		return ipv4
	}
	return ipv6
}

// magicCookie is at offset 4 of every STUN message.
const magicCookie = 0x2112A442

// peerOf reads the first XOR-PEER-ADDRESS (RFC 8489 §14.2).
func peerOf(m *stun.Message) (netip.AddrPort, bool) {
	value, err := m.Get(stun.AttrXORPeerAddress)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return xorAddress(value, m.TransactionID)
}

func xorAddress(value []byte, id [stun.TransactionIDSize]byte) (netip.AddrPort, bool) {
	if len(value) < 8 {
		return netip.AddrPort{}, false
	}
	var mask [16]byte
	binary.BigEndian.PutUint32(mask[:], magicCookie)
	copy(mask[4:], id[:])
	var raw [16]byte
	size := len(value) - 4
	if want := map[family]int{ipv4: 4, ipv6: 16}[family(value[1])]; want != size {
		return netip.AddrPort{}, false
	}
	for i := range size {
		raw[i] = value[4+i] ^ mask[i]
	}
	address, _ := netip.AddrFromSlice(raw[:size]) // 4 or 16 bytes
	return netip.AddrPortFrom(address.Unmap(), binary.BigEndian.Uint16(value[2:])^magicCookie>>16), true
}

// addAddress writes an address as one of the XOR attributes.
type addAddress struct {
	attribute stun.AttrType
	address   netip.AddrPort
}

func (a addAddress) AddTo(m *stun.Message) error {
	return stun.XORMappedAddress{IP: net.IP(a.address.Addr().AsSlice()), Port: int(a.address.Port())}.AddToAs(m, a.attribute)
}

// addLifetime writes LIFETIME in seconds.
type addLifetime time.Duration

func (l addLifetime) AddTo(m *stun.Message) error {
	m.Add(stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, uint32(time.Duration(l)/time.Second)))
	return nil
}

// fixed reads an attribute of exactly four bytes; absent is true when there is none, ok when it is well formed.
func fixed(m *stun.Message, attribute stun.AttrType) (value uint32, absent, ok bool) {
	raw, err := m.Get(attribute)
	if err != nil {
		return 0, true, true
	}
	if len(raw) != 4 {
		return 0, false, false
	}
	return binary.BigEndian.Uint32(raw), false, true
}

// understood are the attributes below 0x8000, which must not be ignored (RFC 8489 §14), that a request may have.
var understood = map[stun.AttrType]bool{
	stun.AttrUsername: true, stun.AttrMessageIntegrity: true, stun.AttrRealm: true, stun.AttrNonce: true,
	stun.AttrChannelNumber: true, stun.AttrLifetime: true, stun.AttrXORPeerAddress: true, stun.AttrData: true,
	stun.AttrRequestedTransport: true, stun.AttrRequestedAddressFamily: true,
	stun.AttrEvenPort: true, stun.AttrReservationToken: true, // understood, and refused
	stun.AttrPriority: true, stun.AttrUseCandidate: true, // in connectivity checks that reach us as plain STUN
}

func notUnderstood(m *stun.Message) (unknown stun.UnknownAttributes) {
	for _, attribute := range m.Attributes {
		if attribute.Type < 0x8000 && !understood[attribute.Type] {
			unknown = append(unknown, attribute.Type)
		}
	}
	return unknown
}
