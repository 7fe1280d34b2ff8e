package socket

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// open makes a socket on addr with a kernel of the test's own.
func open(t testing.TB, addr string, k kernel, trains bool) Conn {
	t.Helper()
	conn, err := bind(t.Context(), addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(conn, k, trains)
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// numbered is a run whose datagrams begin with their number; the last may be shorter.
func numbered(size, segment int, to Conn) Message {
	b := make([]byte, size)
	for at := 0; at < size; at += segment {
		b[at] = byte(at / segment)
	}
	return Message{Buf: b, Segment: segment, Remote: to.LocalAddr()}
}

// expect reads until the datagrams of a run have arrived, in order.
func expect(t *testing.T, c Conn, run Message, atOnce int) {
	t.Helper()
	ms := make([]Message, atOnce)
	for at, total := 0, run.Datagrams(); at < total; {
		n, err := c.ReadBatch(ms, true)
		if err != nil {
			t.Fatalf("after %d of %d: %v", at, total, err)
		}
		for _, m := range ms[:n] {
			size := min(run.Segment, len(run.Buf)-at*run.Segment)
			if len(m.Buf) != size || m.Buf[0] != byte(at) {
				t.Fatalf("datagram %d has %d bytes and number %d, want %d", at, len(m.Buf), m.Buf[0], size)
			}
			at++
		}
	}
	if n, err := c.ReadBatch(ms, false); n != 0 || err != nil {
		t.Fatalf("%d more, %v", n, err)
	}
}

// runSize is the segment size in a header to be sent, 0 if it is one datagram.
func runSize(h *unix.Mmsghdr) int {
	if h.Hdr.Controllen == 0 {
		return 0
	}
	ms, err := unix.ParseSocketControlMessage(unsafe.Slice(h.Hdr.Control, int(h.Hdr.Controllen)))
	if err != nil {
		panic(err)
	}
	for _, m := range ms {
		if m.Header.Level == unix.IPPROTO_UDP && m.Header.Type == unix.UDP_SEGMENT {
			return int(*(*uint16)(unsafe.Pointer(&m.Data[0])))
		}
	}
	return 0
}

// picky is a kernel that refuses to send some messages, as the real one does: in the middle of a batch it tells how many
// went before.
type picky struct {
	refuse func(*unix.Mmsghdr) syscall.Errno
	calls  int // of sendmmsg
	runs   int // offered at the head of a call or behind what was taken
}

func (p *picky) call(trap, fd uintptr, first *unix.Mmsghdr, n int) (int, syscall.Errno) {
	if trap != unix.SYS_SENDMMSG || n == 0 {
		return call(trap, fd, first, n)
	}
	p.calls++
	headers := unsafe.Slice(first, n)
	for i := range headers {
		if runSize(&headers[i]) > 0 {
			p.runs++
		}
		if errno := p.refuse(&headers[i]); errno != 0 {
			if i == 0 {
				return 0, errno
			}
			return call(trap, fd, first, i)
		}
	}
	return call(trap, fd, first, n)
}

// TestRunsArriveAsDatagrams of both kinds of reader: one that gets trains and one that does not.
func TestRunsArriveAsDatagrams(t *testing.T) {
	for _, trains := range []bool{true, false} {
		for _, atOnce := range []int{1, 3, 64, 200} {
			sizes := &picky{refuse: func(h *unix.Mmsghdr) syscall.Errno {
				if s := runSize(h); s > 0 && (int(h.Hdr.Iov.Len) > MaxRun || int(h.Hdr.Iov.Len) > s*MaxSegments) {
					t.Errorf("a run of %d bytes in segments of %d", h.Hdr.Iov.Len, s)
				}
				return 0
			}}
			from, to := open(t, "127.0.0.1:0", sizes.call, false), open(t, "127.0.0.1:0", call, trains)
			for _, c := range []struct{ size, segment, runs int }{
				{100, 100, 0},
				{200, 100, 1},
				{1050, 100, 1},    // the last is shorter
				{1001, 100, 1},    // by much
				{6400, 100, 1},    // as many as a run may have
				{6450, 100, 1},    // one more is no run
				{15000, 100, 3},   // two full ones, and the rest
				{120000, 1200, 2}, // limited by bytes
				{3, 1, 1},
				{4000, 1900, 1},
			} {
				sizes.runs = 0
				run := numbered(c.size, c.segment, to)
				if dropped := from.WriteBatch([]Message{run}); dropped != 0 {
					t.Fatalf("%d dropped of %d/%d", dropped, c.size, c.segment)
				}
				expect(t, to, run, atOnce)
				if sizes.runs != c.runs {
					t.Errorf("%d/%d left in %d runs, want %d", c.size, c.segment, sizes.runs, c.runs)
				}
			}
		}
	}
}

// TestATrainIsKept over calls, is one read of the kernel's, and its datagrams all have both addresses.
func TestATrainIsKept(t *testing.T) {
	reads := 0
	counting := func(trap, fd uintptr, h *unix.Mmsghdr, n int) (int, syscall.Errno) {
		done, errno := call(trap, fd, h, n)
		if trap == unix.SYS_RECVMMSG && n > 0 && done > 0 {
			reads += done
		}
		return done, errno
	}
	from, to := open(t, "127.0.0.1:0", call, false), open(t, "127.0.0.1:0", counting, true)
	if dropped := from.WriteBatch([]Message{numbered(10*500-1, 500, to)}); dropped != 0 {
		t.Fatal("dropped")
	}
	ms := make([]Message, 4)
	for call, want := range []int{4, 4, 2} {
		// What is kept needs no kernel, and no time: neither waiting nor a deadline matters.
		if call == 1 {
			_ = to.SetReadDeadline(time.Unix(1, 0))
		}
		n, err := to.ReadBatch(ms, call != 2)
		if n != want || err != nil {
			t.Fatalf("call %d read %d, %v; want %d", call, n, err, want)
		}
		for _, m := range ms[:n] {
			if m.Remote != from.LocalAddr() || m.Local != to.LocalAddr().Addr() || m.Segment != 0 {
				t.Errorf("from %v to %v in segments of %d", m.Remote, m.Local, m.Segment)
			}
			if len(m.Buf) != cap(m.Buf) {
				t.Error("appending to a datagram would write into the next")
			}
		}
	}
	if reads != 1 {
		t.Errorf("%d reads of the kernel's, want one train", reads)
	}
	if n, err := to.ReadBatch(ms, true); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("then %d, %v", n, err)
	}
}

// TestEmptyAndLongDatagrams: one without bytes is a datagram; one longer than ours are is cut, whatever the room.
func TestEmptyAndLongDatagrams(t *testing.T) {
	for _, trains := range []bool{true, false} {
		c := open(t, "127.0.0.1:0", call, trains)
		out := []Message{{Remote: c.LocalAddr()}, {Buf: make([]byte, 60000), Remote: c.LocalAddr()}, {Remote: c.LocalAddr(), Segment: 9}}
		if dropped := c.WriteBatch(out); dropped != 0 {
			t.Fatalf("%d dropped", dropped)
		}
		var sizes []int
		for ms := make([]Message, 2); len(sizes) < 3; {
			n, err := c.ReadBatch(ms, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range ms[:n] {
				sizes = append(sizes, len(m.Buf))
			}
		}
		if !slices.Equal(sizes, []int{0, longest, 0}) {
			t.Errorf("trains %v: sizes %v", trains, sizes)
		}
	}
}

// TestRunsLeaveFromTheAddressTheyCameTo, on a dual-stack socket too, where IPv4 is mapped.
func TestRunsLeaveFromTheAddressTheyCameTo(t *testing.T) {
	for bind, hosts := range map[string][]string{":0": {"127.0.0.1", "127.0.0.2", "::1"}, "127.0.0.1:0": {"127.0.0.1"}} {
		server := open(t, bind, call, true)
		if !isIPv6(server.(*udp).UDPConn) {
			hosts = slices.DeleteFunc(hosts, func(h string) bool { return h == "::1" })
		}
		for _, host := range hosts {
			to := netip.AddrPortFrom(netip.MustParseAddr(host), server.LocalAddr().Port())
			client, err := net.Dial("udp", to.String()) // takes answers from this address only
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, _ = client.Write([]byte("hello"))
			ms := make([]Message, 1)
			if n, err := server.ReadBatch(ms, true); n != 1 || err != nil || ms[0].Local != to.Addr() {
				t.Fatalf("%s: read %d, %v, to %v", host, n, err, ms[0].Local)
			}
			ms[0].Buf, ms[0].Segment = []byte("aaaabbbbcc"), 4
			if dropped := server.WriteBatch(ms); dropped != 0 {
				t.Fatalf("%s: %d dropped", host, dropped)
			}
			_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
			b := make([]byte, 100)
			for _, want := range []string{"aaaa", "bbbb", "cc"} {
				if n, err := client.Read(b); err != nil || string(b[:n]) != want {
					t.Errorf("%s: %q, %v; want %q", host, b[:n], err, want)
				}
			}
		}
	}
}

// TestNoBatches: a kernel without the calls, or a sandbox that forbids one, gets single datagrams, with both addresses.
func TestNoBatches(t *testing.T) {
	for name, deny := range map[string]struct {
		trap  uintptr
		errno syscall.Errno
	}{"old kernel": {unix.SYS_SENDMMSG, unix.ENOSYS}, "older": {unix.SYS_RECVMMSG, unix.ENOSYS},
		"sandbox": {unix.SYS_SENDMMSG, unix.EPERM}, "stricter": {unix.SYS_RECVMMSG, unix.EPERM}} {
		k := func(trap, fd uintptr, h *unix.Mmsghdr, n int) (int, syscall.Errno) {
			if trap == deny.trap {
				return 0, deny.errno
			}
			return call(trap, fd, h, n)
		}
		for _, addr := range []string{"127.0.0.1:0", ":0"} {
			c := open(t, addr, k, true)
			if _, plain := c.(*single); !plain {
				t.Fatalf("%s: a %T", name, c)
			}
			self := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.LocalAddr().Port())
			run := numbered(950, 100, c)
			run.Remote, run.Local = self, self.Addr()
			bad := Message{Buf: make([]byte, 70000), Segment: 69000, Remote: self} // one too long and one not
			if dropped := c.WriteBatch([]Message{run, bad}); dropped != 1 {
				t.Fatalf("%s on %s: %d dropped", name, addr, dropped)
			}
			ms := make([]Message, 3)
			if n, err := c.ReadBatch(ms, false); n != 0 || err != nil {
				t.Errorf("%s: without waiting %d, %v", name, n, err)
			}
			for i := range 10 {
				n, err := c.ReadBatch(ms, true)
				if n != 1 || err != nil || ms[0].Buf[0] != byte(i) || ms[0].Remote != self || ms[0].Local != self.Addr() {
					t.Fatalf("%s on %s: %d, %v: %v to %v", name, addr, n, err, ms[0].Remote, ms[0].Local)
				}
			}
			if n, err := c.ReadBatch(ms, true); n != 1 || err != nil || len(ms[0].Buf) != 1000 {
				t.Errorf("%s: behind the refused one %d, %v", name, n, err)
			}
		}
	}
}

// TestReadErrors reach the reader, who may go on.
func TestReadErrors(t *testing.T) {
	failing := true
	k := func(trap, fd uintptr, h *unix.Mmsghdr, n int) (int, syscall.Errno) {
		if trap == unix.SYS_RECVMMSG && n > 0 && failing {
			return 0, unix.ENOMEM
		}
		return call(trap, fd, h, n)
	}
	c := open(t, "127.0.0.1:0", k, true)
	ms := make([]Message, 1)
	for _, wait := range []bool{true, false} {
		if n, err := c.ReadBatch(ms, wait); n != 0 || !errors.Is(err, unix.ENOMEM) {
			t.Errorf("read %d, %v", n, err)
		}
	}
	failing = false
	if n, err := c.ReadBatch(nil, true); n != 0 || err != nil {
		t.Errorf("nothing asked for: %d, %v", n, err)
	}
	c.WriteBatch([]Message{{Buf: []byte("x"), Remote: c.LocalAddr()}})
	if n, err := c.ReadBatch(ms, true); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}

// TestDeadlineIsOverButDataIsThere: who is late still reads.
func TestDeadlineIsOverButDataIsThere(t *testing.T) {
	c := open(t, "127.0.0.1:0", call, true)
	c.WriteBatch([]Message{{Buf: []byte("x"), Remote: c.LocalAddr()}})
	raw, _ := c.(*udp).SyscallConn()
	_ = raw.Control(func(fd uintptr) {
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10000)
	})
	_ = c.SetReadDeadline(time.Unix(1, 0))
	ms := make([]Message, 1)
	if n, err := c.ReadBatch(ms, true); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	if n, err := c.ReadBatch(ms, false); n != 0 || err != nil {
		t.Errorf("without waiting, a deadline is none: %d, %v", n, err)
	}
	var timeout net.Error
	if n, err := c.ReadBatch(ms, true); n != 0 || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("read %d, %v", n, err)
	}
}

// TestCloseEndsARead that another goroutine waits in.
func TestCloseEndsARead(t *testing.T) {
	waiting := make(chan struct{})
	var once sync.Once
	k := func(trap, fd uintptr, h *unix.Mmsghdr, n int) (int, syscall.Errno) {
		if trap == unix.SYS_RECVMMSG && n > 0 {
			once.Do(func() { close(waiting) })
		}
		return call(trap, fd, h, n)
	}
	c := open(t, "127.0.0.1:0", k, true)
	ended := make(chan error)
	go func() {
		_, err := c.ReadBatch(make([]Message, 1), true)
		ended <- err
	}()
	<-waiting
	_ = c.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the read ended with %v", err)
	}
	runs := []Message{{Buf: make([]byte, 100), Segment: 10, Remote: c.LocalAddr()}, {Buf: make([]byte, 100), Remote: c.LocalAddr()}}
	if dropped := c.WriteBatch(runs); dropped != 11 {
		t.Errorf("%d dropped, want 11", dropped)
	}
}

// TestWakingARead: deadlines come from another goroutine all the time, and no datagram is lost over it.
func TestWakingARead(t *testing.T) {
	c, from := open(t, "127.0.0.1:0", call, true), open(t, "127.0.0.1:0", call, true)
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = c.SetReadDeadline(time.Unix(1, 0))
			}
		}
	})
	const rounds, each = 200, 20
	others.Go(func() {
		for range rounds {
			from.WriteBatch([]Message{numbered(each*100, 100, c)})
		}
	})
	ms := make([]Message, 7)
	for got, begin := 0, time.Now(); got < rounds*each; {
		n, err := c.ReadBatch(ms, true)
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Since(begin) < 20*time.Second {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			continue
		}
		if err != nil {
			t.Errorf("after %d: %v", got, err)
			break
		}
		for i := range n {
			if ms[i].Buf[0] != byte(got%each) {
				t.Fatalf("datagram %d has number %d", got, ms[i].Buf[0])
			}
			got++
		}
	}
	close(stop)
	others.Wait()
}

// TestNoAllocation: not per datagram, run or batch, in either direction, of either family.
func TestNoAllocation(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::]:0"} {
		for _, trains := range []bool{true, false} {
			c := open(t, addr, call, trains)
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.LocalAddr().Port())
			in, out, total := make([]Message, Batch), []Message(nil), 0
			for i := range 40 {
				m := Message{Buf: make([]byte, 500), Remote: to, Local: to.Addr()}
				if i%2 == 0 {
					m.Segment = 100
				}
				out = append(out, m)
				total += m.Datagrams()
			}
			var trouble error
			allocations := testing.AllocsPerRun(100, func() {
				if dropped := c.WriteBatch(out); dropped > 0 {
					trouble = fmt.Errorf("%d dropped", dropped)
				}
				for got := 0; got < total && trouble == nil; {
					n, err := c.ReadBatch(in, true)
					got += n
					trouble = err
				}
				_, _ = c.ReadBatch(in, false)
			})
			if allocations != 0 || trouble != nil {
				t.Errorf("%s, trains %v: %v allocations, %v", addr, trains, allocations, trouble)
			}
		}
	}
}
