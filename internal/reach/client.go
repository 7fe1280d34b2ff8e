package reach

import (
	"bufio"
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
)

// turnClient asks a TURN server one thing after the other (RFC 8656). What it waits for ends with the deadline of its
// context; nothing runs beside it.
type turnClient struct {
	conn   net.Conn
	stream *bufio.Reader // nil over UDP
	until  time.Time

	user, password string
	realm          stun.Realm
	nonce          stun.Nonce
	key            stun.MessageIntegrity

	relay netip.AddrPort
	data  []received // what came through the relay while an answer was waited for; a few
}

// received is a packet that came through a relay.
type received struct {
	from   netip.AddrPort
	packet []byte
}

const largestMessage = 4096 // bytes of a STUN message we read

// refusal is an error response.
type refusal struct {
	code   stun.ErrorCode
	reason string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.reason) }

func newTURNClient(ctx context.Context, conn net.Conn, isStream bool, user, password string) *turnClient {
	c := &turnClient{conn: conn, user: user, password: password, until: time.Now().Add(probeWithin)}
	if isStream {
		c.stream = bufio.NewReaderSize(conn, largestMessage)
	}
	if end, ok := ctx.Deadline(); ok && end.Before(c.until) {
		c.until = end
	}
	_ = conn.SetDeadline(c.until)
	return c
}

// allocate gets a relayed address.
func (c *turnClient) allocate(ctx context.Context) error {
	udp := stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
	setters := []stun.Setter{udp}
	if at, err := netip.ParseAddrPort(c.conn.RemoteAddr().String()); err == nil && at.Addr().Unmap().Is6() {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: []byte{2, 0, 0, 0}})
	}
	answer, err := c.request(ctx, stun.MethodAllocate, setters...)
	var refused *refusal
	if len(setters) > 1 && errors.As(err, &refused) && refused.code == stun.CodeAddrFamilyNotSupported {
		answer, err = c.request(ctx, stun.MethodAllocate, udp) // reached by IPv6, relays by IPv4
	}
	if err != nil {
		return err
	}
	var relay stun.XORMappedAddress
	if err := relay.GetFromAs(answer, stun.AttrXORRelayedAddress); err != nil {
		return fmt.Errorf("it allocates no address: %w", err)
	}
	address, _ := netip.AddrFromSlice(relay.IP)
	c.relay = netip.AddrPortFrom(address.Unmap(), uint16(relay.Port))
	return nil
}

// permit lets packets pass to and from a host.
func (c *turnClient) permit(ctx context.Context, peer netip.AddrPort) error {
	_, err := c.request(ctx, stun.MethodCreatePermission, peerAddress(peer))
	return err
}

// release gives the allocation back, without waiting for the answer.
func (c *turnClient) release() {
	if !c.relay.IsValid() {
		return
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	lifetime := stun.RawAttribute{Type: stun.AttrLifetime, Value: make([]byte, 4)}
	if m, err := c.signed(stun.MethodRefresh, lifetime); err == nil {
		_, _ = c.conn.Write(m.Raw) // it expires by itself too
	}
}

func (c *turnClient) signed(method stun.Method, attributes ...stun.Setter) (*stun.Message, error) {
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)
	if c.key != nil {
		setters = append(setters, stun.NewUsername(c.user), c.realm, c.nonce, c.key)
	}
	return stun.Build(append(setters, stun.Fingerprint)...)
}

// request asks and answers the challenges that come first.
func (c *turnClient) request(ctx context.Context, method stun.Method, attributes ...stun.Setter) (*stun.Message, error) {
	for challenged := 0; ; challenged++ {
		m, err := c.signed(method, attributes...)
		if err != nil {
			return nil, err
		}
		answer, err := c.exchange(ctx, m)
		if err != nil {
			return nil, err
		}
		if answer.Type.Class == stun.ClassSuccessResponse {
			if c.key != nil && c.key.Check(answer) != nil {
				return nil, errors.New("its answer is signed with another secret")
			}
			return answer, nil
		}
		var code stun.ErrorCodeAttribute
		if err := code.GetFrom(answer); err != nil {
			return nil, fmt.Errorf("it refuses without a reason: %w", err)
		}
		first := code.Code == stun.CodeUnauthorized && c.key == nil
		if challenged > 2 || !first && code.Code != stun.CodeStaleNonce {
			return nil, &refusal{code.Code, clean(code.Reason)}
		}
		if c.realm.GetFrom(answer) != nil || c.nonce.GetFrom(answer) != nil {
			return nil, errors.New("its challenge lacks realm or nonce")
		}
		c.key = stun.NewLongTermIntegrity(c.user, c.realm.String(), c.password)
	}
}

// clean is a reason phrase as a log may have it.
func clean(reason []byte) string {
	out := make([]rune, 0, 64)
	for _, r := range string(reason) {
		if r >= ' ' && r < 127 && len(out) < 64 {
			out = append(out, r)
		}
	}
	return string(out)
}

// exchange sends a request, again and again over UDP, and returns its answer.
func (c *turnClient) exchange(ctx context.Context, m *stun.Message) (*stun.Message, error) {
	pauses := resends
	if c.stream != nil {
		pauses = []time.Duration{time.Until(c.until)}
	}
	var err error
	for _, pause := range pauses {
		if _, err = c.conn.Write(m.Raw); err != nil {
			return nil, err
		}
		var got *stun.Message
		for end := time.Now().Add(pause); ; {
			got, err = c.read(end)
			if err != nil {
				break
			}
			if got.TransactionID == m.TransactionID && got.Type.Class != stun.ClassIndication {
				return got, nil
			}
			c.keep(got)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err // refused by ICMP, or closed
		case !time.Now().Before(c.until):
			return nil, err
		}
	}
	return nil, err
}

// keep notes a Data indication.
func (c *turnClient) keep(m *stun.Message) {
	if m.Type != stun.NewType(stun.MethodData, stun.ClassIndication) || len(c.data) >= 16 {
		return
	}
	var peer stun.XORMappedAddress
	packet, err := m.Get(stun.AttrData)
	if err != nil || peer.GetFromAs(m, stun.AttrXORPeerAddress) != nil {
		return
	}
	from, _ := netip.AddrFromSlice(peer.IP)
	c.data = append(c.data, received{netip.AddrPortFrom(from.Unmap(), uint16(peer.Port)), packet})
}

// send relays a packet in an indication, which has no answer.
func (c *turnClient) send(peer netip.AddrPort, packet []byte) error {
	m, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peerAddress(peer),
		stun.RawAttribute{Type: stun.AttrData, Value: packet}, stun.Fingerprint)
	if err != nil {
		return err
	}
	_, err = c.conn.Write(m.Raw)
	return err
}

// receive returns the next packet that came through the relay until a time.
func (c *turnClient) receive(until time.Time) (received, error) {
	for len(c.data) == 0 {
		m, err := c.read(until)
		if err != nil {
			return received{}, err
		}
		c.keep(m)
	}
	first := c.data[0]
	c.data = c.data[1:]
	return first, nil
}

// read returns the next STUN message; what is none ends a stream, and is passed over between datagrams.
func (c *turnClient) read(until time.Time) (*stun.Message, error) {
	if c.until.Before(until) {
		until = c.until
	}
	_ = c.conn.SetReadDeadline(until)
	for {
		raw := make([]byte, largestMessage)
		var n int
		var err error
		if c.stream == nil {
			n, err = c.conn.Read(raw)
		} else {
			n, err = c.frame(raw)
		}
		if err != nil {
			return nil, err
		}
		m := &stun.Message{Raw: raw[:n]}
		if err := m.Decode(); err == nil {
			return m, nil
		} else if c.stream != nil {
			return nil, fmt.Errorf("it does not speak STUN: %w", err)
		}
	}
}

// frame reads one message off the stream. We bind no channels, so there is nothing else.
func (c *turnClient) frame(into []byte) (int, error) {
	head, err := c.stream.Peek(20)
	if err != nil {
		return 0, err
	}
	size := 20 + int(binary.BigEndian.Uint16(head[2:]))
	if head[0] >= 0x40 || size > len(into) {
		return 0, errors.New("it does not speak STUN")
	}
	return io.ReadFull(c.stream, into[:size])
}

type peerAddress netip.AddrPort

func (p peerAddress) AddTo(m *stun.Message) error {
	at := netip.AddrPort(p)
	return stun.XORMappedAddress{IP: at.Addr().AsSlice(), Port: int(at.Port())}.AddToAs(m, stun.AttrXORPeerAddress)
}
