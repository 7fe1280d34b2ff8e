package socket

import (
	"encoding/binary"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlRoom holds the packet info of either family and a segment size, in bytes.
const controlRoom = 96

// askDestination makes the kernel tell where datagrams came to. If it cannot, Local stays unknown and routing picks the
// source of what we send.
func askDestination(conn *net.UDPConn, v6 bool) {
	level, option := unix.IPPROTO_IP, unix.IP_PKTINFO
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
	}
	_ = setInt(conn, level, option, 1)
}

func setInt(conn *net.UDPConn, level, option, value int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var refused error
	if err := raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), level, option, value) }); err != nil {
		return err
	}
	return refused
}

// readControl reads the address a datagram came to (ip(7), ipv6(7)) and, if it is a train of them, the size of each
// (udp(7), UDP_GRO).
func readControl(oob []byte) (local netip.Addr, segment int) {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		switch {
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			local = netip.AddrFrom4([4]byte(data[8:12]))
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			segment = int(int32(binary.NativeEndian.Uint32(data)))
		}
		oob = rest
	}
	return local, segment
}

// putSource appends the control message that makes a datagram leave from an address; nothing if there is none, or one
// the socket cannot have. A dual-stack socket takes IPv4 sources mapped.
func putSource(oob []byte, from netip.Addr, v6 bool) []byte {
	switch {
	case !from.IsValid():
	case v6:
		var data []byte
		oob, data = putControl(oob, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
		b := from.As16()
		copy(data, b[:])
	case from.Unmap().Is4():
		var data []byte
		oob, data = putControl(oob, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		b := from.As4()
		copy(data[4:], b[:]) // in_pktinfo.ipi_spec_dst
	}
	return oob
}

// putSegment appends the control message that makes a run of datagrams of size bytes (udp(7), UDP_SEGMENT).
func putSegment(oob []byte, size int) []byte {
	oob, data := putControl(oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(data, uint16(size))
	return oob
}

// putControl appends a header and room for size bytes, zeroed, which it returns too. The capacity must hold it.
func putControl(oob []byte, level, kind int32, size int) (all, data []byte) {
	at, space := len(oob), unix.CmsgSpace(size)
	all = oob[:at+space]
	message := all[at:]
	clear(message)
	h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(message)))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return all, message[unix.CmsgLen(0):]
}
