package socket

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// buffers is what we ask the kernel for, in bytes: at 2 Mbit/s and 1,000 subscribers a frame's burst is about 1 MiB.
const buffers = 4 << 20

// Listen binds a UDP socket to addr (":4443", "127.0.0.1:0"). Without a host it is dual stack, or IPv4 where the
// machine has no IPv6. A port that any other socket has is an error (EADDRINUSE).
func Listen(ctx context.Context, addr string) (Conn, error) {
	conn, err := bind(ctx, addr, nil)
	if err != nil {
		return nil, err
	}
	return wrap(conn), nil
}

// ListenShards binds n sockets to one port (port 0 draws one for all); the kernel gives each peer's datagrams to one of
// them, chosen by the addresses of both sides. Where the system cannot share a port so, it returns a single one.
//
// The first socket is bound alone and only then opened to the others, so a port that anybody has, a second process of
// ours too, is EADDRINUSE, as with [Listen]. What the kernel lets in afterwards is a socket of the same user that asks
// for SO_REUSEPORT before it binds; nothing of ours does.
func ListenShards(ctx context.Context, addr string, n int) ([]Conn, error) {
	first, err := bind(ctx, addr, nil)
	if err != nil {
		return nil, err
	}
	conns := []Conn{wrap(first)}
	if n <= 1 || !shareable(first) {
		return conns, nil
	}
	host, _, err := net.SplitHostPort(addr)
	for len(conns) < n && err == nil {
		var next *net.UDPConn
		port := strconv.Itoa(int(conns[0].LocalAddr().Port()))
		if next, err = bind(ctx, net.JoinHostPort(host, port), share); err == nil {
			conns = append(conns, wrap(next))
		}
	}
	if err != nil {
		for _, c := range conns {
			_ = c.Close()
		}
		return nil, err
	}
	return conns, nil
}

// bind opens a socket with buffers of our size; prepare sees it before it is bound, if set.
func bind(ctx context.Context, addr string, prepare func(_, _ string, c syscall.RawConn) error) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: prepare}
	pc, err := config.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	conn := pc.(*net.UDPConn)
	// The kernel grants less when it wants to; that is not an error.
	_, _ = conn.SetReadBuffer(buffers), conn.SetWriteBuffer(buffers)
	return conn, nil
}
