package socket

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// TestListenFails with the address in the error.
func TestListenFails(t *testing.T) {
	c, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, addr := range []string{c.LocalAddr().String(), "203.0.113.77:0", "no such host:x"} {
		if again, err := Listen(t.Context(), addr); err == nil || !strings.Contains(err.Error(), addr) {
			t.Errorf("listening on %s: %v, %v", addr, again, err)
		}
	}
}

// TestClosedSocket ends reads and counts writes as dropped.
func TestClosedSocket(t *testing.T) {
	c, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := c.LocalAddr()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	ms := []Message{{Buf: make([]byte, 10), Remote: to}, {Buf: make([]byte, 10), Remote: to}}
	if n, err := c.ReadBatch(ms, true); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("read %d, %v", n, err)
	}
	if dropped := c.WriteBatch(ms); dropped != 2 {
		t.Errorf("%d dropped, want 2", dropped)
	}
}

// TestLongDatagram is too long for the network, and does not stop the next.
func TestLongDatagram(t *testing.T) {
	c, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out := []Message{{Buf: make([]byte, 70000), Remote: c.LocalAddr()}, {Buf: make([]byte, 3), Remote: c.LocalAddr()}}
	if dropped := c.WriteBatch(out); dropped != 1 {
		t.Fatalf("%d dropped, want 1", dropped)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	in := make([]Message, 1)
	if n, err := c.ReadBatch(in, true); n != 1 || err != nil || len(in[0].Buf) != 3 {
		t.Fatalf("read %d of %d bytes, %v; want 3 bytes", n, len(in[0].Buf), err)
	}
}

// strange is a packet connection of no IP network.
type strange struct{ net.PacketConn }

func (strange) ReadFrom(b []byte) (int, net.Addr, error) {
	return copy(b, "x"), &net.UnixAddr{Name: "/x"}, nil
}
func (strange) WriteTo([]byte, net.Addr) (int, error) { return 0, os.ErrPermission }
func (strange) LocalAddr() net.Addr                   { return &net.UnixAddr{} }

func TestPlainWithoutIP(t *testing.T) {
	c := Plain(strange{})
	ms := []Message{{Buf: make([]byte, 1)}}
	if n, err := c.ReadBatch(ms, true); n != 1 || err != nil || ms[0].Remote.IsValid() || c.LocalAddr().IsValid() {
		t.Errorf("read %d from %v, %v", n, ms[0].Remote, err)
	}
	if dropped := c.WriteBatch(ms); dropped != 1 {
		t.Errorf("%d dropped, want 1", dropped)
	}
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := Plain(pc)
	_ = closed.Close()
	if _, err := closed.ReadBatch(ms, true); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed one reads %v", err)
	}
}

// TestGathererAsksRarely: requests and packets ask for the addresses, and the system is asked every few seconds.
func TestGathererAsksRarely(t *testing.T) {
	g := Gatherer{}
	first := g.Addresses()
	if g.read.IsZero() {
		t.Fatal("the system was not asked")
	}
	at := g.read
	for range 100 {
		g.Addresses()
	}
	if g.read != at {
		t.Error("the system was asked again at once")
	}
	g.read = at.Add(-gatherEvery)
	g.public = []netip.Addr{netip.MustParseAddr("203.0.113.9")} // as SetPublic would, but for asking at once
	if again := g.Addresses(); g.read.Equal(at) || len(again.Host) != len(first.Host)+1 {
		t.Errorf("after %v: %v, before %v", gatherEvery, again.Host, first.Host)
	}
}
