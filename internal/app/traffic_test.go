package app

import (
	"errors"
	"testing"

	"tertulia/internal/media/socket"
)

// script is a socket that reads datagrams of the given sizes and takes all but one that it is given.
type script struct {
	socket.Conn
	sizes []int
	err   error
}

func (s *script) ReadBatch(ms []socket.Message, _ bool) (int, error) {
	for i, size := range s.sizes {
		ms[i].Buf = make([]byte, size)
	}
	return len(s.sizes), s.err
}

func (s *script) WriteBatch([]socket.Message) int { return 1 }

func TestTraffic(t *testing.T) {
	var sum traffic
	broken := errors.New("broken")
	one, other := sum.of(&script{sizes: []int{100, 20}}), sum.of(&script{sizes: []int{3}, err: broken})
	in := make([]socket.Message, 4)
	if n, err := one.ReadBatch(in, true); n != 2 || err != nil || len(in[1].Buf) != 20 {
		t.Errorf("read %d, %v", n, err)
	}
	if n, err := other.ReadBatch(in, true); n != 1 || !errors.Is(err, broken) {
		t.Errorf("read %d, %v", n, err)
	}
	out := []socket.Message{
		{Buf: make([]byte, 50)},
		{Buf: make([]byte, 3000), Segment: 1000}, // three datagrams
		{Buf: make([]byte, 3001), Segment: 1000}, // and a short one
		{Buf: make([]byte, 10), Segment: 1000},
	}
	if dropped := one.WriteBatch(out); dropped != 1 {
		t.Errorf("%d dropped", dropped)
	}
	if p, b := sum.packetsIn.Load(), sum.bytesIn.Load(); p != 3 || b != 123 {
		t.Errorf("in: %d packets, %d bytes", p, b)
	}
	if p, b := sum.packetsOut.Load(), sum.bytesOut.Load(); p != 9 || b != 6061 {
		t.Errorf("out: %d packets, %d bytes", p, b)
	}
	if n := testing.AllocsPerRun(100, func() { one.WriteBatch(out) }); n > 0 {
		t.Errorf("%.1f allocations per batch", n)
	}
}

// BenchmarkTraffic is what counting costs a full batch.
func BenchmarkTraffic(b *testing.B) {
	var sum traffic
	conn := sum.of(&script{})
	batch := make([]socket.Message, socket.Batch)
	for i := range batch {
		batch[i] = socket.Message{Buf: make([]byte, 1100), Segment: 1000}
	}
	b.ReportAllocs()
	for b.Loop() {
		conn.WriteBatch(batch)
	}
}
