package load

import (
	"container/heap"
	"context"
	"errors"
	"math"
	"runtime"
	"time"

	"github.com/pion/rtp"
	"golang.org/x/sys/unix"
)

// Player plays a shape into publishers. Each begins at an offset of its own, so that their frames do not coincide.
type Player struct {
	Shape      Shape
	Publishers []*Client // connected
}

// Played is what a Player has done.
type Played struct {
	Sent uint64    // packets the kernel took
	Late Histogram // how long after its time each packet was handed to the kernel
}

const (
	// together: packets of a publisher so near to each other go out in one system call.
	together = 10 * time.Microsecond
	// spinning before a packet is due makes up for the timer's imprecision.
	spinning = 60 * time.Microsecond
	// patience bounds how long the player sleeps without asking whether it shall go on.
	patience = 50 * time.Millisecond
)

// Play sends for so long, or until ctx ends; a frame that has begun is finished. It takes the calling goroutine's thread
// for itself meanwhile. Publishers may be played again afterwards: their streams go on.
func (p *Player) Play(ctx context.Context, length time.Duration) (Played, error) {
	var played Played
	runtime.LockOSThread() // and never unlocked where its priority stays raised
	defer precise()()
	start := time.Now().Add(time.Millisecond)
	parts, err := p.parts(start)
	if err != nil {
		return played, err
	}
	end := start.Add(length)
	out := newOutbox()
	for len(parts) > 0 && ctx.Err() == nil {
		next := parts[0]
		due := next.due()
		if next.begins() && !due.Before(end) {
			heap.Pop(&parts)
			continue
		}
		if !until(ctx, due) {
			continue
		}
		next.send(out, &played, end)
		heap.Fix(&parts, 0)
	}
	return played, nil
}

// parts is a heap of tracks by when their next packet is due.
type parts []*part

func (q parts) Len() int           { return len(q) }
func (q parts) Less(i, j int) bool { return q[i].due().Before(q[j].due()) }
func (q parts) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *parts) Push(x any)        { *q = append(*q, x.(*part)) }
func (q *parts) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// part is one track of one publisher being played.
type part struct {
	client *Client
	track  *track
	shape  *Track
	length time.Duration
	round  time.Time // when the shape's present round began
	next   int       // packet
	header rtp.Header
}

func (p *Player) parts(start time.Time) (parts, error) {
	var all parts
	for i, c := range p.Publishers {
		if c.rtpOut == nil {
			return nil, errors.New("a publisher that is not connected cannot play")
		}
		_, part1 := math.Modf(float64(i) * math.Phi)
		offset := time.Duration(part1 * float64(p.Shape.Length))
		for j := range p.Shape.Tracks {
			shape := &p.Shape.Tracks[j]
			t := c.track(shape.Kind)
			if t == nil || len(t.header) == 0 {
				return nil, errors.New("the publisher and its server have not agreed on " + shape.Kind)
			}
			one := &part{client: c, track: t, shape: shape, length: p.Shape.Length, round: start.Add(-offset)}
			if shape.Packets[0].Data != nil { // what is looked at begins with its key frame
				one.round = start.Add(offset % clipFrame)
			}
			for one.due().Before(start) || !one.begins() {
				one.advance()
			}
			all = append(all, one)
		}
	}
	heap.Init(&all)
	return all, nil
}

func (p *part) due() time.Time { return p.round.Add(p.shape.Packets[p.next].At) }

func (p *part) begins() bool { return p.shape.begins(p.next) }

func (p *part) advance() {
	if p.next++; p.next == len(p.shape.Packets) {
		p.next = 0
		p.round = p.round.Add(p.length)
	}
}

// send hands over what is due now and what is so near that it makes no difference, sealed.
func (p *part) send(out *outbox, played *Played, end time.Time) {
	c := p.client
	var plain [largest]byte
	first := p.due()
	for out.n < batchSize {
		due := p.due()
		now := time.Now()
		if due.Sub(now) > together || due.Sub(first) > together && due.After(now) || p.begins() && !due.Before(end) {
			break
		}
		p.restart(due)
		c.transportN++
		raw := p.track.build(plain[:0], p.shape.Packets[p.next], p.begins(), due.UnixNano(), now.UnixNano(), c.transportN,
			func() bool { return c.keyframe.Swap(false) })
		p.advance()
		sealed, err := c.rtpOut.EncryptRTP(out.slot(), raw, &p.header)
		if err != nil {
			continue
		}
		out.add(len(sealed))
		played.Late.Add(now.Sub(due))
	}
	played.Sent += uint64(out.flush(c.fd))
}

// until waits for a time; false when it should be asked again.
func until(ctx context.Context, due time.Time) bool {
	for {
		left := time.Until(due)
		switch {
		case left <= 0:
			return true
		case left > patience:
			nanosleep(patience)
			return false
		case left > spinning:
			nanosleep(left - spinning)
		}
		if ctx.Err() != nil {
			return false
		}
	}
}

// nanosleep is more precise than Go's timers, which round to milliseconds when nothing else happens.
func nanosleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil)
}

// precise makes the thread wake up on time, and before others, as far as it may; what it returns takes that back.
func precise() func() {
	const slack, usual = 1, 50_000 // ns, prctl(2)
	thread := unix.Gettid()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, slack, 0, 0, 0)
	_ = unix.Setpriority(unix.PRIO_PROCESS, thread, -20)
	return func() {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, usual, 0, 0, 0)
		if unix.Setpriority(unix.PRIO_PROCESS, thread, 0) == nil {
			runtime.UnlockOSThread()
		}
	}
}
