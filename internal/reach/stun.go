package reach

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/fault"
)

// resends are the pauses before a question over UDP is asked again; the last bounds what remains.
var resends = []time.Duration{300 * time.Millisecond, 600 * time.Millisecond, 1200 * time.Millisecond, 2400 * time.Millisecond}

// Queries asks STUN servers through a socket that somebody else reads, so that their answers tell of its port.
type Queries struct {
	// Send sends a datagram from that socket; it may be called from any goroutine.
	Send func(b []byte, to netip.AddrPort) error

	waiting atomic.Int32 // how many there are: the reader's packets cost no lock while there is none
	mu      sync.Mutex
	pending map[[stun.TransactionIDSize]byte]query
}

type query struct {
	server netip.AddrPort
	answer chan netip.AddrPort
}

// Ask returns our address as a server sees it. It asks again and again, until ctx ends.
func (q *Queries) Ask(ctx context.Context, server netip.AddrPort) (netip.AddrPort, error) {
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.AddrPort{}, err
	}
	one := query{unmap(server), make(chan netip.AddrPort, 1)}
	q.mu.Lock()
	if q.pending == nil {
		q.pending = map[[stun.TransactionIDSize]byte]query{}
	}
	q.pending[request.TransactionID] = one
	q.mu.Unlock()
	q.waiting.Add(1)
	defer func() {
		q.waiting.Add(-1)
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.pending, request.TransactionID)
	}()
	for _, pause := range resends {
		if err := q.Send(request.Raw, server); err != nil {
			return netip.AddrPort{}, err
		}
		timer := time.NewTimer(pause)
		select {
		case at := <-one.answer:
			timer.Stop()
			return at, nil
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return netip.AddrPort{}, ctx.Err()
		}
	}
	return netip.AddrPort{}, fault.New(fault.Timeout, "STUN server %s does not answer", server)
}

// Waiting reports whether any question waits for its answer.
func (q *Queries) Waiting() bool { return q.waiting.Load() > 0 }

// Take reports whether a datagram is the answer to a question, and hands it over. Others are left alone; what a server
// was not asked, or another says, is no answer.
func (q *Queries) Take(b []byte, from netip.AddrPort) bool {
	if !q.Waiting() || len(b) < 20 || b[0] != 1 || b[1] != 1 { // a Binding success response
		return false
	}
	q.mu.Lock()
	one, ok := q.pending[[stun.TransactionIDSize]byte(b[8:20])]
	q.mu.Unlock()
	if !ok || one.server != unmap(from) {
		return false
	}
	at, ok := mappedIn(b)
	if !ok {
		return false
	}
	select {
	case one.answer <- at:
	default: // it was answered twice
	}
	return true
}

// mappedIn reads XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS as old servers say, of a Binding success response.
func mappedIn(b []byte) (netip.AddrPort, bool) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if m.Decode() != nil || m.Type != stun.BindingSuccess {
		return netip.AddrPort{}, false
	}
	var ip net.IP
	var port int
	var mapped stun.XORMappedAddress
	var old stun.MappedAddress
	if mapped.GetFrom(m) == nil {
		ip, port = mapped.IP, mapped.Port
	} else if old.GetFrom(m) == nil {
		ip, port = old.IP, old.Port
	}
	a, ok := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), uint16(port)), ok && port > 0
}

// AskAlone asks a STUN server from a socket of its own: it tells our address, and nothing of our media port.
func AskAlone(ctx context.Context, server netip.AddrPort) (netip.AddrPort, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer conn.Close()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.AddrPort{}, err
	}
	room := make([]byte, 1500)
	for _, pause := range resends {
		if _, err := conn.Write(request.Raw); err != nil {
			return netip.AddrPort{}, err
		}
		until := time.Now().Add(pause)
		if end, ok := ctx.Deadline(); ok && end.Before(until) {
			until = end
		}
		_ = conn.SetReadDeadline(until)
		for {
			n, err := conn.Read(room)
			if err != nil {
				break // the deadline, or an ICMP error: it is asked again
			}
			if n >= 20 && [stun.TransactionIDSize]byte(room[8:20]) == request.TransactionID {
				if at, ok := mappedIn(room[:n]); ok {
					return at, nil
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return netip.AddrPort{}, err
		}
		if wait := time.Until(until); wait > 0 { // an ICMP error came early
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return netip.AddrPort{}, ctx.Err()
			}
		}
	}
	return netip.AddrPort{}, fault.New(fault.Timeout, "%s does not answer over UDP", server)
}

// AskTCP asks an ICE-TCP port as AskAlone does: the frames are RFC 4571's.
func AskTCP(ctx context.Context, server netip.AddrPort) (netip.AddrPort, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server.String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(request.Raw))), request.Raw...)); err != nil {
		return netip.AddrPort{}, err
	}
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return netip.AddrPort{}, fault.Wrap(fault.Timeout, err, "%s does not answer over TCP", server)
	}
	room := make([]byte, min(binary.BigEndian.Uint16(head[:]), 1500))
	if _, err := io.ReadFull(conn, room); err != nil {
		return netip.AddrPort{}, fault.Wrap(fault.Timeout, err, "%s does not answer over TCP", server)
	}
	at, ok := mappedIn(room)
	if !ok || [stun.TransactionIDSize]byte(room[8:20]) != request.TransactionID {
		return netip.AddrPort{}, fault.New(fault.Invalid, "%s does not speak STUN over TCP", server)
	}
	return at, nil
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// token is what goes through a relay and must come back.
func token() []byte { return []byte("tertulia probe " + rand.Text()) }
