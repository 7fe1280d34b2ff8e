package turn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pion/stun/v4"
	"golang.org/x/time/rate"
)

const (
	maxAuthErrors = 5 // wrong credentials on one connection before it is closed
	// Requests, unlike packets, cost us signatures. A client makes some dozens at the start of a call.
	requestRate, requestBurst = 50, 300
)

// outlet takes what goes to one client, as a frame of two parts, and copies it; false says it was dropped.
type outlet interface {
	put(head, body []byte) bool
}

// conn is one client: a connection, or a 5-tuple of UDP. One goroutine owns all of it but the outlet and the allocation's
// tables.
type conn struct {
	server *Server
	client netip.AddrPort
	out    outlet
	terse  bool // over UDP: whoever claims another's address sends them little (datagram.go)

	began       time.Time
	authErrors  int
	requests    *rate.Limiter // nil: the caller has a limit of its own
	message     *stun.Message // scratch
	allocation  *allocation   // nil before Allocate and after its end
	allocatedBy [stun.TransactionIDSize]byte
}

func newConn(s *Server, client netip.AddrPort, out outlet) *conn {
	return &conn{
		server: s, client: client, out: out, began: time.Now(),
		requests: newRequests(), message: stun.New(),
	}
}

func newRequests() *rate.Limiter { return rate.NewLimiter(requestRate, requestBurst) }

func addressOf(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}

// serve handles a stream's frames until it ends; nil when the client ended it, or its time ran out.
func (c *conn) serve(ctx context.Context, stream net.Conn) error {
	in := newFrames(stream)
	for {
		if err := stream.SetReadDeadline(c.deadline()); err != nil {
			return nil
		}
		frame, err := in.next()
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err == nil {
			err = c.handle(ctx, frame)
		}
		if err != nil {
			return err
		}
	}
}

// deadline is when the connection ends unless the client makes or refreshes its allocation.
func (c *conn) deadline() time.Time {
	if c.allocation != nil {
		return c.allocation.expires
	}
	return c.began.Add(c.server.config.Limits.Unallocated)
}

// handle takes one frame; an error closes the connection.
func (c *conn) handle(ctx context.Context, frame []byte) error {
	if first := binary.BigEndian.Uint16(frame); isChannel(first) {
		c.channelData(ctx, first, frame[channelHeader:])
		return nil
	}
	m := c.message
	m.Raw = append(m.Raw[:0], frame...)
	if err := m.Decode(); err != nil {
		return fmt.Errorf("a malformed STUN message: %w", err)
	}
	switch {
	case m.Type.Class == stun.ClassIndication && m.Type.Method == stun.MethodSend:
		c.send(ctx, m)
		return nil
	case m.Type.Class != stun.ClassRequest:
		return nil // other indications are ignored, we never ask (RFC 8489 §6.3)
	case c.requests != nil && !c.requests.Allow():
		return fmt.Errorf("more than %d requests per second", requestRate)
	}
	return c.request(m)
}

// request answers one; the error closes the connection after the answer.
func (c *conn) request(m *stun.Message) error {
	if unknown := notUnderstood(m); len(unknown) > 0 {
		return c.respond(m, refuse(stun.CodeUnknownAttribute, unknown), nil)
	}
	if m.Type.Method == stun.MethodBinding {
		return c.respond(m, accept(addAddress{stun.AttrXORMappedAddress, c.client}), nil)
	}
	user, key, refusal := c.authenticate(m, time.Now())
	if refusal != nil {
		if err := c.respond(m, *refusal, nil); err != nil || c.authErrors < maxAuthErrors {
			return err
		}
		return fmt.Errorf("%d wrong credentials", c.authErrors)
	}
	return c.respond(m, c.turn(m, user, key), key)
}

// authenticate checks a request's long-term credential (RFC 8489 §9.2.4). Its time and its key's are not looked at again
// once it has made the allocation, or calls would end after a day.
func (c *conn) authenticate(m *stun.Message, now time.Time) (user string, key stun.MessageIntegrity, refusal *answer) {
	challenge := func(code stun.ErrorCode) *answer {
		a := refuse(code, stun.NewRealm(c.server.config.Realm), stun.NewNonce(c.server.nonce(c.client, now)))
		return &a
	}
	if !m.Contains(stun.AttrMessageIntegrity) {
		return "", nil, challenge(stun.CodeUnauthorized)
	}
	var name stun.Username
	var nonce stun.Nonce
	if name.GetFrom(m) != nil || nonce.GetFrom(m) != nil || !m.Contains(stun.AttrRealm) {
		a := refuse(stun.CodeBadRequest)
		return "", nil, &a
	}
	if !c.server.fresh(nonce, c.client, now) {
		return "", nil, challenge(stun.CodeStaleNonce)
	}
	user = name.String()
	if a := c.allocation; a != nil && a.user == user && a.key.Check(m) == nil {
		return user, a.key, nil
	}
	key = c.server.authentic(m, user, now)
	if key == nil {
		c.authErrors++
		c.server.unauthorized.Add(1)
		return "", nil, challenge(stun.CodeUnauthorized)
	}
	return user, key, nil
}

// respond writes an answer; with a key it is signed.
func (c *conn) respond(m *stun.Message, a answer, key stun.MessageIntegrity) error {
	class := stun.ClassSuccessResponse
	setters := []stun.Setter{stun.NewTransactionIDSetter(m.TransactionID), nil}
	switch {
	case a.code != 0 && c.terse:
		class = stun.ClassErrorResponse
		setters = append(setters, stun.ErrorCodeAttribute{Code: a.code})
	case a.code != 0:
		class = stun.ClassErrorResponse
		setters = append(setters, a.code)
	}
	setters[1] = stun.NewType(m.Type.Method, class)
	setters = append(setters, a.attributes...)
	if key != nil {
		setters = append(setters, key)
	}
	if !c.terse || m.Contains(stun.AttrFingerprint) {
		setters = append(setters, stun.Fingerprint)
	}
	response, err := stun.Build(setters...)
	if err != nil {
		return fmt.Errorf("answer a %s: %w", m.Type.Method, err)
	}
	if !c.out.put(response.Raw, nil) {
		return errors.New("the client does not read what waits for it")
	}
	return nil
}

// release ends the allocation, if there is one.
func (c *conn) release() {
	if a := c.allocation; a != nil {
		c.allocation = nil
		a.end()
		a.media.Close()
		c.server.free(a.relay, a.user, c.client.Addr())
		c.server.config.Log.Debug("TURN allocation ended", "client", c.client, "relay", a.relay)
		c.began = time.Now() // the time without an allocation counts from here
	}
}
