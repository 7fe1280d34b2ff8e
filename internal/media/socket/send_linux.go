package socket

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patience is the longest a batch waits for a full socket buffer. At 1 Gbit/s this time empties the half of the usual
// 208 KiB buffer that the kernel wants free before it wakes us, so that the burst of a keyframe gets through; what takes
// longer is a network slower than what we send, where waiting would delay every other viewer of the shard for datagrams
// that are late already. They are lost as on any full queue, and NACK brings them back.
const patience = 4 * time.Millisecond

// A kernel, interface or tunnel may refuse runs (no checksum offload, IPsec) or only runs to one destination (its path
// takes less than a segment). A refused run leaves as single datagrams. After refusals of runs to different destinations
// with none taken between, nothing is tried as a run for a time: routes and interfaces change.
const (
	enoughRefusals = 4
	withoutRuns    = 30 * time.Second
)

// sender sends batches.
type sender struct {
	conn   *net.UDPConn
	raw    syscall.RawConn
	kernel kernel
	v6     bool
	slots
	parts  [Batch]Message // what the slots send
	filled int

	runs      bool      // the kernel knows them
	noneUntil time.Time // runs are not tried before; zero if they are
	refusals  int       // since a run was taken
	refuser   netip.Addr

	congested bool // the last wait was in vain, and nothing has left since
	mayWait   bool // this batch

	from, to int // the slots to send
	sent     int
	errno    syscall.Errno
	parking  bool
	send     func(fd uintptr) bool // made once: a closure per call would be an allocation
}

func (s *sender) start(conn *net.UDPConn, raw syscall.RawConn, k kernel, v6 bool) {
	s.conn, s.raw, s.kernel, s.v6 = conn, raw, k, v6
	// A kernel that does not know the option ignores the control message too and would send a run as one datagram.
	_ = raw.Control(func(fd uintptr) {
		_, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT)
		s.runs = err == nil
	})
	s.link()
	s.send = func(fd uintptr) bool {
		s.sent, s.errno = s.kernel(unix.SYS_SENDMMSG, fd, &s.headers[s.from], s.to-s.from)
		return s.errno != unix.EAGAIN || !s.parking
	}
}

func (s *sender) WriteBatch(ms []Message) (dropped int) {
	s.mayWait = !s.congested
	runs := s.tryRuns()
	for i := range ms {
		m := ms[i]
		most := 1
		if runs {
			most = perRun(&m)
		}
		for more := true; more; {
			if s.filled == Batch {
				dropped += s.flush()
			}
			var part Message
			part, more = take(&m, most)
			s.put(s.filled, part)
			s.filled++
		}
	}
	return dropped + s.flush()
}

func (s *sender) tryRuns() bool {
	if !s.noneUntil.IsZero() && time.Now().After(s.noneUntil) {
		s.noneUntil, s.refusals = time.Time{}, 0
	}
	return s.runs && s.noneUntil.IsZero()
}

func (s *sender) put(i int, part Message) {
	s.parts[i] = part
	oob := putSource(s.controls[i][:0], part.Local, s.v6)
	if part.Segment > 0 {
		oob = putSegment(oob, part.Segment)
	}
	h := &s.headers[i].Hdr
	h.Namelen = s.names[i].put(part.Remote, s.v6)
	h.SetControllen(len(oob))
	s.vectors[i].Base = unsafe.SliceData(part.Buf)
	s.vectors[i].SetLen(len(part.Buf))
}

// flush sends all slots; it goes on behind what the kernel refuses (unreachable, forbidden, too long).
func (s *sender) flush() (dropped int) {
	for at := 0; at < s.filled; {
		n, err := s.transmit(at, s.filled)
		if s.refusals > 0 {
			s.forgive(s.parts[at : at+n])
		}
		at += n
		switch {
		case n > 0:
		case s.refusesRuns(&s.parts[at], err):
			dropped += s.singly(at)
			at++
		case errors.Is(err, unix.EAGAIN), errors.Is(err, net.ErrClosed):
			for ; at < s.filled; at++ {
				dropped += s.parts[at].Datagrams()
			}
		default:
			dropped += s.parts[at].Datagrams()
			at++
		}
	}
	s.filled = 0
	return dropped
}

// transmit sends slots until the kernel has enough or refuses one, and returns how many went; err, if none did, is
// what it says of the first, or net.ErrClosed.
func (s *sender) transmit(from, to int) (n int, err error) {
	s.from, s.to, s.sent, s.errno = from, to, 0, 0
	if s.raw.Write(s.send) != nil {
		return 0, net.ErrClosed
	}
	if s.errno == unix.EAGAIN && s.mayWait {
		s.park()
	}
	if s.sent > 0 {
		s.congested = false
		return s.sent, nil
	}
	return 0, s.errno
}

// park tries again as soon as there is room, but not for long; errno stays EAGAIN if there is none.
func (s *sender) park() {
	s.mayWait, s.congested = false, true
	_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
	s.parking = true
	_ = s.raw.Write(s.send) // a deadline or the end of the socket, which the next call reports
	s.parking = false
	_ = s.conn.SetWriteDeadline(time.Time{})
}

func (s *sender) refusesRuns(part *Message, err error) bool {
	if part.Segment <= 0 {
		return false
	}
	return slices.ContainsFunc(runRefusals, func(refusal syscall.Errno) bool { return errors.Is(err, refusal) })
}

// runRefusals are what kernels, tunnels and network cards say of UDP_SEGMENT that they cannot do.
var runRefusals = []syscall.Errno{unix.EINVAL, unix.EIO, unix.EMSGSIZE, unix.ENOPROTOOPT, unix.EOPNOTSUPP}

// singly sends the refused run of a slot as single datagrams. If one of them goes, it was the run that was refused.
func (s *sender) singly(at int) (dropped int) {
	run := s.parts[at]
	all := run.Datagrams()
	for more := true; more; {
		var part Message
		part, more = take(&run, 1)
		s.put(at, part)
		if n, _ := s.transmit(at, at+1); n == 0 {
			dropped++
		}
	}
	if to := run.Remote.Addr(); dropped < all && to != s.refuser {
		s.refuser = to
		if s.refusals++; s.refusals >= enoughRefusals {
			s.noneUntil = time.Now().Add(withoutRuns)
		}
	}
	return dropped
}

// forgive begins the count of refusals anew if a run was taken.
func (s *sender) forgive(taken []Message) {
	for i := range taken {
		if taken[i].Segment > 0 {
			s.refusals, s.refuser = 0, netip.Addr{}
			return
		}
	}
}
