package socket

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refuseRuns to some destinations with an errno.
func refuseRuns(errno syscall.Errno, to func(netip.Addr) bool) *picky {
	return &picky{refuse: func(h *unix.Mmsghdr) syscall.Errno {
		if runSize(h) > 0 && to((*sockaddr)(unsafe.Pointer(h.Hdr.Name)).get().Addr()) {
			return errno
		}
		return 0
	}}
}

func everyone(netip.Addr) bool { return true }

// TestARefusedRun leaves as single datagrams, whatever the kernel's reason, and the rest of the batch as it was.
func TestARefusedRun(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EINVAL, unix.EIO, unix.EMSGSIZE, unix.ENOPROTOOPT, unix.EOPNOTSUPP} {
		bad := open(t, "127.0.0.9:0", call, true)
		k := refuseRuns(errno, func(a netip.Addr) bool { return a == bad.LocalAddr().Addr() })
		from, good := open(t, "0.0.0.0:0", k.call, true), open(t, "127.0.0.1:0", call, true)
		a, b, c := numbered(1000, 100, good), numbered(1950, 300, bad), numbered(1000, 150, good)
		if dropped := from.WriteBatch([]Message{a, b, c}); dropped != 0 {
			t.Errorf("%v: %d dropped", errno, dropped)
		}
		expect(t, bad, b, 64)
		both := make([]Message, 64)
		for got, want := 0, a.Datagrams()+c.Datagrams(); got < want; {
			n, err := good.ReadBatch(both, true)
			if err != nil {
				t.Fatalf("%v: after %d of %d: %v", errno, got, want, err)
			}
			got += n
		}
	}
}

// TestTheKernelRefusesRuns without checksums, as it does without the hardware's; nobody pretends here.
func TestTheKernelRefusesRuns(t *testing.T) {
	from, to := open(t, "127.0.0.1:0", call, true), open(t, "127.0.0.1:0", call, true)
	if err := setInt(from.(*udp).UDPConn, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
		t.Fatal(err)
	}
	run := numbered(950, 100, to)
	if dropped := from.WriteBatch([]Message{run}); dropped != 0 || from.(*udp).refusals != 1 {
		t.Errorf("%d dropped, %d refusals", dropped, from.(*udp).refusals)
	}
	expect(t, to, run, 64)
}

// TestWhatNobodyTakes is dropped, each datagram counted, and no sign that runs are not known.
func TestWhatNobodyTakes(t *testing.T) {
	from, to := open(t, "127.0.0.1:0", call, true), open(t, "127.0.0.1:0", call, true)
	nowhere := netip.AddrPortFrom(to.LocalAddr().Addr(), 0)
	ms := []Message{
		{Buf: make([]byte, 1050), Segment: 100, Remote: nowhere},
		{Buf: make([]byte, 100), Remote: netip.MustParseAddrPort("[2001:db8::1]:9")},
		{Buf: make([]byte, 140000), Segment: 69000, Remote: to.LocalAddr()}, // too long, twice; the rest is not
		{Buf: make([]byte, 300), Segment: 100, Remote: netip.MustParseAddrPort("[2001:db8::1]:9")},
		{Buf: []byte("x"), Remote: to.LocalAddr()},
	}
	if dropped := from.WriteBatch(ms); dropped != 11+1+2+3 {
		t.Errorf("%d dropped, want 17", dropped)
	}
	if n := from.(*udp).refusals; n != 0 {
		t.Errorf("%d refusals", n)
	}
	for _, want := range []int{2000, 1} {
		in := make([]Message, 1)
		if n, err := to.ReadBatch(in, true); n != 1 || err != nil || len(in[0].Buf) != want {
			t.Errorf("read %d of %d bytes, %v; want %d bytes", n, len(in[0].Buf), err, want)
		}
	}
}

// TestFirewall: a run that is forbidden is not a run the kernel does not know; nothing is tried again.
func TestFirewall(t *testing.T) {
	k := refuseRuns(unix.EPERM, everyone)
	from := open(t, "127.0.0.1:0", k.call, true)
	if dropped := from.WriteBatch([]Message{numbered(950, 100, from)}); dropped != 10 || k.calls != 1 {
		t.Errorf("%d dropped in %d calls, want 10 in 1", dropped, k.calls)
	}
}

// TestRunsAreGivenUpForATime when several destinations in turn refuse them, and tried again later.
func TestRunsAreGivenUpForATime(t *testing.T) {
	k := refuseRuns(unix.EIO, everyone)
	from := open(t, "0.0.0.0:0", k.call, true)
	send := func(host int) {
		t.Helper()
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(host)}), from.LocalAddr().Port())
		if dropped := from.WriteBatch([]Message{{Buf: make([]byte, 250), Segment: 100, Remote: to}}); dropped != 0 {
			t.Errorf("%d dropped", dropped)
		}
	}
	for again := range 2 { // the second time as patiently as the first
		k.runs = 0
		from.(*udp).noneUntil = time.Now().Add(-1)
		for host := range enoughRefusals + 5 {
			send(100*again + host + 1)
		}
		if k.runs != enoughRefusals {
			t.Errorf("tried %d times, want %d", k.runs, enoughRefusals)
		}
	}
	if left := time.Until(from.(*udp).noneUntil); left <= 0 || left > withoutRuns {
		t.Errorf("given up for %v", left)
	}
	from.(*udp).noneUntil = time.Now().Add(-1)
	k.refuse = func(*unix.Mmsghdr) syscall.Errno { return 0 }
	k.runs, k.calls = 0, 0
	for host := range 3 {
		send(host + 1)
	}
	if k.runs != 3 || k.calls != 3 {
		t.Errorf("later: %d runs in %d calls, want 3 in 3", k.runs, k.calls)
	}
}

// TestBadDestinations do not cost the others their runs: one alone, or several with a good one among them.
func TestBadDestinations(t *testing.T) {
	for name, hosts := range map[string][]byte{"alone": {9}, "many to one": {9, 9, 9, 9, 9, 9, 1}, "most": {9, 10, 1, 11, 12, 1}} {
		k := refuseRuns(unix.EMSGSIZE, func(a netip.Addr) bool { return a.As4()[3] >= 9 })
		from := open(t, "0.0.0.0:0", k.call, true)
		var ms []Message
		for _, host := range hosts {
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, host}), from.LocalAddr().Port())
			ms = append(ms, Message{Buf: make([]byte, 250), Segment: 100, Remote: to})
		}
		for range 20 {
			if dropped := from.WriteBatch(ms); dropped != 0 {
				t.Fatalf("%s: %d dropped", name, dropped)
			}
		}
		if u := from.(*udp); !u.noneUntil.IsZero() {
			t.Errorf("%s: runs are given up", name)
		}
	}
}

// full is a kernel whose send buffer is full for some calls.
func full(calls *int, times int) *picky {
	return &picky{refuse: func(*unix.Mmsghdr) syscall.Errno {
		if *calls++; *calls <= times {
			return unix.EAGAIN
		}
		return 0
	}}
}

// TestAFullBuffer: a batch waits for it once. If that was in vain the next ones do not, until something has left.
func TestAFullBuffer(t *testing.T) {
	tried := 0
	k := full(&tried, 1)
	c := open(t, "127.0.0.1:0", k.call, true)
	run := numbered(250, 100, c)
	if dropped := c.WriteBatch([]Message{run}); dropped != 0 || k.calls != 2 {
		t.Errorf("room at the second look: %d dropped in %d calls", dropped, k.calls)
	}
	expect(t, c, run, 64)

	tried = -1 << 30
	ms := []Message{run, {Buf: []byte("x"), Remote: c.LocalAddr()}}
	for i := range 3 {
		k.calls = 0
		if dropped := c.WriteBatch(ms); dropped != 4 || (i == 0) != (k.calls > 1) {
			t.Errorf("batch %d: %d dropped in %d calls", i, dropped, k.calls)
		}
	}
	tried = 10 // room again
	if dropped := c.WriteBatch(ms[:1]); dropped != 0 {
		t.Errorf("%d dropped", dropped)
	}
	expect(t, c, run, 64)
	tried, k.calls = 0, 0
	if dropped := c.WriteBatch(ms[:1]); dropped != 0 || k.calls != 2 {
		t.Errorf("full again: %d dropped in %d calls", dropped, k.calls)
	}
}

// TestALongBatch is several system calls, each as full as it may be.
func TestALongBatch(t *testing.T) {
	k := &picky{refuse: func(*unix.Mmsghdr) syscall.Errno { return 0 }}
	from, to := open(t, "127.0.0.1:0", k.call, true), open(t, "127.0.0.1:0", call, true)
	ms := make([]Message, 3*Batch+5)
	for i := range ms {
		ms[i] = Message{Buf: fmt.Append(nil, i), Remote: to.LocalAddr()}
	}
	if dropped := from.WriteBatch(ms); dropped != 0 || k.calls != 4 {
		t.Errorf("%d dropped in %d calls, want 4 calls", dropped, k.calls)
	}
	in := make([]Message, 50)
	for got := 0; got < len(ms); {
		n, err := to.ReadBatch(in, true)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if string(in[i].Buf) != string(ms[got].Buf) {
				t.Fatalf("datagram %d is %q", got, in[i].Buf)
			}
			got++
		}
	}
}
