package socket

import (
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const wire = 1116 // bytes of a sealed packet of the budgets' shape

// sink is a socket on which a filter drops everything, so that sending is measured and not receiving.
func sink(b *testing.B) Conn {
	c := open(b, "127.0.0.1:0", call, false)
	raw, err := c.(*udp).SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	if err := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop})
	}); err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkWrite reports ns per datagram; "net" is one WriteMsgUDPAddrPort each.
func BenchmarkWrite(b *testing.B) {
	for _, c := range []struct {
		name          string
		messages, run int
		plain         bool
	}{{"net", 1, 1, true}, {"one", 1, 1, false}, {"sendmmsg64", 64, 1, false}, {"gso8", 1, 8, false},
		{"sendmmsg16xgso8", 16, 8, false}, {"sendmmsg32xgso2", 32, 2, false}} {
		b.Run(c.name, func(b *testing.B) {
			to := sink(b)
			from := open(b, "127.0.0.1:0", call, true)
			if c.plain {
				from = newSingle(from.(*udp).UDPConn)
			}
			ms := make([]Message, c.messages)
			for i := range ms {
				ms[i] = Message{Buf: make([]byte, wire*c.run), Remote: to.LocalAddr(), Local: from.LocalAddr().Addr()}
				if c.run > 1 {
					ms[i].Segment = wire
				}
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if dropped := from.WriteBatch(ms); dropped > 0 {
					b.Fatalf("%d dropped", dropped)
				}
				n += c.messages * c.run
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/datagram")
		})
	}
}

// BenchmarkRead drains a filled socket and reports ns per datagram, of the reading alone. Of ordinary datagrams "gro"
// against "nogro" is what the larger rooms and the option cost.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name   string
		run    int
		plain  bool
		trains bool
	}{{"net", 1, true, false}, {"recvmmsg-nogro", 1, false, false}, {"recvmmsg-gro", 1, false, true},
		{"trains8-nogro", 8, false, false}, {"trains8-gro", 8, false, true}, {"trains32-gro", 32, false, true}} {
		b.Run(c.name, func(b *testing.B) {
			from, to := open(b, "127.0.0.1:0", call, true), open(b, "127.0.0.1:0", call, c.trains)
			if c.plain {
				to = newSingle(to.(*udp).UDPConn)
			}
			const load = 768
			var out []Message
			for range load / c.run {
				m := Message{Buf: make([]byte, wire*c.run), Remote: to.LocalAddr()}
				if c.run > 1 {
					m.Segment = wire
				}
				out = append(out, m)
			}
			in := make([]Message, Batch)
			var spent time.Duration
			n := 0
			for b.Loop() {
				from.WriteBatch(out)
				begin := time.Now()
				for got := 0; got < load; {
					k, err := to.ReadBatch(in, true)
					if err != nil {
						b.Fatal(err)
					}
					got += k
				}
				spent += time.Since(begin)
				n += load
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(n), "ns/datagram")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkReadOne is an idle shard's case: one datagram, and the goroutine does not park.
func BenchmarkReadOne(b *testing.B) {
	for _, trains := range []bool{false, true} {
		b.Run(fmt.Sprintf("gro=%v", trains), func(b *testing.B) {
			to := open(b, "127.0.0.1:0", call, trains)
			from, err := net.Dial("udp", to.LocalAddr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer from.Close()
			datagram, in := make([]byte, wire), make([]Message, Batch)
			var spent time.Duration
			for b.Loop() {
				_, _ = from.Write(datagram)
				begin := time.Now()
				if _, err := to.ReadBatch(in, true); err != nil {
					b.Fatal(err)
				}
				spent += time.Since(begin)
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/datagram")
			b.ReportMetric(0, "ns/op")
		})
	}
}
