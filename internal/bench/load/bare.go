package load

import (
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tertulia/internal/media/socket"
)

const (
	bareHeader = 28 // bytes: 12, and the extensions a forwarded packet has: abs-send-time, transport-cc, mid
	flushGap   = time.Millisecond
)

// bare is the best bare sender: schedule, headers, seal, send.
type bare struct {
	fd      int
	viewers [][]*bareViewer // by room
	out     runBatch
	floor   Floor
	late    Histogram
}

// bareViewer is what a sender must know of one.
type bareViewer struct {
	to       unix.RawSockaddrInet4
	header   [bareHeader]byte
	keys     sealer
	sequence uint32 // the rollover counter and the sequence number
}

// unit is what is sent in one go: the packets of a frame, or one.
type unit struct {
	at      time.Duration // when its last packet is due
	packets []Packet
}

// units cuts a track: at the end of frames, and where a publisher paused inside one; evenly spaced packets are all singles.
func (t *Track) units(single bool) []unit {
	var all []unit
	for i, p := range t.Packets {
		if i == 0 || single || t.begins(i) || p.At-t.Packets[i-1].At > flushGap {
			all = append(all, unit{})
		}
		u := &all[len(all)-1]
		u.at, u.packets = p.At, append(u.packets, p)
	}
	return all
}

// bareTrack is a track on its way to a room.
type bareTrack struct {
	room   int
	units  []unit
	length time.Duration
	round  time.Time
	next   int
}

func (t *bareTrack) due() time.Time { return t.round.Add(t.units[t.next].at) }

func (t *bareTrack) advance() {
	if t.next++; t.next == len(t.units) {
		t.next, t.round = 0, t.round.Add(t.length)
	}
}

type bareTracks []*bareTrack

func (q bareTracks) Len() int           { return len(q) }
func (q bareTracks) Less(i, j int) bool { return q[i].due().Before(q[j].due()) }
func (q bareTracks) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *bareTracks) Push(any)          {} // no track is ever added
func (q *bareTracks) Pop() any          { return nil }

func (job *floorJob) run(ctx context.Context) (Floor, error) {
	b, err := job.open()
	if err != nil {
		return Floor{}, err
	}
	debug.SetGCPercent(400)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &before); err != nil {
		return Floor{}, err
	}
	start := time.Now()
	tracks := job.tracks(start)
	for end := start.Add(job.Length); ctx.Err() == nil; {
		next := tracks[0]
		due := next.due()
		if !due.Before(end) {
			break
		}
		if left := time.Until(due); left > 0 {
			nanosleep(min(left, patience))
			continue
		}
		b.late.Add(time.Since(due))
		b.send(next.room, next.units[next.next].packets)
		next.advance()
		heap.Fix(&tracks, 0)
	}
	b.floor.Took = time.Since(start)
	if err := unix.Getrusage(unix.RUSAGE_SELF, &after); err != nil {
		return Floor{}, err
	}
	b.floor.User = time.Duration(after.Utime.Nano() - before.Utime.Nano())
	b.floor.Sys = time.Duration(after.Stime.Nano() - before.Stime.Nano())
	b.floor.LateP99 = b.late.Quantile(0.99)
	return b.floor, nil
}

func (job *floorJob) open() (*bare, error) {
	if job.Rooms < 1 || len(job.Ports) == 0 || len(job.Ports)%job.Rooms != 0 {
		return nil, errors.New("every room needs as many viewers")
	}
	b := &bare{fd: senderFD, viewers: make([][]*bareViewer, job.Rooms)}
	perRoom := len(job.Ports) / job.Rooms
	for i, port := range job.Ports {
		v := &bareViewer{to: unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}}}
		*(*[2]byte)(unsafe.Pointer(&v.to.Port)) = [2]byte{byte(port >> 8), byte(port)}
		v.header[0], v.header[1] = 0x90, 96
		binary.BigEndian.PutUint32(v.header[8:], uint32(i+1))
		binary.BigEndian.PutUint32(v.header[12:], 0xbede0003)
		var err error
		if v.keys, err = newSealer(job.SRTP, random(sealerSecret)); err != nil {
			return nil, err
		}
		b.viewers[i/perRoom] = append(b.viewers[i/perRoom], v)
	}
	b.out.open()
	return b, nil
}

// tracks spreads the rooms over the shape, as the player does.
func (job *floorJob) tracks(start time.Time) bareTracks {
	var all bareTracks
	for room := range job.Rooms {
		_, part := math.Modf(float64(room) * math.Phi)
		for i := range job.Shape.Tracks {
			t := &bareTrack{
				room: room, units: job.Shape.Tracks[i].units(job.Shape.Name == "even"), length: job.Shape.Length,
				round: start.Add(-time.Duration(part * float64(job.Shape.Length))),
			}
			for t.due().Before(start) {
				t.advance()
			}
			all = append(all, t)
		}
	}
	heap.Init(&all)
	return all
}

// send seals and sends packets to a room, viewer by viewer.
func (b *bare) send(room int, packets []Packet) {
	b.floor.Sent += uint64(len(packets))
	stamp := uint32(time.Now().UnixMicro() * 9 / 100)
	for _, v := range b.viewers[room] {
		for rest := packets; len(rest) > 0; {
			n, size := run(rest, v.keys.overhead())
			if !b.out.fits(n * size) {
				b.flush()
			}
			b.out.begin(&v.to, size)
			for _, p := range rest[:n] {
				v.seal(&b.out, p, size, stamp)
			}
			rest = rest[n:]
		}
	}
	b.flush()
}

func (b *bare) flush() {
	b.floor.Messages += uint64(b.out.n)
	b.floor.Sends += b.out.flush(b.fd)
}

// run is how many packets can go in one message, and how large each then is on the wire: their sizes differ by a byte at
// most, and the shorter are padded.
func run(packets []Packet, overhead int) (n, size int) {
	low, high := packets[0].Size, packets[0].Size
	for n = 1; n < len(packets) && n < socket.MaxSegments; n++ {
		l, h := min(low, packets[n].Size), max(high, packets[n].Size)
		if h-l > 1 || (n+1)*(h+overhead) > socket.MaxRun {
			break
		}
		low, high = l, h
	}
	return n, max(high, bareHeader+1) + overhead
}

// seal appends one packet, as large as the others of its run.
func (v *bareViewer) seal(out *runBatch, p Packet, size int, stamp uint32) {
	v.sequence++
	h := v.header[:]
	h[0], h[1] = 0x90, 96
	payload := size - v.keys.overhead() - bareHeader
	if max(p.Size, bareHeader+1) < payload+bareHeader {
		h[0] |= 0x20
	}
	if p.Marker {
		h[1] |= 0x80
	}
	binary.BigEndian.PutUint16(h[2:], uint16(v.sequence))
	binary.BigEndian.PutUint32(h[4:], stamp)
	binary.BigEndian.PutUint32(h[16:], 0x22000000|stamp&0xffffff)
	binary.BigEndian.PutUint32(h[20:], 0x31000000|v.sequence&0xffff<<8|0x40)
	out.arena = v.keys.seal(out.arena, h, sharedPayload[:payload], v.sequence>>16)
}

// sharedPayload is the payload of every packet; wherever it is cut, its last byte is the length of RTP padding.
var sharedPayload = func() []byte {
	b := make([]byte, largest)
	for i := range b {
		b[i] = 1
	}
	return b
}()
