package socket

import (
	"net"
	"net/netip"
)

// single moves one datagram per system call: what every system with sockets can do.
type single struct {
	*net.UDPConn
	in, control [controlRoom]byte // aligned as the kernel's headers are, being first
	room        [longest]byte
	v6          bool
}

func newSingle(conn *net.UDPConn) *single {
	s := &single{UDPConn: conn, v6: isIPv6(conn)}
	askDestination(conn, s.v6)
	return s
}

func (s *single) ReadBatch(ms []Message, wait bool) (int, error) {
	if !wait || len(ms) == 0 {
		return 0, nil // package net cannot be asked without waiting
	}
	n, oob, _, from, err := s.ReadMsgUDPAddrPort(s.room[:], s.in[:])
	if err != nil {
		return 0, err
	}
	local, _ := readControl(s.in[:oob])
	ms[0] = Message{Buf: s.room[:n], Remote: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), Local: local}
	return 1, nil
}

func (s *single) WriteBatch(ms []Message) (dropped int) {
	for _, m := range ms {
		for more := true; more; {
			var part Message
			part, more = take(&m, 1)
			oob := putSource(s.control[:0], part.Local, s.v6)
			if _, _, err := s.WriteMsgUDPAddrPort(part.Buf, oob, part.Remote); err != nil {
				dropped++
			}
		}
	}
	return dropped
}

func (s *single) LocalAddr() netip.AddrPort { return addrPort(s.UDPConn.LocalAddr()) }

func isIPv6(conn *net.UDPConn) bool {
	return conn.LocalAddr().(*net.UDPAddr).IP.To4() == nil
}
