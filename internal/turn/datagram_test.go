package turn

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"

	"tertulia/internal/media/socket"
)

// serveUDP serves a real loopback port until the test, or stop, ends.
func serveUDP(t *testing.T, server *Server) (address netip.AddrPort, stop func()) {
	t.Helper()
	conns, err := socket.ListenShards(t.Context(), "127.0.0.1:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	for _, c := range conns {
		serving.Go(func() {
			if err := server.ServeUDP(ctx, c); err != nil {
				t.Errorf("ServeUDP: %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); serving.Wait() })
	t.Cleanup(stop)
	return conns[0].LocalAddr(), stop
}

func pionClientUDP(t *testing.T, address, user, password string) *pion.Client {
	t.Helper()
	local, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	c, err := pion.NewClient(&pion.ClientConfig{TURNServerAddr: address, STUNServerAddr: address, Conn: local, Username: user, Password: password})
	if err == nil {
		err = c.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestPionClientRelaysOverUDP(t *testing.T) {
	server, media := newServer(t, Limits{})
	address, stop := serveUDP(t, server)
	credential := server.Credentials("ses_A", "con_A", "h")[0]
	for range 3 { // several clients, so that both sockets have some
		c := pionClientUDP(t, address.String(), credential.Username, credential.Credential)
		if mapped, err := c.SendBindingRequest(); err != nil || !strings.HasPrefix(mapped.String(), "127.0.0.1:") {
			t.Errorf("Binding: %v, %v", mapped, err)
		}
		open := sockets(t)
		relay, err := c.Allocate()
		if err != nil {
			t.Fatal(err)
		}
		if got := sockets(t); got != open {
			t.Errorf("the allocation opened %d sockets", got-open)
		}
		for range 50 { // the first in a Send indication, then on a channel
			exchange(t, relay, media)
		}
		if err := c.CreatePermission(net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.1:80"))); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("permission for a private address: %v, want 403", err)
		}
		_ = relay.Close()
		c.Close()
	}
	left := pionClientUDP(t, address.String(), credential.Username, credential.Credential)
	if _, err := left.Allocate(); err != nil {
		t.Fatal(err)
	}
	if _, err := pionClientUDP(t, address.String(), credential.Username, "wrong").Allocate(); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong password: %v, want 401", err)
	}
	left.Close()
	stop()
	if now := server.Stats(); now.Allocations != 0 || len(server.relays) != 0 || len(media.forgotten) != 4 || now.Unauthorized != 1 {
		t.Errorf("left behind: %+v, %v, forgotten %v", now, server.relays, media.forgotten)
	}
}

// wire is a socket.Conn in memory: in are datagrams for us, out what we sent.
type wire struct {
	in, out  chan socket.Message
	closed   chan struct{}
	once     sync.Once
	mu       sync.Mutex
	deadline time.Time
}

func newWire() *wire {
	return &wire{in: make(chan socket.Message), out: make(chan socket.Message, 1000), closed: make(chan struct{})}
}

func (w *wire) ReadBatch(ms []socket.Message, _ bool) (int, error) {
	w.mu.Lock()
	timer := time.NewTimer(time.Until(w.deadline))
	w.mu.Unlock()
	defer timer.Stop()
	select {
	case ms[0] = <-w.in:
		return 1, nil
	case <-timer.C:
		return 0, os.ErrDeadlineExceeded
	case <-w.closed:
		return 0, net.ErrClosed
	}
}

func (w *wire) WriteBatch(ms []socket.Message) int {
	for _, m := range ms {
		m.Buf = append([]byte(nil), m.Buf...)
		select {
		case w.out <- m:
		default:
		}
	}
	return 0
}

func (w *wire) SetReadDeadline(at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = at
	return nil
}
func (w *wire) LocalAddr() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:3478") }
func (w *wire) Close() error              { w.once.Do(func() { close(w.closed) }); return nil }

var ourAddress = netip.MustParseAddr("192.0.2.1")

// tell sends a datagram from an address and waits until it has been handled: the next one is only taken then.
func (w *wire) tell(from string, datagram []byte) {
	w.in <- socket.Message{Buf: datagram, Remote: netip.MustParseAddrPort(from), Local: ourAddress}
	w.in <- socket.Message{Buf: []byte{0xff, 0, 0, 0}, Remote: netip.MustParseAddrPort(from), Local: ourAddress}
}

// ask sends a request and returns the answer, nil if there is none.
func (w *wire) ask(t *testing.T, from string, method stun.Method, attributes ...stun.Setter) *stun.Message {
	t.Helper()
	return w.send(t, from, stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)...).Raw)
}

func (w *wire) send(t *testing.T, from string, datagram []byte) *stun.Message {
	t.Helper()
	w.tell(from, datagram)
	synctest.Wait()
	select {
	case got := <-w.out:
		if got.Remote.String() != from || got.Local != ourAddress {
			t.Errorf("an answer for %s left from %s to %s", from, got.Local, got.Remote)
		}
		m := &stun.Message{Raw: got.Buf}
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		return m
	default:
		return nil
	}
}

// signed is what a client adds to its requests.
func signed(server *Server, nonce stun.Nonce) []stun.Setter {
	credential := server.Credentials("ses_A", "con_A", "h")[0]
	return []stun.Setter{stun.NewUsername(credential.Username), stun.NewRealm("tertulia"), nonce,
		stun.NewLongTermIntegrity(credential.Username, "tertulia", credential.Credential)}
}

var overUDP = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}

// bubble serves a wire in fake time.
func bubble(t *testing.T, limits Limits, test func(t *testing.T, server *Server, media *echo, w *wire)) {
	synctest.Test(t, func(t *testing.T) {
		server, media := newServer(t, limits)
		w := newWire()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.ServeUDP(ctx, w) }()
		test(t, server, media, w)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ServeUDP: %v", err)
		}
		if now := server.Stats(); now.Allocations != 0 {
			t.Errorf("left behind: %+v", now)
		}
	})
}

func TestADatagramsClient(t *testing.T) {
	bubble(t, Limits{}, func(t *testing.T, server *Server, media *echo, w *wire) {
		const me, other = "198.51.100.9:5000", "198.51.100.9:5001"
		var nonce stun.Nonce
		refusal := w.ask(t, me, stun.MethodAllocate, overUDP)
		want(t, "Allocate unsigned", refusal, stun.CodeUnauthorized)
		if err := nonce.GetFrom(refusal); err != nil {
			t.Fatal(err)
		}
		request := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP}, signed(server, nonce)...)...).Raw
		want(t, "Allocate with a nonce of another port", w.send(t, other, request), stun.CodeStaleNonce)
		first := w.send(t, me, request)
		want(t, "Allocate", first, 0)
		again := w.send(t, me, request)
		want(t, "Allocate, sent again", again, 0)
		for _, kind := range []stun.AttrType{stun.AttrXORRelayedAddress, stun.AttrLifetime} {
			a, _ := first.Get(kind)
			if b, _ := again.Get(kind); string(a) != string(b) {
				t.Errorf("the second answer has another %s", kind)
			}
		}
		want(t, "another Allocate", w.ask(t, me, stun.MethodAllocate, append([]stun.Setter{overUDP}, signed(server, nonce)...)...), stun.CodeAllocMismatch)
		want(t, "ChannelBind", w.ask(t, me, stun.MethodChannelBind, append([]stun.Setter{channelNumber(0), peer(mediaAt)}, signed(server, nonce)...)...), 0)

		for _, size := range []int{0, 1, 1200, 1401} {
			frame := append([]byte{0x40, 0, byte(size >> 8), byte(size)}, make([]byte, size)...)
			w.tell(me, append(frame, 0, 0, 0)) // padding is allowed
			synctest.Wait()
			if got := <-w.out; string(got.Buf) != string(frame) || got.Remote.String() != me {
				t.Errorf("%d bytes came back as %d to %s", len(frame), len(got.Buf), got.Remote)
			}
		}
		w.tell(other, []byte{0x40, 0, 0, 1, 'x'})           // no client of ours
		w.tell(me, []byte{0x40, 0, 0xff, 0xff, 'x'})        // says more than it has
		w.tell(me, []byte{0x40, 1, 0, 1, 'x'})              // not bound
		w.tell(me, []byte("GET / HTTP/1.1"))                // not ours
		w.tell(me, append(make([]byte, 20), "\x00\x01"...)) // no cookie
		synctest.Wait()
		if got := len(media.packets()); got != 4 || len(w.out) != 0 {
			t.Errorf("media got %d packets, the client %d", got, len(w.out))
		}
		want(t, "Refresh to nothing", w.ask(t, me, stun.MethodRefresh, append([]stun.Setter{addLifetime(0)}, signed(server, nonce)...)...), 0)
		if len(media.forgotten) != 1 {
			t.Error("the relay lives on")
		}
	})
}

// A guesser, or somebody who uses a client's address, does not end its allocation.
func TestForgedDatagramsEndNothing(t *testing.T) {
	bubble(t, Limits{}, func(t *testing.T, server *Server, _ *echo, w *wire) {
		const me = "198.51.100.9:5000"
		nonce := stun.NewNonce(server.nonce(netip.MustParseAddrPort(me), time.Now()))
		want(t, "Allocate", w.ask(t, me, stun.MethodAllocate, append([]stun.Setter{overUDP}, signed(server, nonce)...)...), 0)
		wrong := signed(server, nonce)
		wrong[3] = stun.NewLongTermIntegrity("u", "tertulia", "guess")
		for range 3 * maxAuthErrors {
			want(t, "a guess", w.ask(t, me, stun.MethodRefresh, append([]stun.Setter{addLifetime(0)}, wrong...)...), stun.CodeUnauthorized)
		}
		want(t, "Refresh", w.ask(t, me, stun.MethodRefresh, signed(server, nonce)...), 0)
	})
}

// Silent clients' allocations end in time, and quotas hold for UDP too.
func TestDatagramAllocationsEnd(t *testing.T) {
	bubble(t, Limits{PerAddress: 1}, func(t *testing.T, server *Server, media *echo, w *wire) {
		make := func(from string) *stun.Message {
			nonce := stun.NewNonce(server.nonce(netip.MustParseAddrPort(from), time.Now()))
			return w.ask(t, from, stun.MethodAllocate, append([]stun.Setter{overUDP}, signed(server, nonce)...)...)
		}
		want(t, "Allocate", make("198.51.100.9:5000"), 0)
		want(t, "one too many", make("198.51.100.9:5001"), stun.CodeAllocQuotaReached)
		want(t, "from elsewhere", make("198.51.100.10:5001"), 0)
		time.Sleep(defaultLifetime + 2*sweepEvery)
		synctest.Wait()
		if got := server.Stats().Allocations; got != 0 || len(media.forgotten) != 2 {
			t.Errorf("%d allocations after their time", got)
		}
		want(t, "Allocate again", make("198.51.100.9:5000"), 0)
	})
}

// What we can be made to send to an address that somebody else only claims to have is little, and nothing is kept of it.
func TestStrangersAreAnsweredLittle(t *testing.T) {
	bubble(t, Limits{}, func(t *testing.T, server *Server, _ *echo, w *wire) {
		const victim = "198.51.100.9:5000"
		for name, request := range map[string]*stun.Message{
			"Binding":  stun.MustBuild(stun.TransactionID, stun.BindingRequest),
			"Allocate": stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP),
			"Refresh":  stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest)),
			"unknown":  stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.RawAttribute{Type: 0x7fff, Value: []byte{1}}),
			"Allocate with a fingerprint": stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP,
				stun.Fingerprint),
		} {
			answer := w.send(t, victim, request.Raw)
			if answer == nil || len(answer.Raw) > 3*len(request.Raw) || len(answer.Raw) > 68 {
				t.Errorf("%s: %d bytes are answered with %v", name, len(request.Raw), answer)
			}
		}
		answers := 0
		for range 2 * strangerBurst {
			if w.ask(t, victim, stun.MethodAllocate, overUDP) != nil {
				answers++
			}
		}
		if answers > strangerBurst || answers < strangerBurst/2 {
			t.Errorf("%d of %d were answered at once, want %d at most", answers, 2*strangerBurst, strangerBurst)
		}
		if w.ask(t, "198.51.100.10:5000", stun.MethodAllocate, overUDP) == nil {
			t.Error("others are not answered any more")
		}
		time.Sleep(time.Second)
		if w.ask(t, victim, stun.MethodAllocate, overUDP) == nil {
			t.Error("nor is the first after a second")
		}
	})
}

func TestABrokenPortEnds(t *testing.T) {
	server, _ := newServer(t, Limits{})
	w := newWire()
	_ = w.Close()
	if err := server.ServeUDP(t.Context(), w); err == nil {
		t.Error("a socket that others have closed is no error")
	}
}

// FuzzDatagram: whatever comes, nothing panics, media sees only what is for it, and no answer grows.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{0x40, 0, 0, 3, 'a', 'b', 'c'})
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.Fingerprint).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peer(mediaAt), stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")}).Raw)
	f.Fuzz(func(t *testing.T, sent []byte) {
		server, media := newServer(t, Limits{})
		p := &port{server: server, out: newDatagrams(), clients: map[tuple]*conn{}, strangers: newMeters(1e6, 1e6), message: stun.New()}
		m := &socket.Message{Buf: sent, Remote: netip.MustParseAddrPort("198.51.100.9:5000"), Local: ourAddress}
		p.take(t.Context(), m)
		if batch, _ := p.out.take(queue{}); len(batch.bytes) > 3*len(sent)+20 {
			t.Errorf("%d bytes are answered with %d", len(sent), len(batch.bytes))
		}
		c := newConn(server, m.Remote, addressed{p.out, tuple{m.Remote, m.Local}})
		relay, _, _ := server.reserve("u", m.Remote.Addr(), ipv4)
		c.allocation = newAllocation(server, c.out, "u", nil, relay, time.Now().Add(time.Hour))
		c.allocation.bind(firstChannel, mediaAt, time.Now())
		p.clients[tuple{m.Remote, m.Local}] = c
		p.take(t.Context(), m)
		for _, packet := range media.packets() {
			if !strings.Contains(packet, ">"+mediaAt.String()+" ") && !strings.Contains(packet, ">"+mediaAt6.String()+" ") {
				t.Errorf("media was given %q", packet)
			}
		}
	})
}
