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

// bind takes a port, the one port above all, for TCP and UDP; UDP has a socket for each shard of the media, one per core. With port 0 the
// system draws one that is free for TCP, and UDP may find it taken: then another is drawn.
func bind(ctx context.Context, setting string, port int) (net.Listener, []socket.Conn, error) {
	var last error
	for range 8 {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			return nil, nil, unbound(err, setting, "TCP", port)
		}
		conns, err := socket.ListenShards(ctx, ":"+strconv.Itoa(portOf(listener)), runtime.GOMAXPROCS(0))
		if err == nil {
			return listener, conns, nil
		}
		_ = listener.Close() // it has accepted nothing
		if last = unbound(err, setting, "UDP", portOf(listener)); port != 0 {
			break
		}
	}
	return nil, nil, last
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func unbound(err error, setting, protocol string, port int) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fault.Wrap(fault.Invalid, err, "%s=%d: another program has the %s port → stop it (tertulia doctor names it), or set %[1]s to a free port", setting, port, protocol)
	}
	return fault.Wrap(fault.Invalid, err, "%s=%d: the %s port cannot be opened → a port below 1024 needs root or CAP_NET_BIND_SERVICE: give it, or set %[1]s to a higher one", setting, port, protocol)
}
