package peer

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tertulia/internal/fault"
)

const (
	tcpPerAddress  = 64               // connections
	tcpQueue       = 256              // datagrams waiting for a slow client; the next ones are lost, as on UDP
	tcpUnproven    = 10 * time.Second // until a verified check
	tcpIdle        = 60 * time.Second
	tcpWriteWithin = 10 * time.Second
	tcpBatch       = 32
)

// tcpConn is one ICE-TCP connection (RFC 6544): datagrams with a 16-bit length in front (RFC 4571).
type tcpConn struct {
	shard   *Shard
	conn    net.Conn
	key     pathKey
	out     chan []byte
	dropped atomic.Uint64
}

// ServeTCP carries a client's ICE-TCP connection until it, ctx or the shard ends; it closes conn. conn starts with the
// first RFC 4571 frame. It fails with rate_limited when the address has too many connections.
func (s *Shard) ServeTCP(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	remote := tcpAddr(conn.RemoteAddr())
	t := &tcpConn{shard: s, conn: conn, out: make(chan []byte, tcpQueue)}
	t.key = pathKey{remote: remote, local: tcpAddr(conn.LocalAddr()).Addr(), via: &link{protocol: "tcp", send: t.enqueue}}

	if !s.tcp.admit(remote.Addr()) {
		return fault.New(fault.RateLimited, "ICE-TCP: %s has %d connections already", remote.Addr(), tcpPerAddress)
	}
	defer s.tcp.leave(remote.Addr())
	defer s.closeLink(t.key.via)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var writer sync.WaitGroup
	writer.Go(func() { defer cancel(); t.write(ctx) })
	err := t.read(ctx)
	cancel()
	writer.Wait()
	s.post(func() { s.counters.SendDropped += t.dropped.Load() })
	return err
}

func tcpAddr(a net.Addr) netip.AddrPort {
	ap, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// crowd counts connections by remote address. All shards share it.
type crowd struct {
	mu    sync.Mutex
	count map[netip.Addr]int
}

func (c *crowd) admit(a netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[a] >= tcpPerAddress {
		return false
	}
	if c.count == nil {
		c.count = map[netip.Addr]int{}
	}
	c.count[a]++
	return true
}

func (c *crowd) leave(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[a]--; c.count[a] <= 0 {
		delete(c.count, a)
	}
}

// read hands over frames, several at once if they are there; the next are read when the shard has taken them.
func (t *tcpConn) read(ctx context.Context) error {
	r := bufio.NewReaderSize(t.conn, 32<<10)
	frames := make([][]byte, 0, tcpBatch)
	buffers := make([]byte, tcpBatch*datagram)
	proven, unproven := false, time.Now().Add(tcpUnproven)
	for {
		deadline := unproven // whatever it sends
		if proven {
			deadline = time.Now().Add(tcpIdle)
		}
		if err := t.conn.SetReadDeadline(deadline); err != nil {
			return err
		}
		frames = frames[:0]
		for len(frames) == 0 || len(frames) < tcpBatch && buffered(r) {
			b, err := frame(r, buffers[len(frames)*datagram:][:datagram])
			if err != nil {
				return err
			}
			frames = append(frames, b)
		}
		err := t.shard.Do(ctx, func() {
			for _, b := range frames {
				t.shard.packet(t.key, b)
			}
			proven = t.shard.paths[t.key] != nil || t.shard.routes.to[t.key] != nil
		})
		if err != nil {
			return err
		}
	}
}

// buffered reports whether a whole frame can be read without waiting.
func buffered(r *bufio.Reader) bool {
	if r.Buffered() < 2 {
		return false
	}
	head, err := r.Peek(2)
	return err == nil && r.Buffered() >= 2+int(binary.BigEndian.Uint16(head))
}

// frame reads one RFC 4571 frame into b; longer ones than a datagram end the connection.
func frame(r *bufio.Reader, b []byte) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > len(b) {
		return nil, fault.New(fault.TooLarge, "ICE-TCP: a frame of %d bytes, at most %d are accepted", n, len(b))
	}
	_, err := io.ReadFull(r, b[:n])
	return b[:n], err
}

// enqueue is called by the shard and never waits.
func (t *tcpConn) enqueue(_ pathKey, b []byte) {
	framed := make([]byte, 2+len(b))
	binary.BigEndian.PutUint16(framed, uint16(len(b)))
	copy(framed[2:], b)
	select {
	case t.out <- framed:
	default:
		t.dropped.Add(1)
	}
}

// write sends what is queued; a client that takes nothing for a while is cut off.
func (t *tcpConn) write(ctx context.Context) {
	w := bufio.NewWriterSize(t.conn, 32<<10)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.shard.stopped:
			return
		case b := <-t.out:
			if t.conn.SetWriteDeadline(time.Now().Add(tcpWriteWithin)) != nil {
				return
			}
			_, _ = w.Write(b) // the error stays with w
		}
		for n := len(t.out); n > 0; n-- {
			_, _ = w.Write(<-t.out)
		}
		if w.Flush() != nil {
			return
		}
	}
}
