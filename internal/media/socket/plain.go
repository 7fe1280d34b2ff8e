package socket

import (
	"net"
	"net/netip"
	"time"
)

// Plain makes a Conn of any packet connection whose addresses are *net.UDPAddr: one datagram per batch, Local unknown.
func Plain(c net.PacketConn) Conn { return plain{c} }

type plain struct{ conn net.PacketConn }

func (p plain) ReadBatch(ms []Message) (int, error) {
	n, from, err := p.conn.ReadFrom(ms[0].Buf)
	if err != nil {
		return 0, err
	}
	ms[0].N, ms[0].Remote, ms[0].Local = n, addrPort(from), netip.Addr{}
	return 1, nil
}

func (p plain) WriteBatch(ms []Message) (dropped int) {
	for i := range ms {
		if _, err := p.conn.WriteTo(ms[i].Buf[:ms[i].N], net.UDPAddrFromAddrPort(ms[i].Remote)); err != nil {
			dropped++
		}
	}
	return dropped
}

func (p plain) SetReadDeadline(t time.Time) error { return p.conn.SetReadDeadline(t) }
func (p plain) LocalAddr() netip.AddrPort         { return addrPort(p.conn.LocalAddr()) }
func (p plain) Close() error                      { return p.conn.Close() }

func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
