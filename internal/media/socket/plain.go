package socket

import (
	"net"
	"net/netip"
	"time"
)

// Plain makes a Conn of any packet connection whose addresses are *net.UDPAddr: one datagram per batch, Local unknown.
func Plain(c net.PacketConn) Conn { return &plain{conn: c, room: make([]byte, 64<<10)} }

type plain struct {
	conn net.PacketConn
	room []byte
}

func (p *plain) ReadBatch(ms []Message, wait bool) (int, error) {
	if !wait || len(ms) == 0 {
		return 0, nil // a net.PacketConn cannot be asked without waiting
	}
	n, from, err := p.conn.ReadFrom(p.room)
	if err != nil {
		return 0, err
	}
	ms[0] = Message{Buf: p.room[:n], Remote: addrPort(from)}
	return 1, nil
}

func (p *plain) WriteBatch(ms []Message) (dropped int) {
	for _, m := range ms {
		to := net.UDPAddrFromAddrPort(m.Remote)
		for more := true; more; {
			var part Message
			part, more = take(&m, 1)
			if _, err := p.conn.WriteTo(part.Buf, to); err != nil {
				dropped++
			}
		}
	}
	return dropped
}

func (p *plain) SetReadDeadline(t time.Time) error { return p.conn.SetReadDeadline(t) }
func (p *plain) LocalAddr() netip.AddrPort         { return addrPort(p.conn.LocalAddr()) }
func (p *plain) Close() error                      { return p.conn.Close() }

func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
