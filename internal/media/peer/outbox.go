package peer

import "tertulia/internal/media/socket"

// outbox collects what is to be sent until the batch is full or the shard has nothing more to do.
type outbox struct {
	socket  socket.Conn
	batch   []socket.Message
	room    [socket.Batch][datagram]byte // of each message
	filled  int                          // messages of batch in use
	dropped *uint64                      // a counter of the shard
}

// slot returns room for a datagram, to be given to commit before the next slot is asked for.
func (o *outbox) slot() []byte {
	if o.filled == len(o.batch) {
		o.flush()
	}
	return o.room[o.filled][:]
}

// commit sends the first n bytes of the latest slot along a path, with the rest of the batch.
func (o *outbox) commit(n int, to pathKey) {
	b := o.room[o.filled][:n]
	if to.via != nil {
		to.via.send(to, b)
		return
	}
	o.batch[o.filled] = socket.Message{Buf: b, Remote: to.remote, Local: to.local}
	o.filled++
}

// transmit copies b into a slot and commits it.
func (o *outbox) transmit(b []byte, to pathKey) {
	if len(b) <= datagram {
		o.commit(copy(o.slot(), b), to)
	}
}

func (o *outbox) flush() {
	if o.filled > 0 {
		*o.dropped += uint64(o.socket.WriteBatch(o.batch[:o.filled]))
		o.filled = 0
	}
}
