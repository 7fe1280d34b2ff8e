package frontdoor

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
)

// counted is an accepted connection that reports its end once, however it comes.
type counted struct {
	net.Conn
	once   sync.Once
	closed func()
	behind netip.Addr // the client that a PROXY header has named; guarded by the door, set while routing
}

func (c *counted) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.closed)
	return err
}

// peeked is a connection whose first bytes were read already.
type peeked struct {
	net.Conn
	head []byte
}

// peek reads until the class is known. A connection that ends or times out before is an error.
func peek(stream net.Conn) (class, *peeked, error) {
	head := make([]byte, 0, decidedBy)
	for {
		n, err := stream.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if kind := classify(head); kind != undecided {
			return kind, &peeked{stream, head}, nil
		}
		if err != nil {
			return unknown, nil, err
		}
	}
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	return n, nil
}

// tlsOf is the TLS connection that a stream is, or that was peeked into.
func tlsOf(stream net.Conn) *tls.Conn {
	if p, ok := stream.(*peeked); ok {
		stream = p.Conn
	}
	secure, _ := stream.(*tls.Conn)
	return secure
}

func isSecure(stream net.Conn) bool { return tlsOf(stream) != nil }
