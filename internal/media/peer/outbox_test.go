package peer

import (
	"net/netip"
	"slices"
	"testing"

	"tertulia/internal/media/socket"
)

// message is what the kernel would be given.
type message struct {
	port    uint16
	segment int
	bytes   int
}

// recorder keeps the messages of an outbox, and checks that each byte stands where it was put.
type recorder struct {
	nowhere
	t        *testing.T
	messages []message
	batches  []int
	next     map[uint16]byte // what the next datagram to a port is filled with
}

func (r *recorder) WriteBatch(ms []socket.Message) int {
	r.batches = append(r.batches, len(ms))
	for _, m := range ms {
		port := m.Remote.Port()
		r.messages = append(r.messages, message{port, m.Segment, len(m.Buf)})
		size := m.Segment
		if size == 0 {
			size = len(m.Buf)
		}
		for b := range slices.Chunk(m.Buf, size) {
			for _, c := range b {
				if c != r.next[port] {
					r.t.Fatalf("datagram %d to %d is filled with %d", r.next[port], port, c)
				}
			}
			r.next[port]++
		}
	}
	return 0
}

// letters sends datagrams of these sizes, each filled with its number to that port.
type letters struct {
	*recorder
	out     outbox
	written map[uint16]byte
	dropped uint64
}

func newLetters(t *testing.T) *letters {
	l := &letters{recorder: &recorder{t: t, next: map[uint16]byte{}}, written: map[uint16]byte{}}
	l.out = newOutbox(l.recorder, &l.dropped)
	return l
}

func (l *letters) send(port uint16, sizes ...int) {
	for _, size := range sizes {
		slot := l.out.slot()
		for i := range size {
			slot[i] = l.written[port]
		}
		l.written[port]++
		l.out.commit(size, pathKey{remote: netip.AddrPortFrom(loopbackAddr, port)})
	}
}

var loopbackAddr = netip.MustParseAddr("127.0.0.1")

func TestRuns(t *testing.T) {
	for name, c := range map[string]struct {
		sizes []int
		want  []message
	}{
		"one":              {[]int{1000}, []message{{1, 0, 1000}}},
		"equal":            {[]int{1000, 1000, 1000}, []message{{1, 1000, 3000}}},
		"the last shorter": {[]int{1000, 1000, 200, 200}, []message{{1, 1000, 2200}, {1, 0, 200}}},
		"shorter at once":  {[]int{1000, 200, 1000}, []message{{1, 1000, 1200}, {1, 0, 1000}}},
		"growing":          {[]int{200, 1000, 1000}, []message{{1, 0, 200}, {1, 1000, 2000}}},
	} {
		l := newLetters(t)
		l.send(1, c.sizes...)
		l.out.flush()
		if !slices.Equal(l.messages, c.want) {
			t.Errorf("%s: %v, want %v", name, l.messages, c.want)
		}
	}
}

func TestRunsAreOfOnePeer(t *testing.T) {
	l := newLetters(t)
	l.send(1, 500, 500)
	l.send(2, 500, 500)
	l.send(1, 500)
	l.out.flush()
	l.send(1, 500) // nothing is added to what has left
	l.out.flush()
	want := []message{{1, 500, 1000}, {2, 500, 1000}, {1, 0, 500}, {1, 0, 500}}
	if !slices.Equal(l.messages, want) || !slices.Equal(l.batches, []int{3, 1}) {
		t.Errorf("%v in batches of %v, want %v", l.messages, l.batches, want)
	}
}

// TestRunsHaveLimits: the kernel takes so many datagrams, and so many bytes.
func TestRunsHaveLimits(t *testing.T) {
	l := newLetters(t)
	for range socket.MaxSegments + 1 {
		l.send(1, 100)
	}
	for range 100 {
		l.send(2, 1400)
	}
	l.out.flush()
	datagrams := map[uint16]int{}
	for _, m := range l.messages {
		datagrams[m.port] += max(1, (m.bytes+max(m.segment, 1)-1)/max(m.segment, 1))
		if m.bytes > socket.MaxRun || m.segment > 0 && (m.bytes+m.segment-1)/m.segment > socket.MaxSegments {
			t.Errorf("a run of %d bytes by %d", m.bytes, m.segment)
		}
	}
	if l.next[1] != socket.MaxSegments+1 || l.next[2] != 100 {
		t.Errorf("%d and %d datagrams left", l.next[1], l.next[2])
	}
}

// TestFullBatch: when the messages or the room are used up, what stands there leaves, and nothing is lost or overwritten.
func TestFullBatch(t *testing.T) {
	l := newLetters(t)
	for port := range uint16(socket.Batch * 3) {
		l.send(port+1, 1200, 1200, 1200)
	}
	l.out.flush()
	for port := range uint16(socket.Batch * 3) {
		if l.next[port+1] != 3 {
			t.Fatalf("%d datagrams to %d", l.next[port+1], port+1)
		}
	}
}

// TestAFrameIsOneMessage to each viewer, though its packets differ by a byte; audio leaves ahead.
func TestAFrameIsOneMessage(t *testing.T) {
	const viewers = 20
	b := newBench(t, viewers)
	b.shard.packet(b.key, b.packet(t, 1))
	b.shard.send() // the key frame that starts each viewer
	b.wire.messages, b.wire.sent = 0, 0
	for n := range uint16(8) {
		size := 1000
		if n >= 5 {
			size = 1001
		}
		b.shard.packet(b.key, b.part(t, n+2, 777, size))
	}
	b.shard.send()
	if b.wire.messages != viewers || b.wire.sent != 8*viewers {
		t.Errorf("%d messages with %d datagrams, want %d with %d", b.wire.messages, b.wire.sent, viewers, 8*viewers)
	}
}
