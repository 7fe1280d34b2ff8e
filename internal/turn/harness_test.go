package turn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/pion/stun/v4"
)

var (
	mediaAt  = netip.MustParseAddrPort("203.0.113.5:4443")
	mediaAt6 = netip.MustParseAddrPort("[2001:db8::5]:4443")
)

// echo is a media node that sends every packet back from where it was sent to.
type echo struct {
	mu        sync.Mutex
	silent    bool
	reply     func(netip.AddrPort, []byte) // of the latest relay
	seen      []string                     // "relay>to packet"
	forgotten []netip.AddrPort
}

func (e *echo) open(relay netip.AddrPort, reply func(netip.AddrPort, []byte)) Relay {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reply = reply
	return echoRelay{e, relay, reply}
}

type echoRelay struct {
	*echo
	address netip.AddrPort
	reply   func(netip.AddrPort, []byte)
}

func (r echoRelay) Packet(_ context.Context, to netip.AddrPort, packet []byte) error {
	if string(packet) == "refuse this" {
		return errors.New("refused")
	}
	r.mu.Lock()
	r.seen = append(r.seen, r.address.String()+">"+to.String()+" "+string(packet))
	silent := r.silent
	r.mu.Unlock()
	if !silent {
		r.reply(to, packet)
	}
	return nil
}

func (r echoRelay) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten = append(r.forgotten, r.address)
}

func (e *echo) packets() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.seen...)
}

func newServer(t testing.TB, limits Limits) (*Server, *echo) {
	t.Helper()
	media := &echo{}
	server, err := New(Config{
		Secret: "0123456789abcdef", Node: "node1", OpenRelay: media.open, Limits: limits,
		MediaAddresses: func() []netip.AddrPort { return []netip.AddrPort{mediaAt, mediaAt6} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return server, media
}

// pipe is one end of an in-memory connection that has addresses.
type pipe struct {
	net.Conn
	remote net.Addr
}

func (p pipe) RemoteAddr() net.Addr { return p.remote }

// client speaks raw STUN to a served connection.
type client struct {
	t      testing.TB
	stream net.Conn
	in     *frames
	user   string
	key    stun.MessageIntegrity
	nonce  stun.Nonce
	ended  chan error // what ServeConn returned
}

// dial serves an in-memory connection that comes from an address.
func dial(t testing.TB, server *Server, from string) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &client{t: t, stream: theirs, in: newFrames(theirs), ended: make(chan error, 1)}
	remote := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))
	go func() { c.ended <- server.ServeConn(context.Background(), pipe{ours, remote}) }()
	t.Cleanup(func() { _ = theirs.Close() })
	return c
}

// as makes the client use a credential, challenged first.
func (c *client) as(server *Server, user, password string) *client {
	c.t.Helper()
	response := c.ask(stun.MethodAllocate, stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}})
	if codeOf(response) != stun.CodeUnauthorized {
		c.t.Fatalf("a request without credential: %v", response)
	}
	if err := c.nonce.GetFrom(response); err != nil {
		c.t.Fatal(err)
	}
	c.user, c.key = user, stun.NewLongTermIntegrity(user, server.config.Realm, password)
	return c
}

// joined is a client with a good credential.
func joined(t testing.TB, server *Server, from string) *client {
	t.Helper()
	credential := server.Credentials("ses_A", "con_A", "host:4443")[0]
	return dial(t, server, from).as(server, credential.Username, credential.Credential)
}

// ask sends a request and returns the answer, whose integrity is checked when there is any.
func (c *client) ask(method stun.Method, attributes ...stun.Setter) *stun.Message {
	c.t.Helper()
	c.tell(method, stun.ClassRequest, attributes...)
	response := c.read()
	if response.Contains(stun.AttrMessageIntegrity) {
		if err := c.key.Check(response); err != nil {
			c.t.Fatal(err)
		}
	}
	return response
}

func (c *client) tell(method stun.Method, class stun.MessageClass, attributes ...stun.Setter) {
	c.t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, class)}, attributes...)
	if c.key != nil && class == stun.ClassRequest {
		setters = append(setters, stun.NewUsername(c.user), stun.NewRealm("tertulia"), c.nonce, c.key)
	}
	if _, err := c.stream.Write(stun.MustBuild(setters...).Raw); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() *stun.Message {
	c.t.Helper()
	frame, err := c.in.next()
	if err != nil {
		c.t.Fatal(err)
	}
	m := &stun.Message{Raw: append([]byte(nil), frame...)}
	if err := m.Decode(); err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *client) allocate(more ...stun.Setter) *stun.Message {
	c.t.Helper()
	return c.ask(stun.MethodAllocate, append(more, stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}})...)
}

// relayed is a client with an allocation.
func relayed(t testing.TB, server *Server, from string) (*client, netip.AddrPort) {
	t.Helper()
	c := joined(t, server, from)
	response := c.allocate()
	value, err := response.Get(stun.AttrXORRelayedAddress)
	if err != nil {
		t.Fatalf("no allocation: %v", response)
	}
	relay, _ := xorAddress(value, response.TransactionID)
	return c, relay
}

func peer(at netip.AddrPort) stun.Setter { return addAddress{stun.AttrXORPeerAddress, at} }

func channelNumber(n byte) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{0x40, n, 0, 0}}
}

// codeOf is an answer's error code, 0 for success.
func codeOf(m *stun.Message) stun.ErrorCode {
	var attribute stun.ErrorCodeAttribute
	if attribute.GetFrom(m) != nil {
		return 0
	}
	return attribute.Code
}

func want(t *testing.T, what string, response *stun.Message, code stun.ErrorCode) {
	t.Helper()
	if got := codeOf(response); got != code {
		t.Errorf("%s: answered %d, want %d", what, got, code)
	}
}
