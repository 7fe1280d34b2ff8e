package socket

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// destination reads the address a datagram came to from its packet info (ip(7), ipv6(7)).
func destination(oob []byte) netip.Addr {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return netip.Addr{}
		}
		switch {
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return netip.AddrFrom16([16]byte(data[:16])).Unmap()
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4([4]byte(data[8:12]))
		}
		oob = rest
	}
	return netip.Addr{}
}

// source appends the control message that makes a datagram leave from an address. x/net's own marshalling refuses
// IPv4-mapped sources, which a dual-stack socket needs.
func source(oob []byte, from netip.Addr, v6 bool) []byte {
	if !from.IsValid() {
		return oob
	}
	level, kind, size := int32(unix.IPPROTO_IP), int32(unix.IP_PKTINFO), unix.SizeofInet4Pktinfo
	if v6 {
		level, kind, size = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo
	}
	space := unix.CmsgSpace(size)
	oob = oob[:space]
	clear(oob)
	header := unix.CmsgLen(0)
	h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(oob)))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	if v6 {
		b := from.As16()
		copy(oob[header:], b[:])
	} else {
		b := from.As4()
		copy(oob[header+4:], b[:]) // in_pktinfo.ipi_spec_dst
	}
	return oob
}
