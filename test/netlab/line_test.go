package netlab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// line is one direction of a link. The zero line is a perfect cable. The kernel of a test machine need not have netem.
type line struct {
	delay   time.Duration
	jitter  time.Duration // up to so much more, packets keep their order
	loss    float64       // share of packets lost, 0 to 1
	rate    int           // bit/s; 0 is without limit
	queue   int           // bytes that wait for the rate before more is dropped; 0 is 64 KiB
	largest int           // bytes of an IP packet; larger ones vanish without a word; 0 is without limit
}

// wire is a line between a node and its switch: two TAP devices with this process between them.
type wire struct {
	up, down *direction // from the node, to the node
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// set changes the line in both directions, from the next packet on.
func (w *wire) set(both line) { w.upDown(both, both) }

// upDown changes the directions apart: up is from the node into the network.
func (w *wire) upDown(up, down line) {
	w.up.shape(up)
	w.down.shape(down)
}

// wire makes the two devices: port in the owner's namespace (the test's if nil) and device in the node's.
func (l *lab) wire(both line, port string, owner *node, device string, n *node) *wire {
	l.t.Helper()
	near, err := tap(port)
	if err != nil {
		l.t.Fatal(err)
	}
	far, err := tap(port + "n")
	if err != nil {
		l.t.Fatal(err)
	}
	if owner != nil {
		l.must("ip", "link", "set", port, "netns", owner.netns)
	}
	l.must("ip", "link", "set", port+"n", "netns", n.netns, "name", device)
	ctx, stop := context.WithCancel(context.Background())
	w := &wire{up: newDirection(far, near, 1), down: newDirection(near, far, 2), stop: stop}
	w.set(both)
	for _, d := range []*direction{w.up, w.down} {
		w.done.Go(func() { d.read(ctx) })
		w.done.Go(func() { d.write(ctx) })
	}
	l.t.Cleanup(func() {
		stop()
		_ = near.Close() // ends the readers
		_ = far.Close()
		w.done.Wait()
	})
	return w
}

// tap makes a device in the namespace of this process; it may move to another afterwards and stays ours.
func tap(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun, which lines with delay or loss need: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make the device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

const (
	frameMax   = 1 << 16
	header     = 14 // bytes of Ethernet before the packet
	queueBytes = 64 << 10
	waitingMax = 4096 // frames on the line at a time
)

// direction carries frames one way.
type direction struct {
	from, to *os.File
	frames   chan timed
	chance   *rand.Rand

	mu      sync.Mutex
	line    line
	free    time.Time // when the rate lets the next frame begin
	latest  time.Time // when the frame before is delivered
	dropped int
	passed  int
}

type timed struct {
	due   time.Time
	frame []byte
}

func newDirection(from, to *os.File, seed uint64) *direction {
	return &direction{from: from, to: to, frames: make(chan timed, waitingMax), chance: rand.New(rand.NewPCG(seed, seed))}
}

func (d *direction) shape(l line) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line = l
}

// counts are the frames that were passed on and those that were not.
func (d *direction) counts() (passed, dropped int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed, d.dropped
}

func (d *direction) read(ctx context.Context) {
	buffer := make([]byte, frameMax)
	for ctx.Err() == nil {
		n, err := d.from.Read(buffer)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil { // a device that is down, or on its way to another namespace
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
			continue
		}
		due, pass := d.admit(time.Now(), n)
		if !pass {
			continue
		}
		select {
		case d.frames <- timed{due, append([]byte(nil), buffer[:n]...)}:
		default:
			d.mu.Lock()
			d.passed, d.dropped = d.passed-1, d.dropped+1
			d.mu.Unlock()
		}
	}
}

// admit decides about a frame of n bytes: when it arrives, or that it does not.
func (d *direction) admit(now time.Time, n int) (due time.Time, pass bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped++
	if d.line.largest > 0 && n > d.line.largest+header || d.line.loss > 0 && d.chance.Float64() < d.line.loss {
		return due, false
	}
	if d.free.Before(now) {
		d.free = now
	}
	if d.line.rate > 0 {
		queue := d.line.queue
		if queue == 0 {
			queue = queueBytes
		}
		waiting := int(d.free.Sub(now).Seconds() * float64(d.line.rate) / 8)
		if waiting+n > queue {
			return due, false
		}
		d.free = d.free.Add(time.Duration(n) * 8 * time.Second / time.Duration(d.line.rate))
	}
	due = d.free.Add(d.line.delay)
	if d.line.jitter > 0 {
		due = due.Add(time.Duration(d.chance.Int64N(int64(d.line.jitter))))
	}
	if due.Before(d.latest) {
		due = d.latest
	}
	d.latest = due
	d.passed, d.dropped = d.passed+1, d.dropped-1
	return due, true
}

// write delivers frames when they are due.
func (d *direction) write(ctx context.Context) {
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-d.frames:
			if wait := time.Until(f.due); wait > 0 {
				alarm.Reset(wait)
				select {
				case <-ctx.Done():
					return
				case <-alarm.C:
				}
			}
			_, _ = d.to.Write(f.frame) // a device that is down takes nothing
		}
	}
}
