package app

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strconv"
	"syscall"

	"tertulia/internal/fault"
	"tertulia/internal/media/socket"
)

// bind takes the one port for TCP and UDP; UDP has a socket for each shard of the media, one per core. With port 0 the
// system draws one that is free for TCP, and UDP may find it taken: then another is drawn.
func bind(ctx context.Context, port int) (net.Listener, []socket.Conn, error) {
	var last error
	for range 8 {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			return nil, nil, unbound(err, "TCP", port)
		}
		conns, err := socket.ListenShards(ctx, ":"+strconv.Itoa(portOf(listener)), runtime.GOMAXPROCS(0))
		if err == nil {
			return listener, conns, nil
		}
		_ = listener.Close() // it has accepted nothing
		if last = unbound(err, "UDP", portOf(listener)); port != 0 {
			break
		}
	}
	return nil, nil, last
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func unbound(err error, protocol string, port int) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fault.Wrap(fault.Invalid, err, "HTTPS_PORT=%d: another program has the %s port → stop it (tertulia doctor names it), or set HTTPS_PORT to a free port", port, protocol)
	}
	return fault.Wrap(fault.Invalid, err, "HTTPS_PORT=%d: the %s port cannot be opened → a port below 1024 needs root or CAP_NET_BIND_SERVICE: give it, or set HTTPS_PORT to a higher one", port, protocol)
}
