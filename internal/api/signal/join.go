package signal

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"tertulia/internal/api/jsonrpc"
	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

const (
	// sitTimeout bounds a join or resumption; the client gives up after 10 s.
	sitTimeout = 10 * time.Second

	maxMetadata = 64 << 10 // bytes: every participant is sent it
	maxPlatform = 256
	maxSDK      = 64
)

// join is joinRoom. The outbox answers it, as its first message.
func (c *socket) join(ctx context.Context, m jsonrpc.Message, p *openvidu.JoinRoom) error {
	switch {
	case c.place() != nil:
		return openvidu.Refuse(openvidu.CodeUserExists, "this socket has joined already; use another one for another connection")
	case c.server.failed.exhausted(c.from.group()):
		return fault.New(fault.RateLimited, "too many joins from your address have failed; wait a minute")
	case len(p.Metadata) > maxMetadata:
		return fault.New(fault.TooLarge, "parameter metadata has %d bytes; %d are allowed", len(p.Metadata), maxMetadata)
	}
	id, r, j := c.admission(p)
	if err := c.await(m); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, sitTimeout)
	defer cancel()
	seat, err := c.server.cfg.Sessions.Join(limited, id, string(m.ID), j)
	if err != nil {
		c.awaited(string(m.ID))
		if p.Secret != "" && !j.Insecure || fault.Is(err, fault.TokenInvalid) {
			c.server.failed.count(c.from.group())
		}
		return err
	}
	c.log.Info("joined", "session", seat.Session, "connection", seat.Connection, "platform", j.Platform, "sdk", j.SDKVersion)
	if err := c.sit(seat, r); err != nil {
		return err
	}
	c.running.Go(func() { c.pump(ctx, seat) })
	return nil
}

// admission turns the parameters of joinRoom into the session's id and command.
func (c *socket) admission(p *openvidu.JoinRoom) (id string, r release, j session.Join) {
	token := openvidu.ParseToken(p.Token)
	id, isURL := openvidu.ParseSession(p.Session)
	if id == "" {
		id = token.Session
	}
	secret := p.Secret
	if secret == "" {
		secret = token.Secret
	}
	r = release{
		platform: cut(p.Platform, maxPlatform), sdk: cut(p.SDKVersion, maxSDK), query: c.from.query,
		first: c.from.first || isURL,
	}
	j = session.Join{
		Token: token.Token, ClientData: p.Metadata, Platform: r.platform, SDKVersion: r.sdk,
		Address: c.from.address.String(), FinalUserID: c.from.userID, Loopback: c.from.loopback,
		CommonMsid: r.upTo24(), ServerOffers: r.mediaServer(c.server.cfg.MediaServer) == "mediasoup",
	}
	if c.server.knows(secret) {
		j.Token, j.Insecure, j.LegacyRole = "", true, r.upTo215()
		j.Recorder = p.Recorder || token.Recorder
		j.SpeechToText = p.SpeechToText || token.SpeechToText
		if j.Recorder || j.SpeechToText {
			j.FinalUserID = ""
		}
	}
	return id, r, j
}

// knows compares a secret with the server's, in constant time; without one nobody knows it.
func (s *Server) knows(secret string) bool {
	return s.cfg.Secret != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(s.cfg.Secret)) == 1
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// sit takes a seat, which is given back when the socket ends.
func (c *socket) sit(seat *Seat, r release) error {
	c.mu.Lock()
	taken := c.seat != nil
	if !taken {
		c.seat, c.release, c.raw = seat, r, r.upTo24()
	}
	c.mu.Unlock()
	if taken { // joinRoom and connect at once: no client does it
		seat.Detach()
		return fault.New(fault.ConnectionClosed, "this socket has joined already")
	}
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
		return c.conn.Reply(m.ID, openvidu.Value{Value: "OK"})
	case p.SessionID == "":
		return c.conn.Reply(m.ID, openvidu.Value{Value: "OK", SessionID: seat.RPC})
	case seat != nil && seat.RPC != p.SessionID:
		return fault.New(fault.ReconnectionUnknown, "this socket belongs to another RPC session")
	}
	again := "reconnection successful"
	if seat != nil {
		return c.conn.Reply(m.ID, openvidu.Value{Value: again, SessionID: seat.RPC})
	}
	limited, cancel := context.WithTimeout(ctx, sitTimeout)
	defer cancel()
	seat, err := c.server.cfg.Sessions.Resume(limited, p.SessionID)
	if err != nil {
		return err
	}
	if err := c.sit(seat, releaseOf(seat.Self)); err != nil {
		return err
	}
	c.log.Info("resumed", "session", seat.Session, "connection", seat.Connection)
	c.conn.Reply(m.ID, openvidu.Value{Value: again, SessionID: seat.RPC})
	c.running.Go(func() { c.pump(ctx, seat) })
	return nil
}
