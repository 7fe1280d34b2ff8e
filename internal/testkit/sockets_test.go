package testkit

import (
	"net"
	"testing"
)

func TestSockets(t *testing.T) {
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		return l
	}
	earlier := listen()
	opened := Sockets(t)
	if names := opened(); len(names) != 0 {
		t.Errorf("nothing was opened, but %v", names)
	}
	own := listen()
	check(t, earlier.Close())
	if names := opened(); len(names) != 1 {
		t.Errorf("one was opened and another one closed: %v", names)
	}
	check(t, own.Close())
	if names := opened(); len(names) != 0 {
		t.Errorf("what was opened is closed again, but %v", names)
	}
}
