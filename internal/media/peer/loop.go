package peer

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"tertulia/internal/media"
	"tertulia/internal/media/socket"
)

// idle is the longest a shard sleeps, pause the shortest.
const (
	idle  = media.Time(time.Second)
	pause = media.Time(50 * time.Microsecond)
	// maxUnread is how many turns in a row the socket may only be asked, because messages keep coming.
	maxUnread = 64
)

// Run serves until ctx ends or the socket fails; it says BYE, closes the socket and waits for all it started.
func (s *Shard) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.post(func() { s.stopping = true }) })
	defer stop()
	defer s.shutdown()
	failures, taken := 0, 0
	for !s.stopping {
		n, err := s.read(taken > 0)
		s.now = media.Time(time.Since(s.start))
		switch {
		case err == nil:
			failures = 0
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// An ICMP error surfaces once; a broken socket does so for ever.
			if failures++; failures > 1000 {
				return err
			}
		}
		for i := range n {
			m := &s.in[i]
			s.packet(pathKey{remote: m.Remote, local: m.Local}, m.Buf)
		}
		taken += n + s.runInbox()
		s.due.run(s.now)
		// A frame comes as a burst: while more is there, it is taken before anything is forwarded.
		if n == 0 || taken >= len(s.in) {
			s.send()
			taken = 0
		}
	}
	return nil
}

// send forwards what the turn has collected: to the other shards first.
func (s *Shard) send() {
	s.turn.Cross()
	s.crossing.handOver()
	s.turn.Flush()
	s.out.flush()
}

// read takes the datagrams that are there. Unless something waits to be sent, it waits until some come, the next timer
// is due or a message is posted.
func (s *Shard) read(pending bool) (int, error) {
	if pending {
		return s.config.Socket.ReadBatch(s.in, false)
	}
	now := media.Time(time.Since(s.start))
	until := wakeAt(&s.due, now)
	s.mu.Lock()
	if len(s.inbox)+len(s.waiting) > 0 {
		if s.unread++; s.unread < maxUnread {
			s.mu.Unlock()
			return s.config.Socket.ReadBatch(s.in, false)
		}
		until = now + pause // a socket that cannot be asked (socket.Plain) would never be read
	}
	s.unread = 0
	err := s.sleepUntil(s.start.Add(time.Duration(until)))
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := s.config.Socket.ReadBatch(s.in, true)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, nil
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return 0, nil
	}
	return n, err
}

// wakeAt is when a shard must wake up at the latest.
func wakeAt(due *wheel, now media.Time) media.Time {
	if at, ok := due.next(); ok && at < now+idle {
		return max(at, now+pause)
	}
	return now + idle
}

// packet is the one entrance of foreign bytes, from the socket, ICE-TCP and relays alike.
func (s *Shard) packet(from pathKey, b []byte) {
	class := socket.Classify(b)
	if class == socket.STUN {
		s.check(from, b)
		return
	}
	p := s.paths[from]
	if p == nil {
		s.routes.follow(from, b)
		return
	}
	switch class {
	case socket.DTLS:
		p.endpoint.dtlsPacket(b)
	case socket.RTP:
		p.endpoint.rtpPacket(p, b)
	case socket.RTCP:
		p.endpoint.rtcpPacket(p, b)
	default:
		s.counters.Malformed++
	}
}

// runInbox takes what others have posted and handed over, and returns how many datagrams and packets that was.
func (s *Shard) runInbox() (taken int) {
	messages, parcels := s.collect()
	for _, fn := range messages {
		fn()
	}
	for _, p := range parcels {
		taken += p.count()
		p.open(s)
	}
	return taken
}

// shutdown ends every endpoint and lets nothing of ours live on.
func (s *Shard) shutdown() {
	for _, e := range s.endpoints {
		e.release()
	}
	s.out.flush()
	s.mailbox.end()
	close(s.stopped)
	_ = s.config.Socket.Close()
	s.tasks.Wait()
}
