package turn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ServeListener answers the connections to a port that is for TURN alone, until ctx ends or the listener fails; it closes
// the listener and returns when every connection has ended. There may be as many, in all and from one address, as there
// may be allocations.
func (s *Server) ServeListener(ctx context.Context, listener net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	var (
		serving sync.WaitGroup
		guests  = guests{of: map[netip.Addr]int{}}
	)
	defer serving.Wait()
	for {
		stream, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // too many open files: there will be fewer
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		host := subnet(addressOf(stream.RemoteAddr()).Addr())
		if !guests.enter(host, s.config.Limits) {
			s.overQuota.Add(1)
			_ = stream.Close() // nothing was said on it
			continue
		}
		serving.Go(func() {
			defer guests.leave(host)
			_ = s.ServeConn(ctx, stream) // it tells the log why it ended one
		})
	}
}

// guests counts the connections to a listener.
type guests struct {
	mu  sync.Mutex
	all int
	of  map[netip.Addr]int
}

func (g *guests) enter(host netip.Addr, limits Limits) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= limits.Allocations || g.of[host] >= limits.PerAddress {
		return false
	}
	g.all++
	g.of[host]++
	return true
}

func (g *guests) leave(host netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	countDown(g.of, host)
}
