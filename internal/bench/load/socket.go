package load

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveBuffer of every client's socket, bytes. A viewer queues one packet in 64 of RTP and its few STUN and RTCP packets, some
// 2 KiB each as the kernel counts, and is read every few milliseconds: a megabyte is minutes of what it queues, so that what
// the kernel counts as dropped is what the filter dropped. [Overflows] proves it for a run. Probes queue every packet.
const receiveBuffer = 1 << 20

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// openUDP makes a bound, unconnected, non-blocking socket.
func openUDP(local netip.Addr) (fd int, bound netip.AddrPort, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, bound, fmt.Errorf("socket: %w", err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: local.As4()}); err == nil {
		var name unix.Sockaddr
		if name, err = unix.Getsockname(fd); err == nil {
			return fd, netip.AddrPortFrom(local, uint16(name.(*unix.SockaddrInet4).Port)), nil
		}
	}
	_ = unix.Close(fd)
	return -1, bound, fmt.Errorf("bind %s: %w", local, err)
}

func sockaddr(a netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

// mmsghdr is what recvmmsg and sendmmsg take (recvmmsg(2)).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

const (
	batchSize = 64
	largest   = 2048 // bytes of a datagram; longer ones are cut and then not understood
)

// inbox is where datagrams of any client are read to, one client at a time.
type inbox struct {
	messages [batchSize]mmsghdr
	vectors  [batchSize]unix.Iovec
	names    [batchSize]unix.RawSockaddrInet4
	controls [batchSize][64]byte
	buffers  [batchSize][largest]byte
}

func newInbox() *inbox {
	b := &inbox{}
	for i := range b.messages {
		b.vectors[i].Base = &b.buffers[i][0]
		b.vectors[i].SetLen(largest)
		h := &b.messages[i].hdr
		h.Name, h.Iov, h.Control = (*byte)(unsafe.Pointer(&b.names[i])), &b.vectors[i], &b.controls[i][0]
		h.SetIovlen(1)
	}
	return b
}

// read takes what a socket has, up to batchSize datagrams, without waiting.
func (b *inbox) read(fd int) int {
	for i := range b.messages {
		h := &b.messages[i].hdr
		h.Namelen = unix.SizeofSockaddrInet4
		h.SetControllen(len(b.controls[i]))
	}
	n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

func (b *inbox) datagram(i int) []byte { return b.buffers[i][:min(b.messages[i].n, largest)] }

func (b *inbox) from(i int) netip.AddrPort {
	name := &b.names[i]
	port := *(*[2]byte)(unsafe.Pointer(&name.Port))
	return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(port[0])<<8|uint16(port[1]))
}

// stamp is when the kernel received a datagram, in ns since 1970; 0 where the socket does not ask for it (SO_TIMESTAMPNS).
func (b *inbox) stamp(i int) int64 {
	h, data, _, err := unix.ParseOneSocketControlMessage(b.controls[i][:b.messages[i].hdr.Controllen])
	if err != nil || h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS || len(data) < int(unsafe.Sizeof(unix.Timespec{})) {
		return 0
	}
	return (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano()
}

// outbox sends a batch of datagrams on a connected socket.
type outbox struct {
	messages [batchSize]mmsghdr
	vectors  [batchSize]unix.Iovec
	buffers  [batchSize][largest]byte
	n        int
}

func newOutbox() *outbox {
	b := &outbox{}
	for i := range b.messages {
		b.vectors[i].Base = &b.buffers[i][0]
		b.messages[i].hdr.Iov = &b.vectors[i]
		b.messages[i].hdr.SetIovlen(1)
	}
	return b
}

// slot is an empty buffer for the next datagram; add says how much of it was used.
func (b *outbox) slot() []byte { return b.buffers[b.n][:0] }

func (b *outbox) add(n int) {
	b.vectors[b.n].SetLen(n)
	b.n++
}

// flush sends the batch and returns how many the kernel took.
func (b *outbox) flush(fd int) (taken int) {
	for taken < b.n {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[taken])), uintptr(b.n-taken), 0, 0, 0)
		if e == unix.ECONNREFUSED {
			continue // an ICMP error of an earlier datagram: told once
		}
		if e != 0 {
			break
		}
		taken += int(n)
	}
	b.n = 0
	return taken
}
