package app

import (
	"errors"
	"sync/atomic"

	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/reach"
)

// traffic counts what the media sockets carry: STUN, DTLS, SRTP and SRTCP over UDP.
type traffic struct {
	packetsIn, bytesIn, packetsOut, bytesOut atomic.Uint64
}

// of counts on a socket as well. The sums are made batch by batch, so that a scrape needs nothing of a shard's time and
// packets cost no atomic operation each.
func (t *traffic) of(conn socket.Conn) socket.Conn { return &watched{conn, t} }

type watched struct {
	socket.Conn
	traffic *traffic
}

func (w *watched) ReadBatch(ms []socket.Message, wait bool) (int, error) {
	n, err := w.Conn.ReadBatch(ms, wait)
	if n > 0 {
		var bytes uint64
		for i := range ms[:n] {
			bytes += uint64(len(ms[i].Buf))
		}
		w.traffic.packetsIn.Add(uint64(n))
		w.traffic.bytesIn.Add(bytes)
	}
	return n, err
}

func (w *watched) WriteBatch(ms []socket.Message) (dropped int) {
	var packets, bytes uint64
	for i := range ms {
		m := &ms[i]
		bytes += uint64(len(m.Buf))
		packets += uint64(m.Datagrams())
	}
	w.traffic.packetsOut.Add(packets)
	w.traffic.bytesOut.Add(bytes)
	return w.Conn.WriteBatch(ms)
}

// startMedia serves calls on the sockets, which it closes; they note who sends, and count.
func startMedia(c peer.Config, conns []socket.Conn, reached *reached, traffic *traffic, running *parts) (*peer.Shards, error) {
	for i := range conns {
		conns[i] = reached.by(reach.UDP, traffic.of(conns[i]))
	}
	shards, err := peer.NewShards(c, conns)
	if err != nil {
		for _, conn := range conns {
			err = errors.Join(err, conn.Close())
		}
		return nil, err
	}
	running.start("media", shards.Run)
	return shards, nil
}
