package socket

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr holds the address of either family, as the kernel has it.
type sockaddr struct{ unix.RawSockaddrInet6 }

func (s *sockaddr) v4() *unix.RawSockaddrInet4 { return (*unix.RawSockaddrInet4)(unsafe.Pointer(s)) }

// get returns the address, unmapped; zero if it is of no IP network. A link-local one has its interface's number as zone.
func (s *sockaddr) get() netip.AddrPort {
	switch s.Family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4(s.v4().Addr), swap(s.v4().Port))
	case unix.AF_INET6:
		ip := netip.AddrFrom16(s.Addr).Unmap()
		if s.Scope_id != 0 && ip.Is6() {
			ip = ip.WithZone(strconv.Itoa(int(s.Scope_id)))
		}
		return netip.AddrPortFrom(ip, swap(s.Port))
	}
	return netip.AddrPort{}
}

// put sets the address for a socket of the family and returns its size in bytes. An IPv6 address on an IPv4 socket stays
// what it is, for the kernel to refuse.
func (s *sockaddr) put(to netip.AddrPort, v6 bool) (size uint32) {
	if ip := to.Addr().Unmap(); ip.Is4() && !v6 {
		*s.v4() = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swap(to.Port()), Addr: ip.As4()}
		return unix.SizeofSockaddrInet4
	}
	s.RawSockaddrInet6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: swap(to.Port()), Addr: to.Addr().As16()}
	if zone := to.Addr().Zone(); zone != "" {
		number, _ := strconv.ParseUint(zone, 10, 32)
		s.Scope_id = uint32(number)
	}
	return unix.SizeofSockaddrInet6
}

// swap turns a port between the machine's and the network's order.
func swap(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}
