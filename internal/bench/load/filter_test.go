package load

import (
	"encoding/binary"
	"testing"
)

// TestFilter: which datagrams a viewer reads, and that each that is RTP counts once.
func TestFilter(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.key(gcm)
	read := func() int { return s.client.loop.in.read(s.client.fd) }
	packet := func(first, second byte, sequence uint16) []byte {
		b := make([]byte, 40)
		b[0], b[1] = first, second
		binary.BigEndian.PutUint16(b[2:], sequence)
		return b
	}
	for first, second := range map[byte]byte{0: 1, 1: 1, 20: 254, 63: 254, 64: 0, 127: 200, 192: 96, 255: 255} {
		if s.post(s.server, packet(first, second, 1)); read() != 1 {
			t.Errorf("what begins with %d, %d is dropped", first, second)
		}
	}
	for _, second := range []byte{192, 200, 206, 223} {
		if s.post(s.server, packet(0x80, second, 1)); read() != 1 {
			t.Errorf("RTCP of type %d is dropped", second)
		}
	}
	if n := s.client.Delivered(); n != 0 {
		t.Errorf("%d packets of RTP, there were none", n)
	}
	sent := uint64(0)
	for _, second := range []byte{0, 96, 127, 128 | 96, 191, 224, 255} {
		for _, sequence := range []uint16{1, 63, 65, 0x3f01, 65535} {
			if s.post(s.server, packet(0x90, second, sequence)); read() != 0 {
				t.Errorf("RTP %d, type %d, is read", sequence, second)
			}
			sent++
		}
	}
	if n := s.client.Delivered(); n != sent {
		t.Errorf("%d packets dropped, %d sent", n, sent)
	}
	for _, sequence := range []uint16{0, 64, 128, 0xff00, 0xffc0} {
		if s.post(s.server, packet(0xbf, 96, sequence)); read() != 1 {
			t.Errorf("RTP %d is dropped", sequence)
		}
	}
}

// TestEveryPacketCountsOnce, read or dropped, whatever number the stream begins with.
func TestEveryPacketCountsOnce(t *testing.T) {
	for _, first := range []uint16{0, 1, 65500} {
		s := newStage(t, Config{}, false)
		s.key(cm)
		for i := range uint16(300) {
			s.say(s.server, s.packet(9, first+i, []byte("media"), byte(i%2)))
		}
		if n, read := s.client.Delivered(), s.client.read.Load(); n != 300 || read < 300/64 || read > 300/64+1 {
			t.Errorf("from %d: %d of 300 delivered, %d read", first, n, read)
		}
		s.client.release(errClosed)
		if n := s.client.Delivered(); n != 300 {
			t.Errorf("from %d: %d delivered once it is closed", first, n)
		}
	}
}

// TestBatches: more than one batch waits, and all are taken in order.
func TestBatches(t *testing.T) {
	s := newStage(t, Config{Probe: true}, false)
	s.key(gcm)
	for i := range uint16(2*batchSize + 10) {
		s.post(s.server, s.packet(9, i, []byte("media"), 0))
	}
	s.client.receive()
	if n := s.client.Delivered(); n != 2*batchSize+10 || s.client.sources[0].highest != 2*batchSize+9 {
		t.Errorf("%d packets, to %d", n, s.client.sources[0].highest)
	}
}
