package load

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Loop drives clients: one goroutine (that of Run) for all of their sockets and timers. Others hand it functions.
type Loop struct {
	certificate tls.Certificate // of all clients
	epoll, wake int             // wake is an eventfd
	start       time.Time
	stopped     chan struct{}
	tasks       sync.WaitGroup // handshakes

	mu     sync.Mutex
	inbox  []func()
	ending bool // nothing is taken any more

	// What follows belongs to Run.
	clients    map[int32]*Client // by file descriptor
	connecting int               // of them, how many are on their way
	wheel      [512][]*Client    // a client stands in the slot of its next tick, once
	turned     int64             // slots done since start
	in         *inbox
	plain      []byte // scratch
}

const (
	slot = 10 * time.Millisecond // of the wheel; a tick is at most 512 of them away
	// nap is how long the loop looks away between rounds when nobody is connecting: reading what came meanwhile at once is
	// much cheaper than waking up for each datagram. Nothing is measured by when it is read.
	nap = 2 * time.Millisecond
)

var errEnded = errors.New("the load generator has ended")

// processors are those Go may use at once, even where all share one CPU: threads that sleep in the kernel, the loop's and the
// player's, keep theirs for up to 10 ms.
const processors = 4

// NewLoop opens what the loop needs; nothing is driven until Run. It raises GOMAXPROCS to 4.
func NewLoop() (*Loop, error) {
	if runtime.GOMAXPROCS(0) < processors {
		runtime.GOMAXPROCS(processors)
	}
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	l := &Loop{certificate: certificate, start: time.Now(), stopped: make(chan struct{}), clients: map[int32]*Client{},
		in: newInbox(), plain: make([]byte, 0, largest)}
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err == nil {
		err = l.watch(l.wake)
	}
	if err != nil {
		_ = unix.Close(l.epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return l, nil
}

// selfSigned makes the one certificate of all clients: browsers, too, use ECDSA P-256.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "WebRTC"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func (l *Loop) watch(fd int) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Run drives the clients until ctx ends, then closes those that are left. It runs once.
func (l *Loop) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, l.rouse)
	defer stop()
	events := make([]unix.EpollEvent, 512)
	var err error
	for ctx.Err() == nil && err == nil {
		l.turn() // first, so that it has caught up when messages schedule
		l.messages()
		err = l.read(events)
		if l.connecting == 0 && len(l.clients) > 0 {
			time.Sleep(nap)
		}
	}
	l.end()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// read waits for datagrams and hands them to their clients.
func (l *Loop) read(events []unix.EpollEvent) error {
	timeout := -1
	if len(l.clients) > 0 {
		timeout = int(slot / time.Millisecond)
	}
	n, err := unix.EpollWait(l.epoll, events, timeout)
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range events[:max(n, 0)] {
		if int(event.Fd) == l.wake {
			var counter [8]byte
			_, _ = unix.Read(l.wake, counter[:])
		} else if c := l.clients[event.Fd]; c != nil {
			c.receive()
		}
	}
	return nil
}

func (l *Loop) end() {
	l.mu.Lock()
	l.ending = true
	l.mu.Unlock()
	for _, c := range l.clients {
		c.release(errEnded)
	}
	l.tasks.Wait()
	for len(l.inbox) > 0 {
		l.messages() // the last words of handshakes, and of whoever was waiting
	}
	_ = unix.Close(l.wake)
	_ = unix.Close(l.epoll)
	close(l.stopped)
}

func (l *Loop) now() time.Duration { return time.Since(l.start) }

// post hands fn to the loop without waiting; false when it has ended.
func (l *Loop) post(fn func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return false
	}
	l.inbox = append(l.inbox, fn)
	if len(l.inbox) == 1 {
		l.rouse()
	}
	return true
}

// do runs fn in the loop and waits for it.
func (l *Loop) do(fn func()) error {
	done := make(chan struct{})
	if !l.post(func() { fn(); close(done) }) {
		return errEnded
	}
	select {
	case <-done:
		return nil
	case <-l.stopped:
		return errEnded
	}
}

func (l *Loop) rouse() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(l.wake, one[:])
}

func (l *Loop) messages() {
	l.mu.Lock()
	inbox := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, fn := range inbox {
		fn()
	}
}

// turn ticks the clients whose time has come.
func (l *Loop) turn() {
	now := l.now()
	for ; l.turned <= int64(now/slot); l.turned++ {
		at := &l.wheel[l.turned%int64(len(l.wheel))]
		due := *at
		*at = nil
		for _, c := range due {
			if !c.closed {
				l.schedule(c, c.tick(now))
			}
		}
	}
}

// schedule lets a client tick after a while.
func (l *Loop) schedule(c *Client, after time.Duration) {
	slots := min(max(int64(after/slot), 1), int64(len(l.wheel)-1))
	at := &l.wheel[(l.turned+slots)%int64(len(l.wheel))]
	*at = append(*at, c)
}
