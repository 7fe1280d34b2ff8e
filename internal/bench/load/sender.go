package load

import (
	"container/heap"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"

	"tertulia/internal/media/seal"
	"tertulia/internal/media/socket"
)

// listener is a viewer as the bare sender sees it.
type listener struct {
	at     netip.AddrPort
	keys   *seal.Sealer
	number [2]uint32 // of the latest packet, by track
}

func listenersAt(room []netip.AddrPort, cipher Profile) ([]*listener, error) {
	profile, key, salt := srtp.ProtectionProfileAeadAes128Gcm, make([]byte, 16), make([]byte, 12)
	if cipher == CM {
		profile, salt = srtp.ProtectionProfileAes128CmHmacSha1_80, make([]byte, 14)
	}
	var all []*listener
	for _, at := range room {
		_, _ = rand.Read(key)
		keys, err := seal.New(profile, key, salt)
		if err != nil {
			return nil, err
		}
		all = append(all, &listener{at: at, keys: keys})
	}
	return all, nil
}

// voice is a track of a room: what of it goes out together is packets[first:behind].
type voice struct {
	track     *Track
	kind      byte
	length    time.Duration
	round     time.Time // when the shape's present round began
	listeners []*listener

	first, behind int
}

// apart is the gap that ends a burst.
const apart = time.Millisecond

// begin finds what goes out together: a frame as far as it is a burst.
func (v *voice) begin() {
	p := v.track.Packets
	v.behind = v.first + 1
	for v.behind < len(p) && !v.track.begins(v.behind) && p[v.behind].At-p[v.behind-1].At < apart {
		v.behind++
	}
}

// due is when the last of it has come.
func (v *voice) due() time.Time { return v.round.Add(v.track.Packets[v.behind-1].At) }

func (v *voice) advance() {
	if v.first = v.behind; v.first == len(v.track.Packets) {
		v.first, v.round = 0, v.round.Add(v.length)
	}
}

// voices is a heap by when they are due.
type voices []*voice

func (q voices) Len() int           { return len(q) }
func (q voices) Less(i, j int) bool { return q[i].due().Before(q[j].due()) }
func (q voices) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *voices) Push(x any)        { *q = append(*q, x.(*voice)) }
func (q *voices) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

const (
	bareHeader = 24 // bytes of RTP header with the extensions a browser negotiates
	sendRoom   = 256 << 10
)

// sender seals and sends.
type sender struct {
	conn    socket.Conn
	voices  voices
	start   time.Time
	payload []byte // of all packets
	room    []byte
	used    int
	batch   []socket.Message
	sent    uint64
	late    Histogram
}

func newSender(ctx context.Context, task order) (*sender, error) {
	s := &sender{start: time.Now().Add(100 * time.Millisecond), payload: make([]byte, largest), room: make([]byte, sendRoom)}
	var err error
	if s.voices, err = task.voices(s.start); err != nil {
		return nil, err
	}
	if len(s.voices) == 0 {
		return nil, errors.New("the floor's task: no track or no room")
	}
	heap.Init(&s.voices)
	if s.conn, err = socket.Listen(ctx, fmt.Sprintf("127.0.0.1:%d", task.Port)); err != nil {
		return nil, err
	}
	return s, nil
}

// run sends for so long, on one CPU.
func (s *sender) run(ctx context.Context, cpu int, length time.Duration) (account, error) {
	runtime.LockOSThread()
	defer precise()()
	var one unix.CPUSet
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return account{}, fmt.Errorf("CPU %d: %w", cpu, err)
	}
	user, sys, err := spent()
	if err != nil {
		return account{}, err
	}
	end, worked := s.start.Add(length), time.Duration(0)
	for ctx.Err() == nil {
		next := s.voices[0]
		due := next.due()
		if !due.Before(end) {
			break
		}
		if left := time.Until(due); left > 0 {
			nanosleep(min(left, patience))
			continue
		}
		s.late.Add(time.Since(due))
		before, err := threadTime()
		if err != nil {
			return account{}, err
		}
		s.send(next)
		after, err := threadTime()
		if err != nil {
			return account{}, err
		}
		worked += after - before
		next.advance()
		next.begin()
		heap.Fix(&s.voices, 0)
	}
	took := time.Since(s.start)
	laterUser, laterSys, err := spent()
	// Waking up on time costs a virtual machine 100 µs that have nothing to do with sealing and sending: left out.
	done := account{Sent: s.sent, Took: took, Sys: worked, LateP99: s.late.Quantile(0.99)}
	if all := laterUser - user + laterSys - sys; all > 0 {
		done.User = time.Duration(float64(worked) * float64(laterUser-user) / float64(all))
		done.Sys = worked - done.User
	}
	return done, err
}

// threadTime is the CPU time of the calling thread.
func threadTime() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano()), err
}

// spent is the CPU time of the process.
func spent() (user, sys time.Duration, err error) {
	var u unix.Rusage
	err = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano()), err
}

// send gives every viewer what is due of a track.
func (s *sender) send(v *voice) {
	packets := v.track.Packets[v.first:v.behind]
	for _, l := range v.listeners {
		size := 0 // of the present run's datagrams
		for i := range packets {
			n := s.seal(l, v.kind, padded(packets, i))
			if last := len(s.batch) - 1; i > 0 && n == size && len(s.batch[last].Buf)+n <= socket.MaxRun {
				run := &s.batch[last]
				run.Buf, run.Segment = run.Buf[:len(run.Buf)+n], n
			} else {
				s.batch = append(s.batch, socket.Message{Buf: s.room[s.used : s.used+n], Remote: l.at})
				size = n
			}
			s.used += n
		}
		if len(s.batch) >= socket.Batch || len(s.room)-s.used < len(packets)*largest {
			s.flush()
		}
	}
	s.flush()
	s.sent += uint64(len(packets))
}

// padded is the size of a packet: as the next if that is longer by one byte.
func padded(packets []Packet, i int) int {
	size := packets[len(packets)-1].Size
	for j := len(packets) - 2; j >= i; j-- {
		if packets[j].Size+1 != size {
			size = packets[j].Size
		}
	}
	return size
}

func (s *sender) seal(l *listener, kind byte, size int) int {
	dst := s.room[s.used:]
	l.number[kind]++
	clear(dst[:bareHeader])
	dst[0], dst[1] = 0x90, 96+kind
	binary.BigEndian.PutUint16(dst[2:], uint16(l.number[kind]))
	dst[8] = kind
	binary.BigEndian.PutUint32(dst[12:], 0xbede<<16|(bareHeader-16)/4) // empty extensions (RFC 8285 §4.2)
	return l.keys.RTP(dst, bareHeader, s.payload[:max(size-bareHeader, 0)], l.number[kind]>>16)
}

func (s *sender) flush() {
	s.conn.WriteBatch(s.batch)
	s.batch, s.used = s.batch[:0], 0
}
