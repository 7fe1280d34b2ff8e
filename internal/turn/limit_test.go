package turn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
)

func TestQuotas(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		from   string // of the one that is refused
		user   string
	}{
		"all":         {Limits{Allocations: 2}, "192.0.2.1:1", "con_C"},
		"one user":    {Limits{PerUser: 2}, "192.0.2.1:1", "con_A"},
		"one address": {Limits{PerAddress: 2}, "198.51.100.9:1", "con_C"},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := newServer(t, c.limits)
			first, _ := relayed(t, server, "198.51.100.9:5000")
			relayed(t, server, "198.51.100.9:5001")
			credential := server.Credentials("ses_A", c.user, "h")[0]
			late := dial(t, server, c.from).as(server, credential.Username, credential.Credential)
			want(t, "one too many", late.allocate(), stun.CodeAllocQuotaReached)
			_ = first.stream.Close()
			<-first.ended
			want(t, "after another ended", late.allocate(), 0)
			if server.Stats().OverQuota != 1 {
				t.Errorf("counted %d", server.Stats().OverQuota)
			}
		})
	}
}

func TestAnIPv6NetworkCountsAsOneAddress(t *testing.T) {
	server, _ := newServer(t, Limits{PerAddress: 1})
	relayed(t, server, "[2001:db8:1:2::1]:1")
	want(t, "the same /64", joined(t, server, "[2001:db8:1:2:ffff::1]:1").allocate(), stun.CodeAllocQuotaReached)
	want(t, "another /64", joined(t, server, "[2001:db8:1:3::1]:1").allocate(), 0)
}

func TestRelayedAddressesAreUnique(t *testing.T) {
	server, _ := newServer(t, Limits{Allocations: 1 << 20, PerUser: 1 << 20, PerAddress: 1 << 20})
	client, seen := netip.MustParseAddr("192.0.2.1"), map[netip.AddrPort]bool{}
	own := netip.AddrPortFrom(mediaAt.Addr(), firstPort+5)
	server.config.MediaAddresses = func() []netip.AddrPort { return []netip.AddrPort{own} }
	const most = lastPort - firstPort // one port is our media's
	for range most {
		relay, _, ok := server.reserve("u", client, ipv4)
		if !ok || seen[relay] || relay == own || relay.Port() < firstPort || relay.Port() > lastPort {
			t.Fatalf("after %d: %v, %v", len(seen), relay, ok)
		}
		seen[relay] = true
	}
	if relay, _, ok := server.reserve("u", client, ipv4); ok {
		t.Errorf("one more: %v", relay)
	}
	for relay := range seen {
		server.free(relay, "u", client)
	}
	if len(server.relays)+len(server.perUser)+len(server.perAddress) != 0 || server.Stats().Allocations != 0 {
		t.Errorf("left behind: %v %v", server.perUser, server.perAddress)
	}
}

// A client that stops reading loses packets, then its connection; whoever sends to it never waits.
func TestASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, media := newServer(t, Limits{Queue: 4 << 10})
		client, _ := relayed(t, server, "198.51.100.9:5000")
		want(t, "bind", client.ask(stun.MethodChannelBind, channelNumber(0), peer(mediaAt)), 0)
		began := time.Now()
		for range 100 {
			media.reply(mediaAt, make([]byte, 1000))
		}
		if time.Since(began) != 0 {
			t.Error("the sender waited")
		}
		now := server.Stats()
		if now.FromMedia+now.Dropped != 100 || now.FromMedia > 9 || now.FromMedia < 4 {
			t.Errorf("of 100 packets %d were kept, %d dropped", now.FromMedia, now.Dropped)
		}
		<-client.ended
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the connection ended after %v, want 10 s", took)
		}
		media.reply(mediaAt, []byte("x"))
	})
}

func TestAClientThatAsksAndDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := newServer(t, Limits{Queue: 200})
		client := dial(t, server, "198.51.100.9:5000")
		request := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
		for range 20 {
			if _, err := client.stream.Write(request); err != nil {
				break
			}
		}
		if err := <-client.ended; err == nil {
			t.Error("it was let go on")
		}
	})
}

func TestRequestsHaveARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := newServer(t, Limits{})
		client := dial(t, server, "198.51.100.9:5000")
		for range requestBurst {
			want(t, "Binding", client.ask(stun.MethodBinding), 0)
		}
		time.Sleep(time.Second)
		for range requestRate {
			want(t, "Binding", client.ask(stun.MethodBinding), 0)
		}
		client.tell(stun.MethodBinding, stun.ClassRequest)
		if err := <-client.ended; err == nil {
			t.Error("one more was let through")
		}
	})
}

func TestStreamsThatAreNotTURN(t *testing.T) {
	for name, c := range map[string]struct {
		sent   []byte
		reason error // nil for any
	}{
		"HTTP":                    {[]byte("GET / HTTP/1.1\r\n\r\n"), nil},
		"a reserved channel":      {[]byte{0x50, 0, 0, 0}, errFrame},
		"a length that is odd":    {[]byte{0, 1, 0, 1}, errFrame},
		"a length that overflows": {[]byte{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, nil},
		"a huge channel":          {[]byte{0x40, 0, 0xff, 0xff}, nil},
		"no cookie":               {make([]byte, 20), nil},
		"half a message":          {stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw[:10], io.ErrUnexpectedEOF},
		"half a header":           {[]byte{0, 1}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := newServer(t, Limits{})
			client := dial(t, server, "198.51.100.9:5000")
			go func() {
				_, _ = client.stream.Write(c.sent)
				_ = client.stream.Close()
			}()
			if err := <-client.ended; err == nil || c.reason != nil && !errors.Is(err, c.reason) {
				t.Errorf("it ended with %v, want %v", err, c.reason)
			}
			if server.Stats().Malformed != 1 {
				t.Error("it was not counted")
			}
		})
	}
}

func TestTheServersContextEndsConnections(t *testing.T) {
	before := runtime.NumGoroutine()
	server, media := newServer(t, Limits{})
	ours, theirs := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- server.ServeConn(ctx, pipe{ours, net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:1"))})
	}()
	credential := server.Credentials("ses_A", "con_A", "h")[0]
	client := &client{t: t, stream: theirs, in: newFrames(theirs)}
	want(t, "Allocate", client.as(server, credential.Username, credential.Credential).allocate(), 0)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(media.forgotten) != 1 || server.Stats().Allocations != 0 {
		t.Errorf("left behind: %+v", server.Stats())
	}
	awaitGoroutines(t, before)
}

// canned is a connection whose client has sent all it ever will.
type canned struct {
	io.Reader
	io.Writer
}

func (canned) Close() error                     { return nil }
func (canned) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (canned) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }
func (canned) SetDeadline(time.Time) error      { return nil }
func (canned) SetReadDeadline(time.Time) error  { return nil }
func (canned) SetWriteDeadline(time.Time) error { return nil }

// Whatever a client sends, its connection ends, nothing of it is left, and media sees only packets for itself. The
// stream is read once as it is, and once by a connection that has an allocation and a channel already.
func FuzzServeConn(f *testing.F) {
	transport := stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add([]byte{0x40, 0, 0, 3, 'a', 'b', 'c', 0})
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.Fingerprint).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport,
		stun.NewUsername("9999999999:a"), stun.NewRealm("tertulia"), stun.NewNonce("n"), stun.NewShortTermIntegrity("x")).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peer(mediaAt), stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")}).Raw)
	f.Fuzz(func(t *testing.T, sent []byte) {
		server, media := newServer(t, Limits{})
		_ = server.ServeConn(t.Context(), canned{bytes.NewReader(sent), io.Discard})

		c := newConn(server, netip.MustParseAddrPort("192.0.2.1:1"), newOutbox(1<<20))
		relay, _, _ := server.reserve("u", c.client.Addr(), ipv4)
		c.allocation = newAllocation(server, c.out, "u", nil, relay, time.Now().Add(time.Hour))
		c.allocation.bind(firstChannel, mediaAt, time.Now())
		_ = c.serve(t.Context(), canned{bytes.NewReader(sent), io.Discard})
		if m := (&stun.Message{Raw: append([]byte(nil), sent...)}); m.Decode() == nil {
			c.allocation = newAllocation(server, c.out, "u", nil, relay, time.Now().Add(time.Hour))
			c.turn(m, "u", nil) // as if it had been signed
		}
		c.release()
		if now := server.Stats(); now.Connections != 0 || now.Allocations != 0 {
			t.Errorf("left behind: %+v", now)
		}
		for _, packet := range media.packets() {
			if !strings.Contains(packet, ">"+mediaAt.String()+" ") && !strings.Contains(packet, ">"+mediaAt6.String()+" ") {
				t.Errorf("media was given %q", packet)
			}
		}
	})
}

func TestPacketsAllocateNothing(t *testing.T) {
	server, media := newServer(t, Limits{})
	out := newOutbox(1 << 20)
	c := newConn(server, netip.MustParseAddrPort("192.0.2.1:1"), out)
	c.allocation = newAllocation(server, c.out, "u", nil, mediaAt, time.Now().Add(time.Hour))
	c.allocation.bind(firstChannel, mediaAt, time.Now())
	packet, batch := make([]byte, 1200), make([]byte, 0, 4096)
	out.put(packet, nil) // its buffer grows once
	batch, _ = out.take(batch)
	if n := testing.AllocsPerRun(100, func() {
		media.reply(mediaAt, packet)
		batch, _ = out.take(batch)
	}); n > 0 {
		t.Errorf("a packet to the client costs %v allocations", n)
	}
}
