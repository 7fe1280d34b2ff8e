package peer

import "tertulia/internal/media/socket"

// outbox collects what is to be sent until its room is used up or the shard has nothing more to do. Datagrams of one
// size that follow each other to one peer become a run, which is one message to the kernel (UDP GSO).
type outbox struct {
	socket  socket.Conn
	room    []byte // datagrams stand here one behind the other
	used    int
	batch   []socket.Message
	filled  int     // messages of batch in use
	open    int     // datagrams in the latest of them; 0 once it must not grow
	dropped *uint64 // a counter of the shard
}

// sendRoom is a compromise: room for a frame to some 30 viewers in one system call, and still in the CPU's L2 cache.
const sendRoom = 256 << 10

func newOutbox(conn socket.Conn, dropped *uint64) outbox {
	return outbox{
		socket: conn, room: make([]byte, sendRoom), batch: make([]socket.Message, socket.Batch), dropped: dropped,
	}
}

// slot returns room for a datagram, to be given to commit before the next slot is asked for.
func (o *outbox) slot() []byte {
	if len(o.room)-o.used < datagram {
		o.flush()
	}
	return o.room[o.used : o.used+datagram]
}

// commit sends the first n bytes of the latest slot along a path, with the rest of the batch.
func (o *outbox) commit(n int, to pathKey) {
	b := o.room[o.used : o.used+n]
	if to.via != nil {
		to.via.send(to, b)
		return
	}
	o.used += n
	if o.extend(n, to) {
		return
	}
	if o.filled == len(o.batch) {
		o.write()
	}
	o.batch[o.filled] = socket.Message{Buf: b, Remote: to.remote, Local: to.local}
	o.filled++
	o.open = 1
}

// extend makes n bytes more part of the latest message, behind which they stand.
func (o *outbox) extend(n int, to pathKey) bool {
	if o.open == 0 || o.open == socket.MaxSegments {
		return false
	}
	m := &o.batch[o.filled-1]
	size := m.Segment
	if o.open == 1 {
		size = len(m.Buf)
	}
	if n > size || len(m.Buf)+n > socket.MaxRun || m.Remote != to.remote || m.Local != to.local {
		return false
	}
	m.Segment, m.Buf = size, m.Buf[:len(m.Buf)+n]
	o.open++
	if n < size {
		o.open = 0 // only the last of a run may be shorter
	}
	return true
}

// transmit copies b into a slot and commits it.
func (o *outbox) transmit(b []byte, to pathKey) {
	if len(b) <= datagram {
		o.commit(copy(o.slot(), b), to)
	}
}

func (o *outbox) flush() {
	o.write()
	o.used = 0
}

// write empties the batch; the room is used further, for its latest datagram may stand there already.
func (o *outbox) write() {
	if o.filled > 0 {
		*o.dropped += uint64(o.socket.WriteBatch(o.batch[:o.filled]))
	}
	o.filled, o.open = 0, 0
}
