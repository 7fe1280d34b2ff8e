package socket

import (
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// udp moves batches: recvmmsg(2) with UDP_GRO, sendmmsg(2) with UDP_SEGMENT.
type udp struct {
	*net.UDPConn
	receiver
	sender
}

// kernel is the system call of a batch, SYS_RECVMMSG or SYS_SENDMMSG, on n headers; it returns how many were done.
type kernel func(trap, fd uintptr, headers *unix.Mmsghdr, n int) (int, syscall.Errno)

func call(trap, fd uintptr, headers *unix.Mmsghdr, n int) (int, syscall.Errno) {
	for {
		// The socket is non-blocking, and receiving must not wait for the batch to be full. Nor is the scheduler told: it would
		// take the processor away from a batch that lasts more than 20 µs, and waking another thread for that and back costs more
		// than it gives (200 switches a frame at 1,000 viewers).
		done, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(headers)), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			return int(done), 0
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// slots are the kernel's headers for a batch, each pointing at its own address and control message for good.
type slots struct {
	headers  [Batch]unix.Mmsghdr
	vectors  [Batch]unix.Iovec
	names    [Batch]sockaddr
	controls [Batch][controlRoom]byte
}

func (s *slots) link() {
	for i := range s.headers {
		h := &s.headers[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		h.Iov = &s.vectors[i]
		h.SetIovlen(1)
		h.Control = &s.controls[i][0]
	}
}

func wrap(conn *net.UDPConn) Conn {
	// Only a privileged process may exceed net.core.rmem_max and wmem_max; the others keep what bind got.
	_ = setInt(conn, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffers)
	_ = setInt(conn, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, buffers)
	return newConn(conn, call, true)
}

// newConn is the best the kernel has for a socket: batches, in trains if wanted and offered, else single datagrams.
func newConn(conn *net.UDPConn, k kernel, trains bool) Conn {
	raw, err := conn.SyscallConn()
	if err != nil || !batches(raw, k) {
		return newSingle(conn)
	}
	u := &udp{UDPConn: conn}
	v6 := isIPv6(conn)
	askDestination(conn, v6)
	u.receiver.start(raw, k, trains && setInt(conn, unix.IPPROTO_UDP, unix.UDP_GRO, 1) == nil)
	u.sender.start(conn, raw, k, v6)
	return u
}

// batches asks for both calls with nothing to do: a kernel that lacks one says ENOSYS, a sandbox that forbids it EPERM.
// Asked later, a firewall's EPERM for one datagram would look the same.
func batches(raw syscall.RawConn, k kernel) (both bool) {
	err := raw.Control(func(fd uintptr) {
		var header unix.Mmsghdr
		_, receive := k(unix.SYS_RECVMMSG, fd, &header, 0)
		_, send := k(unix.SYS_SENDMMSG, fd, &header, 0)
		both = receive != unix.ENOSYS && receive != unix.EPERM && send != unix.ENOSYS && send != unix.EPERM
	})
	return both && err == nil
}

func (u *udp) LocalAddr() netip.AddrPort { return addrPort(u.UDPConn.LocalAddr()) }

// shareable lets later sockets of this user that ask for it have the port too.
func shareable(conn *net.UDPConn) bool {
	return setInt(conn, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) == nil
}

func share(_, _ string, raw syscall.RawConn) error {
	var refused error
	if err := raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); err != nil {
		return err
	}
	return refused
}
