package signal

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

const (
	maxWaiting = 64 // requests that wait for the worker; then the reader waits
	// maxBurst lets a client that enters a large session subscribe to everybody at once.
	maxBurst   = 1000
	maxPending = 2 * maxBurst // requests given to the session and not yet answered
)

// socket is one websocket of a client, from handshake to close.
type socket struct {
	server   *Server
	log      *slog.Logger
	from     caller
	opened   time.Time
	conn     *jsonrpc.Conn
	watch    *watchdog
	requests chan jsonrpc.Message // from the reader to the worker
	running  sync.WaitGroup       // the worker and the pump
	heard    atomic.Int64         // when the latest message came, Unix milliseconds; see silence.go
	receipt  receipt

	mu      sync.Mutex
	seat    *Seat             // nil before the join
	dialect *dialect          // with the seat
	pending map[string]string // method by request id
}

// serve runs a socket until it is closed. Its connection is then given back: the grace time begins.
func (s *Server) serve(ctx context.Context, frames jsonrpc.Socket, from caller) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c := &socket{
		server: s, from: from, opened: time.Now(), log: s.log.With("address", from.address),
		conn:     jsonrpc.New(paced{frames, rate.NewLimiter(rate.Limit(s.cfg.MaxMessageRate), maxBurst)}, jsonrpc.Config{}),
		watch:    newWatchdog(s.cfg.Idle, func() { stop(&jsonrpc.Closing{Code: jsonrpc.StatusNormal, Reason: noPing}) }),
		requests: make(chan jsonrpc.Message, maxWaiting),
		pending:  map[string]string{},
	}
	s.add(c, stop)
	c.running.Go(func() { c.work(ctx) })
	why := c.conn.Run(ctx, c.read)
	stop(why)
	s.remove(c)
	c.watch.stop()
	c.running.Wait()
	if seat := c.place(); seat != nil {
		seat.Detach(c.lost(why))
	}
	c.log.Debug("socket closed", "why", why)
}

// lost tells how a socket has ended, after it has.
func (c *socket) lost(why error) event.SocketLost {
	now := time.Now()
	l := event.SocketLost{Age: now.Sub(c.opened).Milliseconds(), Silent: now.Sub(c.watch.latest).Milliseconds()}
	if ours, ok := errors.AsType[*jsonrpc.Closing](why); ok {
		l.Code, l.Reason = ours.Code, ours.Reason
	} else if theirs, ok := errors.AsType[websocket.CloseError](why); ok {
		l.Code, l.Reason = int(theirs.Code), theirs.Reason
	}
	return l
}

// read is the reader's half: what must be answered at once, however long the worker takes.
func (c *socket) read(ctx context.Context, m jsonrpc.Message) {
	c.watch.heard()
	c.heard.Store(c.watch.latest.UnixMilli())
	switch {
	case m.IsResponse():
		c.pulled(m)
	case m.ID == nil: // no client sends notifications
		c.server.dropped.Add(1)
	case m.Method == "ping":
		c.ping(m)
	case m.Method == "connect":
		if err := c.connect(ctx, m); err != nil && ctx.Err() == nil {
			c.refuse(m, err)
		}
	default:
		select {
		case c.requests <- m:
		case <-ctx.Done():
		}
	}
}

func (c *socket) ping(m jsonrpc.Message) {
	var p openvidu.Ping
	if err := openvidu.Decode(m.Params, &p); err != nil {
		c.watch.ping(nil) // it is a ping all the same
		c.refuse(m, err)
		return
	}
	c.watch.ping(p.Interval)
	if seat := c.place(); seat != nil {
		if proved := c.receipt.ping(); proved > 0 {
			seat.Ack(proved)
		}
	}
	_ = c.answer(m, openvidu.Value{Value: "pong"})
}

// pulled takes the answer to a pull: all that was written before it has been handled by the client.
func (c *socket) pulled(m jsonrpc.Message) {
	var id int64
	seat := c.place()
	if json.Unmarshal(m.ID, &id) != nil || id >= 0 || seat == nil {
		c.server.dropped.Add(1)
		return
	}
	proved, next := c.receipt.pulled(uint64(-id))
	if proved > 0 {
		seat.Ack(proved)
	}
	if next > 0 {
		_ = c.pull(next) // a socket that has ended is proved nothing more
	}
}

// pull asks the client for a sign that it has handled everything up to seq. Its id is negative: no client counts so.
func (c *socket) pull(seq uint64) error { return c.conn.Ask(-int64(seq), openvidu.Pull) }

// work carries out requests one after the other.
func (c *socket) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.requests:
			if err := c.handle(ctx, m); err != nil && ctx.Err() == nil {
				c.refuse(m, err)
			}
		}
	}
}

// handle answers a request, or hands it to the session, which will; an error is the answer.
func (c *socket) handle(ctx context.Context, m jsonrpc.Message) error {
	row, ok := openvidu.FindMethod(m.Method)
	if !ok {
		return fault.New(fault.UnknownMethod, "there is no method %.40q", m.Method)
	}
	seat := c.place()
	if seat == nil && !row.Unjoined {
		return fault.New(fault.NotJoined, "call joinRoom before %s", m.Method)
	}
	var params any
	if row.Params != nil {
		params = row.Params()
		err := openvidu.Decode(m.Params, params)
		if _, hint := params.(*openvidu.OnICECandidate); hint && err != nil {
			// An error looks to applications like one of their media (spec §4.8), and this hint is merely of no use.
			return c.answer(m, c.server.result(m.Method, seat.RPC, nil))
		}
		if err != nil {
			return err
		}
	}
	if p, ok := params.(*openvidu.JoinRoom); ok {
		return c.join(ctx, m, p)
	}
	if seat == nil { // closeSession and sessionStatus
		return c.answer(m, c.server.result(m.Method, "", nil))
	}
	command, err := c.dialect.command(seat.Connection, m.Method, params)
	switch {
	case err != nil:
		return err
	case command == nil:
		return c.answer(m, c.server.result(m.Method, seat.RPC, nil))
	}
	if err := c.await(m); err != nil {
		return err
	}
	if err := seat.Send(ctx, string(m.ID), command); err != nil {
		method, waits := c.awaited(string(m.ID))
		if waits && ctx.Err() == nil { // else the pump, which has seen the end first, has answered
			refuseGone(c, string(m.ID), method, err)
		}
	}
	return nil
}

// await notes that the session will answer a request.
func (c *socket) await(m jsonrpc.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) >= maxPending {
		return fault.New(fault.RateLimited, "%d requests are unanswered already; slow down", maxPending)
	}
	c.pending[string(m.ID)] = m.Method
	return nil
}

// awaited returns the method of a request that is being answered, and whether it was not before.
func (c *socket) awaited(id string) (method string, waits bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	method, waits = c.pending[id]
	delete(c.pending, id)
	return method, waits
}

// place returns the seat, nil before the join.
func (c *socket) place() *Seat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seat
}

// answer sends a result made here. That the socket may have ended meanwhile is noticed elsewhere.
func (c *socket) answer(m jsonrpc.Message, result any) error {
	_ = c.conn.Reply(m.ID, result)
	return nil
}

func (c *socket) refuse(m jsonrpc.Message, err error) { _ = c.fail(m.ID, m.Method, err) }

// fail answers with an error. Texts may quote what the client sent, secrets among it: only our own failures are logged
// with theirs.
func (c *socket) fail(id json.RawMessage, method string, err error) error {
	told, ours := refusal(err)
	if ours {
		c.log.Error("request failed", "method", method, "error", err)
	} else {
		c.log.Debug("request refused", "method", method, "code", told.Code)
	}
	return c.conn.Fail(id, told)
}
