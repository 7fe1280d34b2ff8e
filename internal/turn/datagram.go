package turn

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/socket"
)

const (
	// What a host that has no allocation may ask, per second. An unsigned datagram is answered at the address it claims to
	// come from with twice its size at most, so this bounds what we can be made to send there: 10 KB/s.
	strangerRate, strangerBurst = 100, 400
	sweepEvery                  = time.Second
	portQueue                   = 1 << 20 // bytes that wait for a port's clients before packets are dropped
)

// tuple tells the clients of a UDP port apart, with the address of ours they use.
type tuple struct {
	remote netip.AddrPort
	local  netip.Addr
}

// port is one UDP socket and its clients. The goroutine of ServeUDP owns all but the outbox.
type port struct {
	server    *Server
	socket    socket.Conn
	out       *datagrams
	clients   map[tuple]*conn // those that have an allocation; quotas bound them
	strangers *meters
	spare     *conn // for the next datagram of nobody we know
	message   *stun.Message
}

// ServeUDP answers the datagrams of a socket until ctx ends or the socket fails, then closes it and returns when nothing
// of it runs any more. Several sockets may share one UDP port: each client's datagrams come to one of them.
func (s *Server) ServeUDP(ctx context.Context, from socket.Conn) error {
	p := &port{
		server: s, socket: from, out: newDatagrams(), clients: map[tuple]*conn{},
		strangers: newMeters(strangerRate, strangerBurst), message: stun.New(),
	}
	defer context.AfterFunc(ctx, func() { _ = from.Close() })()
	var writing sync.WaitGroup
	writing.Go(func() { p.out.writeTo(from) })
	err := p.serve(ctx)
	for _, c := range p.clients {
		c.release()
	}
	p.out.close()
	writing.Wait()
	_ = from.Close() // a second close if ctx has ended
	return err
}

// serve reads until the socket is closed, which is no error, or fails for good.
func (p *port) serve(ctx context.Context) error {
	in, failures, sweep := make([]socket.Message, socket.Batch), 0, time.Now().Add(sweepEvery)
	for {
		if now := time.Now(); !now.Before(sweep) {
			p.sweep(now)
			sweep = now.Add(sweepEvery)
		}
		_ = p.socket.SetReadDeadline(sweep) // of a closed socket; reading tells
		n, err := p.socket.ReadBatch(in, true)
		switch {
		case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
			failures = 0
		case errors.Is(err, net.ErrClosed) && ctx.Err() != nil:
			return nil
		default: // an ICMP error surfaces once; a broken socket does so for ever
			if failures++; failures > 1000 || errors.Is(err, net.ErrClosed) {
				return err
			}
		}
		for i := range n {
			p.take(ctx, &in[i])
		}
	}
}

// take handles one datagram. What is wrong with it ends nothing: anybody can send it in the client's name.
func (p *port) take(ctx context.Context, m *socket.Message) {
	frame, ok := datagramFrame(m.Buf)
	if !ok {
		p.server.malformed.Add(1)
		return
	}
	from := tuple{m.Remote, m.Local}
	c, known := p.clients[from]
	if !known {
		if isChannel(binary.BigEndian.Uint16(frame)) || !p.strangers.allow(subnet(from.remote.Addr()), time.Now()) {
			p.server.dropped.Add(1)
			return
		}
		c = p.stranger(from)
	}
	_ = c.handle(ctx, frame)
	switch {
	case !known && c.allocation != nil:
		c.requests = newRequests()
		p.clients[from], p.spare = c, nil
	case known && c.allocation == nil:
		delete(p.clients, from)
	}
}

// stranger is a client of whom nothing is kept unless this datagram makes it an allocation.
func (p *port) stranger(from tuple) *conn {
	if p.spare == nil {
		p.spare = &conn{server: p.server, terse: true, message: p.message}
	}
	p.spare.client, p.spare.authErrors = from.remote, 0
	p.spare.out = addressed{p.out, from}
	return p.spare
}

// sweep ends the allocations whose time is over.
func (p *port) sweep(now time.Time) {
	for from, c := range p.clients {
		if now.After(c.allocation.expires) {
			c.release()
			delete(p.clients, from)
		}
	}
}

// datagramFrame is the STUN message or ChannelData a datagram holds; behind ChannelData there may be padding (RFC 8656 §12.5).
func datagramFrame(b []byte) ([]byte, bool) {
	if len(b) < channelHeader {
		return nil, false
	}
	size, _, err := frameSize(b[:channelHeader])
	if err != nil || size > len(b) {
		return nil, false
	}
	return b[:size], true
}
