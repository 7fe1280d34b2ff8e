package socket_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tertulia/internal/media/socket"
)

func batch(n int) []socket.Message {
	ms := make([]socket.Message, n)
	for i := range ms {
		ms[i].Buf = make([]byte, 1600)
	}
	return ms
}

func listen(t *testing.T, addr string) socket.Conn {
	t.Helper()
	c, err := socket.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAnswersLeaveFromTheAddressTheyCameTo needs no second interface: all of 127/8 is ours.
func TestAnswersLeaveFromTheAddressTheyCameTo(t *testing.T) {
	for _, bind := range []string{":0", "0.0.0.0:0"} {
		server := listen(t, bind)
		port := server.LocalAddr().Port()
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"} {
			if host == "::1" && (bind != ":0" || !hasIPv6()) {
				continue
			}
			to := netip.AddrPortFrom(netip.MustParseAddr(host), port)
			// Connected: the kernel drops answers from any other address.
			client, err := net.Dial("udp", to.String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			exchange(t, server, client, to.Addr())
		}
	}
}

func hasIPv6() bool {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func exchange(t *testing.T, server socket.Conn, client net.Conn, host netip.Addr) {
	t.Helper()
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	in := batch(4)
	n, err := server.ReadBatch(in, true)
	if err != nil || n != 1 || string(in[0].Buf) != "hello" {
		t.Fatalf("read %d, %v: %q", n, err, in[0].Buf)
	}
	if in[0].Remote.String() != client.LocalAddr().String() || in[0].Local != host {
		t.Errorf("from %v to %v, want from %v to %v", in[0].Remote, in[0].Local, client.LocalAddr(), host)
	}
	in[0].Buf = []byte("welcome")
	if dropped := server.WriteBatch(in[:1]); dropped != 0 {
		t.Fatalf("%d dropped", dropped)
	}
	b := make([]byte, 100)
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := client.Read(b); err != nil || string(b[:n]) != "welcome" {
		t.Errorf("to %s: %q, %v", host, b[:n], err)
	}
}

func TestBatchGoesOnBehindARefusedDatagram(t *testing.T) {
	server, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	ms := batch(100)
	for i := range ms {
		ms[i].Buf, ms[i].Remote = ms[i].Buf[:4], other.LocalAddr()
	}
	ms[3].Remote = netip.MustParseAddrPort("[2001:db8::1]:9") // no IPv6 on this socket
	ms[70].Remote = netip.AddrPortFrom(other.LocalAddr().Addr(), 0)
	if dropped := server.WriteBatch(ms); dropped != 2 {
		t.Errorf("%d dropped, want 2", dropped)
	}
	for got := 0; got < 98; {
		n, err := other.ReadBatch(batch(64), true)
		if err != nil {
			t.Fatalf("after %d: %v", got, err)
		}
		got += n
	}
}

func TestDeadlineEndsARead(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := c.ReadBatch(batch(1), true)
		done <- err
	}()
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the read ended with %v", err)
	}
}

func TestPlain(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := socket.Plain(pc)
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	ms := batch(2)
	ms[0].Buf, ms[0].Remote = []byte("self"), c.LocalAddr()
	if dropped := c.WriteBatch(ms[:1]); dropped != 0 {
		t.Fatal("dropped")
	}
	if n, err := c.ReadBatch(ms, true); err != nil || n != 1 || string(ms[0].Buf) != "self" || ms[0].Remote != c.LocalAddr() {
		t.Errorf("read %d, %v: %+v", n, err, ms[0].Remote)
	}
}

func TestClassify(t *testing.T) {
	tail := make([]byte, 20)
	for first, want := range map[string]socket.Class{
		"\x00\x01": socket.STUN, "\x03\x00": socket.STUN, "\x16\xfe": socket.DTLS, "\x3f\x00": socket.DTLS,
		"\x80\x60": socket.RTP, "\x90\xe0": socket.RTP, "\xbf\xbf": socket.RTP, "\x80\xc8": socket.RTCP, "\x81\xdf": socket.RTCP,
		"\x40\x00": socket.Unknown, "\xc0\x00": socket.Unknown, "GE": socket.Unknown, "\x04\x00": socket.Unknown,
	} {
		if got := socket.Classify(append([]byte(first), tail...)); got != want {
			t.Errorf("%x is class %d, want %d", first, got, want)
		}
	}
	if socket.Classify([]byte{0, 1, 0}) != socket.Unknown {
		t.Error("3 bytes are something")
	}
}

func TestGatherer(t *testing.T) {
	public := netip.MustParseAddr("198.51.100.7")
	g := socket.Gatherer{}
	g.SetPublic([]netip.Addr{public})
	got := g.Addresses()
	if len(got.Host) == 0 || got.Host[0] != public {
		t.Errorf("host addresses %v, want the public one first", got.Host)
	}
	if !slices.Contains(got.Loopback, netip.MustParseAddr("127.0.0.1")) {
		t.Errorf("loopback addresses %v", got.Loopback)
	}
	for _, a := range got.Host {
		if a.IsLoopback() || a.IsLinkLocalUnicast() || strings.Contains(a.String(), "%") {
			t.Errorf("%v is offered", a)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte{0x80, 0xc8, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if socket.Classify(b) != socket.Unknown && len(b) < 8 {
			t.Error("a datagram of less than 8 bytes is nothing")
		}
	})
}
