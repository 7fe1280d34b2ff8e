package metrics

import (
	"net"
	"sync"
)

// few keeps only so many connections open; more wait in the kernel's queue until one is closed.
type few struct {
	net.Listener
	open chan struct{}
}

func newFew(l net.Listener, most int) *few { return &few{l, make(chan struct{}, most)} }

// Accept ends once the listener is closed and, if there were as many connections as may be, one of them is too.
func (f *few) Accept() (net.Conn, error) {
	f.open <- struct{}{}
	conn, err := f.Listener.Accept()
	if err != nil {
		<-f.open
		return nil, err
	}
	return &counted{Conn: conn, leave: sync.OnceFunc(func() { <-f.open })}, nil
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
