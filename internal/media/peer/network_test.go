package peer_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"

	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// lab is a network in memory, in a bubble with a clock of its own.
type lab struct {
	t     *testing.T
	cut   atomic.Bool                         // nothing passes
	drop  atomic.Pointer[func(dropArgs) bool] // which datagrams are lost
	nets  []*vnet.Net
	hosts int // of nets, given to clients
}

// dropArgs is a datagram on its way.
type dropArgs struct {
	FromServer bool
	Bytes      []byte
}

const serverIP = "10.0.0.1"

// inLab runs a test with a server at 10.0.0.1 on a virtual network, in fake time.
func inLab(t *testing.T, test func(ctx context.Context, l *lab, s *server)) {
	inLabWith(t, serve, test)
}

// inLabWith is inLab with a server that serve makes.
func inLabWith(t *testing.T, serve func(*testing.T, socket.Conn, socket.Addresses) *server, test func(context.Context, *lab, *server)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t}
		hosts := testkit.Network(t, func(c vnet.Chunk) bool {
			drop := l.drop.Load()
			lost := drop != nil && (*drop)(dropArgs{c.SourceAddr().(*net.UDPAddr).IP.String() == serverIP, c.UserData()})
			return !l.cut.Load() && !lost
		}, serverIP, "10.0.0.2", "10.0.0.3", "10.0.0.4")
		l.nets = hosts[1:]
		conn, addresses := testkit.ListenOn(t, hosts[0], serverIP)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		test(ctx, l, serve(t, conn, addresses))
	})
}

// client makes the next client of the lab.
func (l *lab) client(c testkit.ClientConfig) *testkit.Client {
	l.t.Helper()
	c.Net = l.nets[l.hosts]
	l.hosts++
	return testkit.NewClient(l.t, c)
}

// tap is a socket whose incoming datagrams can be seen, doubled and added to.
type tap struct {
	socket.Conn
	mu     sync.Mutex
	double bool
	seen   []socket.Message
	inject []socket.Message
}

func (tp *tap) ReadBatch(ms []socket.Message, wait bool) (int, error) {
	n, err := tp.Conn.ReadBatch(ms[:len(ms)/4], wait)
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for i := range n {
		m := ms[i]
		m.Buf = append([]byte(nil), m.Buf...)
		tp.seen = append(tp.seen, m)
		if class := socket.Classify(m.Buf); tp.double && (class == socket.RTP || class == socket.RTCP) {
			tp.inject = append(tp.inject, m)
		}
	}
	for len(tp.inject) > 0 && n < len(ms) {
		m := tp.inject[0]
		tp.inject = tp.inject[1:]
		ms[n] = m
		n++
		err = nil
	}
	return n, err
}

// add makes the shard read a datagram as if it had come from there.
func (tp *tap) add(m socket.Message) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.inject = append(tp.inject, m)
}

// latest returns the last datagram of a class that came in.
func (tp *tap) latest(class socket.Class) (socket.Message, bool) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for i := len(tp.seen) - 1; i >= 0; i-- {
		if socket.Classify(tp.seen[i].Buf) == class {
			return tp.seen[i], true
		}
	}
	return socket.Message{}, false
}

// tapped is onLoopback with a tap.
func tapped(t *testing.T) (*server, *tap, context.Context) {
	t.Helper()
	noLeaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	conn, err := socket.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tp := &tap{Conn: conn}
	return serve(t, tp, socket.Addresses{Loopback: []netip.Addr{loopback}}), tp, ctx
}
