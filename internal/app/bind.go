package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tertulia/internal/diagnosis"
	"tertulia/internal/doctor"
	"tertulia/internal/fault"
	"tertulia/internal/media/socket"
)

// A port that another program has is asked for again, at first soon and then every maxPause; the log says so again
// after tellAgain.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = time.Second
	tellAgain  = time.Minute
)

// bind takes a port, the one port above all, for TCP and UDP, once it is free; UDP has a socket for each shard of the media, one per core.
// With port 0 the system draws one that is free for TCP, and UDP may find it taken: then another is drawn.
func bind(ctx context.Context, setting string, port int, log *slog.Logger) (listener net.Listener, conns []socket.Conn, err error) {
	draws := 0
	err = onceFree(ctx, setting, log, func() error {
		listener, conns, err = bindBoth(ctx, port)
		for ; port == 0 && errors.Is(err, syscall.EADDRINUSE) && draws < 8; draws++ {
			listener, conns, err = bindBoth(ctx, port)
		}
		return err
	})
	return listener, conns, err
}

func bindBoth(ctx context.Context, port int) (net.Listener, []socket.Conn, error) {
	listener, err := listen(port)
	if err != nil {
		return nil, nil, err
	}
	conns, err := socket.ListenShards(ctx, ":"+strconv.Itoa(portOf(listener)), runtime.GOMAXPROCS(0))
	if err != nil {
		_ = listener.Close() // it has accepted nothing
		return nil, nil, &unbound{"udp", portOf(listener), err}
	}
	return listener, conns, nil
}

func listen(port int) (net.Listener, error) {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return nil, &unbound{"tcp", port, err}
	}
	return listener, nil
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// unbound is a port that cannot be had.
type unbound struct {
	network string // "tcp", "udp"
	port    int
	cause   error
}

func (u *unbound) Error() string { return fmt.Sprintf("%s port %d: %v", u.network, u.port, u.cause) }
func (u *unbound) Unwrap() error { return u.cause }

// onceFree opens a port, waiting while another program has it: the log names that (promise FAQ-14). It fails, with the
// setting to change, if we may not have the port, and with ctx.
func onceFree(ctx context.Context, setting string, log *slog.Logger, open func() error) error {
	var told time.Time
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := open()
		refused, ok := errors.AsType[*unbound](err)
		switch {
		case !ok:
			return err
		case !errors.Is(err, syscall.EADDRINUSE):
			return unavailable(setting, err)
		}
		if time.Since(told) >= tellAgain {
			told = time.Now()
			log.Error("another program has our port: waiting until it is free. Stop that program, or set "+setting+" to another port",
				"code", diagnosis.PortTaken, "port", refused.port, "network", refused.network, "taken_by", doctor.Holder(refused.network, refused.port))
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		}
	}
}

// unavailable is a port that we may not have.
func unavailable(setting string, err error) error {
	refused, ok := errors.AsType[*unbound](err)
	if !ok {
		return err
	}
	return fault.Wrap(fault.Invalid, refused.cause,
		"%s=%d: the %s port cannot be opened → a port below 1024 needs root or CAP_NET_BIND_SERVICE: give it, or set %[1]s to a higher one",
		setting, refused.port, strings.ToUpper(refused.network))
}
