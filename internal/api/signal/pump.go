package signal

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// pump writes what the outbox of a seat holds, in order, until the socket ends. When the connection has ended, or has
// gone to another socket, the client is given some time to close by itself: a close it did not expect looks to it like
// a drop.
func (c *socket) pump(ctx context.Context, seat *Seat) {
	for {
		m, err := seat.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.refuseRest(err)
			break
		}
		if c.write(seat, m) != nil {
			return // the socket has ended
		}
		if _, evicted := m.Notice.(session.Evicted); evicted && c.dialect.upTo24() {
			// Up to 2.2 the notice says nothing to the client (spec §12.4); 2.3 and 2.4 close at once themselves.
			c.conn.Close(jsonrpc.StatusNormal, "")
			return
		}
	}
	linger := time.NewTimer(c.server.cfg.Linger)
	defer linger.Stop()
	select {
	case <-ctx.Done():
	case <-linger.C:
		c.conn.Close(jsonrpc.StatusNormal, "")
	}
}

// refuseRest answers what was asked while the connection ended: the session drops the requests of who has gone.
func (c *socket) refuseRest(why error) {
	c.mu.Lock()
	rest := c.pending
	c.pending = map[string]string{}
	c.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(rest)) {
		refuseGone(c, id, rest[id], why)
	}
}

// refuseGone answers a request of who has gone. Candidates are never refused (spec §4.8).
func refuseGone(c *socket, id, method string, why error) {
	if method == "onIceCandidate" {
		_ = c.conn.Reply(json.RawMessage(id), openvidu.Done{SessionID: c.place().RPC})
		return
	}
	_ = c.fail(json.RawMessage(id), method, why)
}

// write hands one message to the writer, and asks for a receipt of a notice if repeating it would be seen.
func (c *socket) write(seat *Seat, m session.Message) error {
	if m.Reply != nil {
		return c.reply(seat, m.Reply)
	}
	name, shape := c.dialect.notification(m.Notice)
	if name == "" {
		c.log.Error("a notice without notification", "session", seat.Session, "notice", m.Notice)
	} else if err := c.conn.Notify(name, shape); err != nil {
		return err
	}
	_, hint := m.Notice.(session.RemoteCandidate)
	if pull := c.receipt.wrote(m.Seq, !hint && c.dialect.answersPull()); pull > 0 {
		return c.pull(pull)
	}
	return nil
}

func (c *socket) reply(seat *Seat, a *session.Answered) error {
	method, _ := c.awaited(a.Request)
	id := json.RawMessage(a.Request)
	if a.Err != nil {
		return c.fail(id, method, a.Err)
	}
	if joined, ok := a.Result.(session.JoinResult); ok {
		return c.conn.Reply(id, c.dialect.joining(seat.RPC, joined))
	}
	return c.conn.Reply(id, c.server.result(method, seat.RPC, a.Result))
}
