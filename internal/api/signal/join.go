package signal

import (
	"context"
	"strings"
	"time"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

const (
	// sitTimeout bounds a join or resumption; the client gives up after 10 s.
	sitTimeout = 10 * time.Second

	maxPlatform = 256
	maxSDK      = 64
)

// join is joinRoom. The outbox answers it, as its first message.
func (c *socket) join(ctx context.Context, m jsonrpc.Message, p *openvidu.JoinRoom) error {
	if c.place() != nil {
		return openvidu.Refuse(openvidu.CodeUserExists, "this socket has joined already; use another one for another connection")
	}
	// A token cannot be guessed, so whoever comes with one alone is not made to wait for a neighbour's failures.
	secret := secretOf(p)
	if secret != "" && c.server.failed.exhausted(c.from.group()) {
		return fault.New(fault.RateLimited, "too many joins by secret from your address have failed; wait a minute")
	}
	if err := c.server.room(false); err != nil {
		return err
	}
	id, d, j := c.server.admission(c.from, p)
	if err := c.await(m); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, sitTimeout)
	defer cancel()
	seat, err := c.server.cfg.Sessions.Join(limited, id, string(m.ID), j)
	if err != nil {
		c.awaited(string(m.ID))
		guessed := !j.Insecure && secret != "" // whatever the session
		if guessed || fault.Is(err, fault.TokenInvalid) {
			c.server.failed.count(c.from.group())
		}
		stranger := fault.Is(err, fault.TokenInvalid) || fault.Is(err, fault.SessionNotFound)
		if stranger && secret != "" && c.server.settings().NoSecretJoins {
			return noSecretJoins()
		}
		return err
	}
	c.log.Info("joined", "session", seat.Session, "connection", seat.Connection, "platform", j.Platform, "sdk", j.SDKVersion)
	if err := c.sit(seat, d); err != nil {
		return err
	}
	c.running.Go(func() { c.pump(ctx, seat) })
	return nil
}

// admission turns the parameters of joinRoom into the session's id and command.
func (s *Server) admission(from caller, p *openvidu.JoinRoom) (id string, d *dialect, j session.Join) {
	token := openvidu.ParseToken(p.Token)
	id, isURL := openvidu.ParseSession(p.Session)
	if id == "" {
		id = token.Session
	}
	r := release{
		platform: cut(p.Platform, maxPlatform), sdk: cut(p.SDKVersion, maxSDK), query: from.query,
		first: from.first || isURL,
	}
	d = newDialect(r, r.offered(*s.settings().MediaServer))
	d.life = s.cfg.Life
	j = session.Join{
		Token: token.Token, ClientData: p.Metadata, Platform: d.platform, SDKVersion: d.sdk,
		Address: from.address.String(), Host: from.host, FinalUserID: from.userID, Loopback: from.loopback,
		CommonMsid: d.upTo24(), SignalForm: d.signalForm(), ServerOffers: d.mediaServer == "mediasoup",
	}
	if s.cfg.Locate != nil {
		j.Location = s.cfg.Locate(from.address)
	}
	if s.knows(secretOf(p)) {
		page := from.origin != "" && !p.Recorder && !token.Recorder && !p.SpeechToText && !token.SpeechToText
		if page && s.cfg.SecretSeen != nil {
			s.cfg.SecretSeen(from.origin, from.address)
		}
		if now := s.settings(); now.NoSecretJoins || now.Strict && page {
			return id, d, j
		}
		id = roomName(id)
		j.Token, j.Insecure, j.LegacyRole = "", true, d.upTo215()
		j.Recorder = p.Recorder || token.Recorder
		j.SpeechToText = p.SpeechToText || token.SpeechToText
		if j.Recorder || j.SpeechToText {
			j.FinalUserID = ""
		}
	}
	return id, d, j
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// sit takes a seat, which is given back when the socket ends.
func (c *socket) sit(seat *Seat, d *dialect) error {
	c.mu.Lock()
	taken := c.seat != nil
	if !taken {
		c.seat, c.dialect = seat, d
	}
	c.mu.Unlock()
	if taken { // joinRoom and connect at once: no client does it
		seat.Detach(event.SocketLost{Reason: "joined twice"})
		return fault.New(fault.ConnectionClosed, "this socket has joined already")
	}
	c.server.seated(c, seat)
	return nil
}

// connect takes up an RPC session again (spec §2.7). The answer goes out before what is replayed.
func (c *socket) connect(ctx context.Context, m jsonrpc.Message) error {
	var p openvidu.Connect
	if err := openvidu.Decode(m.Params, &p); err != nil {
		return err
	}
	seat := c.place()
	switch {
	case p.SessionID == "" && seat == nil:
		return c.answer(m, openvidu.Value{Value: "OK"})
	case p.SessionID == "":
		return c.answer(m, openvidu.Value{Value: "OK", SessionID: seat.RPC})
	case seat != nil && seat.RPC != p.SessionID:
		return fault.New(fault.ReconnectionUnknown, "this socket belongs to another RPC session")
	}
	again := "reconnection successful"
	if seat != nil {
		return c.answer(m, openvidu.Value{Value: again, SessionID: seat.RPC})
	}
	limited, cancel := context.WithTimeout(ctx, sitTimeout)
	defer cancel()
	seat, err := c.server.cfg.Sessions.Resume(limited, p.SessionID)
	switch {
	case fault.Is(err, fault.ReconnectionUnknown):
		return err
	case err != nil: // a client that is told of any error gives up its call; one whose socket closes tries again
		c.log.Debug("not resumed now", "error", err)
		c.conn.Close(jsonrpc.StatusGoingAway, "Try again")
		return nil
	}
	if err := c.sit(seat, resumed(seat.Self)); err != nil {
		return err
	}
	c.log.Info("resumed", "session", seat.Session, "connection", seat.Connection)
	_ = c.answer(m, openvidu.Value{Value: again, SessionID: seat.RPC})
	c.running.Go(func() { c.pump(ctx, seat) })
	return nil
}
