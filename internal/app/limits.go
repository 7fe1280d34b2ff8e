package app

import (
	"log/slog"
	"math"
	"net"
	"os"
	"syscall"

	"tertulia/internal/api/frontdoor"
	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
)

// files are the descriptors this process may have. A participant takes one for its websocket, two with ICE-TCP or TURN;
// all UDP goes through a socket per core.
type files struct {
	limit   int
	reserve int        // kept for calls that run: sockets that come back, ICE-TCP, the store
	used    func() int // now
}

// few is a limit that a busy server may reach: that of a shell, or of a unit without LimitNOFILE.
const few = 4096

// openFiles reads the limit, which the Go runtime has raised from soft to hard at the start (os, rlimit.go).
func openFiles(log *slog.Logger) *files {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		limit.Cur = math.MaxInt32
	}
	f := newFiles(int(limit.Cur), countFiles)
	if f.limit < few {
		log.Warn("few files may be open: new participants are refused before those in calls are harmed. Set LimitNOFILE=65536 in the systemd unit, or ulimit -Hn 65536",
			"code", diagnosis.FDLimit, "limit", f.limit, "used", f.used())
	}
	return f
}

func newFiles(limit int, used func() int) *files {
	return &files{limit: limit, reserve: 64 + limit/20, used: used}
}

// countFiles counts the open descriptors: Linux tells from 6.2 on as the size of the folder.
func countFiles() int {
	const open = "/proc/self/fd"
	if told, err := os.Stat(open); err == nil && told.Size() > 0 {
		return int(told.Size())
	}
	folder, err := os.Open(open)
	if err != nil {
		return 0
	}
	defer func() { _ = folder.Close() }()
	names, _ := folder.Readdirnames(-1)
	return len(names)
}

// Room refuses, with fault.NoCapacity, what would come too near to the limit: newcomers, when the reserve would be
// touched; what may belong to a running call (a socket may be a client's that comes back), when half of it is gone.
func (f *files) Room(running bool) error {
	kept := f.reserve
	if running {
		kept /= 2
	}
	if used := f.used(); used+kept >= f.limit {
		return fault.New(fault.NoCapacity, "%s: %d of the %d files that may be open are, the rest is kept for the calls that run; "+
			"raise LimitNOFILE of the systemd unit, or ulimit -Hn", diagnosis.FDLimit, used, f.limit)
	}
	return nil
}

// door bounds the connections of every kind so that accept always finds a descriptor.
func (f *files) door() frontdoor.Limits {
	const connections, spare = 20_000, 16
	return frontdoor.Limits{Open: max(1, min(connections, f.limit-f.used()-spare))}
}

// listener is that of a port beside the one port, HTTP_PORT or COTURN_PORT: whoever comes there is turned away rather than
// take the descriptors that are kept.
func (f *files) listener(l net.Listener) net.Listener { return &sparing{l, f} }

type sparing struct {
	net.Listener
	files *files
}

// Accept implements net.Listener.
func (s *sparing) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil || s.files.Room(true) == nil {
			return conn, err
		}
		_ = conn.Close() // nothing was said on it
	}
}
