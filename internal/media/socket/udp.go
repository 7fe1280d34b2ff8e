package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Batch is how many datagrams one system call carries at most.
const Batch = 64

// buffers is what we ask the kernel for: at 2 Mbit/s and 1,000 subscribers a frame's burst is about 1 MiB.
const buffers = 4 << 20

// oobRoom holds one packet-info control message.
const oobRoom = 64

// batcher is what x/net's ipv4 and ipv6 packet connections have in common; both message types are the same.
type batcher interface {
	ReadBatch([]ipv6.Message, int) (int, error)
	WriteBatch([]ipv6.Message, int) (int, error)
}

type udp struct {
	*net.UDPConn
	batch   batcher
	v6      bool
	in, out []ipv6.Message
	room    [][]byte
}

// Listen binds a UDP socket to addr (":4443", "127.0.0.1:0"). Without a host it is dual stack, or IPv4 where the
// machine has no IPv6.
func Listen(ctx context.Context, addr string) (Conn, error) {
	var config net.ListenConfig
	pc, err := config.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	conn := pc.(*net.UDPConn)
	// The kernel grants less when it wants to; that is not an error.
	_, _ = conn.SetReadBuffer(buffers), conn.SetWriteBuffer(buffers)
	u := &udp{UDPConn: conn, in: make([]ipv6.Message, Batch), out: make([]ipv6.Message, Batch)}
	u.v6 = addrPortRaw(conn.LocalAddr()).Addr().Is6()
	// Where packet info does not exist, Local stays unknown and the kernel's routing picks the source address.
	if u.v6 {
		p := ipv6.NewPacketConn(conn)
		_ = p.SetControlMessage(ipv6.FlagDst, true)
		u.batch = p
	} else {
		p := ipv4.NewPacketConn(conn)
		_ = p.SetControlMessage(ipv4.FlagDst, true)
		u.batch = p
	}
	for i := range u.in {
		u.room = append(u.room, make([]byte, 2048))
		u.in[i].Buffers, u.in[i].OOB = make([][]byte, 1), make([]byte, oobRoom)
		u.out[i].Buffers, u.out[i].OOB = make([][]byte, 1), make([]byte, 0, oobRoom)
		u.out[i].Addr = &net.UDPAddr{IP: make(net.IP, 0, 16)}
	}
	return u, nil
}

func addrPortRaw(a net.Addr) netip.AddrPort {
	u := a.(*net.UDPAddr)
	if v4 := u.IP.To4(); v4 != nil {
		ip, _ := netip.AddrFromSlice(v4)
		return netip.AddrPortFrom(ip, uint16(u.Port))
	}
	return u.AddrPort()
}

func (u *udp) ReadBatch(ms []Message, wait bool) (int, error) {
	if !wait {
		return 0, nil
	}
	n := min(len(ms), len(u.in))
	for i := range n {
		u.in[i].Buffers[0], u.in[i].OOB, u.in[i].N = u.room[i], u.in[i].OOB[:oobRoom], 0
	}
	got, err := u.batch.ReadBatch(u.in[:n], 0)
	if err != nil {
		return 0, err
	}
	for i := range got {
		m := &u.in[i]
		ms[i] = Message{Buf: m.Buffers[0][:m.N], Remote: addrPort(m.Addr), Local: destination(m.OOB[:m.NN])}
	}
	return got, nil
}

func (u *udp) WriteBatch(runs []Message) (dropped int) {
	ms := split(runs)
	for len(ms) > 0 {
		n := min(len(ms), len(u.out))
		for i := range n {
			u.prepare(&u.out[i], &ms[i])
		}
		dropped += u.send(u.out[:n])
		ms = ms[n:]
	}
	return dropped
}

// split takes runs apart.
func split(runs []Message) (ms []Message) {
	for _, m := range runs {
		for m.Segment > 0 && len(m.Buf) > m.Segment {
			ms = append(ms, Message{Buf: m.Buf[:m.Segment], Remote: m.Remote, Local: m.Local})
			m.Buf = m.Buf[m.Segment:]
		}
		ms = append(ms, m)
	}
	return ms
}

// send goes on behind a datagram the kernel refuses (unreachable, forbidden, too long).
func (u *udp) send(out []ipv6.Message) (dropped int) {
	for len(out) > 0 {
		n, err := u.batch.WriteBatch(out, 0)
		if err != nil || n == 0 {
			dropped++
			n = max(n, 0) + 1
		}
		out = out[min(n, len(out)):]
	}
	return dropped
}

func (u *udp) prepare(to *ipv6.Message, m *Message) {
	to.Buffers[0] = m.Buf
	addr := to.Addr.(*net.UDPAddr)
	addr.Port, addr.Zone = int(m.Remote.Port()), m.Remote.Addr().Zone()
	ip := m.Remote.Addr()
	if ip.Is4() && !u.v6 {
		b := ip.As4()
		addr.IP = append(addr.IP[:0], b[:]...)
	} else {
		b := ip.As16()
		addr.IP = append(addr.IP[:0], b[:]...)
	}
	to.OOB = source(to.OOB[:0], m.Local, u.v6)
}

func (u *udp) SetReadDeadline(t time.Time) error { return u.UDPConn.SetReadDeadline(t) }
func (u *udp) LocalAddr() netip.AddrPort         { return addrPort(u.UDPConn.LocalAddr()) }
