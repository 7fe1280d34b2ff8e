package testkit

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"tertulia/internal/media/socket"
)

// Fork makes n sockets of one, as SO_REUSEPORT does, but the test says which of them reads what comes from an address.
// Closing all of them closes the one. It may be used in a synctest bubble.
func Fork(conn socket.Conn, n int, reader func(remote netip.AddrPort) int) []socket.Conn {
	f := &fork{Conn: conn, reader: reader, open: n}
	var conns []socket.Conn
	for range n {
		p := &prong{fork: f, moved: make(chan struct{})}
		f.prongs = append(f.prongs, p)
		conns = append(conns, p)
	}
	_ = conn.SetReadDeadline(time.Time{}) // fails when conn is closed, and then reading does
	f.reading.Go(f.read)
	return conns
}

type fork struct {
	socket.Conn
	reader  func(netip.AddrPort) int
	prongs  []*prong
	reading sync.WaitGroup

	mu   sync.Mutex // of the prongs too
	open int
}

// prong is one of the sockets.
type prong struct {
	*fork
	queue    []socket.Message
	deadline time.Time
	closed   bool
	moved    chan struct{} // closed and renewed with every change
}

func (f *fork) read() {
	in := make([]socket.Message, socket.Batch)
	for {
		n, err := f.Conn.ReadBatch(in, true)
		if err != nil {
			return
		}
		for _, m := range in[:n] {
			m.Buf = slices.Clone(m.Buf)
			p := f.prongs[f.reader(m.Remote)]
			p.change(func() { p.queue = append(p.queue, m) })
		}
	}
}

func (p *prong) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	close(p.moved)
	p.moved = make(chan struct{})
}

func (p *prong) ReadBatch(ms []socket.Message, wait bool) (int, error) {
	for {
		p.mu.Lock()
		n := copy(ms, p.queue)
		p.queue = p.queue[n:]
		closed, left, moved := p.closed, time.Until(p.deadline), p.moved
		p.mu.Unlock()
		switch {
		case closed:
			return 0, net.ErrClosed
		case n > 0 || !wait:
			return n, nil
		case left <= 0:
			return 0, os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(left)
		select {
		case <-moved:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// WriteBatch writes to the one socket, which is for one goroutine at a time.
func (p *prong) WriteBatch(ms []socket.Message) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Conn.WriteBatch(ms)
}

func (p *prong) SetReadDeadline(t time.Time) error {
	p.change(func() { p.deadline = t })
	return nil
}

func (p *prong) Close() error {
	last := false
	p.change(func() {
		if !p.closed {
			p.closed = true
			p.open--
			last = p.open == 0
		}
	})
	if !last {
		return nil
	}
	err := p.Conn.Close()
	p.reading.Wait()
	return err
}
