package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media/socket"
	"tertulia/internal/turn"
)

// mirror is the media of our own TURN server: it answers STUN, as ours does.
type mirror struct {
	relay netip.AddrPort
	reply func(netip.AddrPort, []byte)
}

func (m mirror) Packet(_ context.Context, to netip.AddrPort, packet []byte) error {
	request := &stun.Message{Raw: append([]byte(nil), packet...)}
	if request.Decode() == nil {
		answer := stun.MustBuild(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: m.relay.Addr().AsSlice(), Port: int(m.relay.Port())})
		m.reply(to, answer.Raw)
	}
	return nil
}

func (mirror) Close() {}

// Our own server passes the same probe over every transport, IPv4 and IPv6.
func TestOurOwnTURNOverEveryTransport(t *testing.T) {
	for host, media := range map[string]netip.AddrPort{
		"127.0.0.1": netip.MustParseAddrPort("203.0.113.5:4443"), "::1": netip.MustParseAddrPort("[2001:db8::5]:4443"),
	} {
		server, err := turn.New(turn.Config{
			Secret: "0123456789abcdef", MediaAddresses: func() []netip.AddrPort { return []netip.AddrPort{media} },
			OpenRelay: func(relay netip.AddrPort, reply func(netip.AddrPort, []byte)) turn.Relay { return mirror{relay, reply} },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		udp, err := socket.Listen(ctx, net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		serving.Go(func() { _ = server.ServeUDP(ctx, udp) })
		var listeners []net.Listener
		for range 2 {
			listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Fatal(err)
			}
			listeners = append(listeners, listener)
		}
		serving.Go(func() { _ = server.ServeListener(ctx, listeners[0]) })
		shown, roots := keyPair(t)
		secure := tls.NewListener(listeners[1], shown)
		serving.Go(func() { _ = server.ServeListener(ctx, secure) })

		own := server.Credentials("s", "c", "h")[0]
		for _, url := range []string{
			"turn:" + udp.LocalAddr().String(), "turn:" + listeners[0].Addr().String() + "?transport=tcp", "turns:" + listeners[1].Addr().String(),
		} {
			p := probe(t, Target{URL: url, Username: own.Username, Credential: own.Credential, Peer: media, Roots: roots})
			if !p.Echoed {
				t.Errorf("%+v", p)
			}
			if p := probe(t, Target{URL: url, Username: own.Username, Credential: "wrong", Peer: media, Roots: roots}); p.Code != "TURN_SECRET_WRONG" {
				t.Errorf("with a wrong password: %+v", p)
			}
			elsewhere := netip.AddrPortFrom(media.Addr().Next(), 4443)
			if p := probe(t, Target{URL: url, Username: own.Username, Credential: own.Credential, Peer: elsewhere, Roots: roots}); p.Code != "TURN_FAULTY" || !strings.Contains(p.Text, "403") {
				t.Errorf("to another peer: %+v", p)
			}
		}
		cancel()
		serving.Wait()
		if now := server.Stats(); now.Allocations != 0 || now.Connections != 0 {
			t.Errorf("left behind: %+v", now)
		}
	}
}

func keyPair(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	flags, roots := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	pair, err := tls.LoadX509KeyPair(strings.TrimPrefix(flags[0], "--cert="), strings.TrimPrefix(flags[1], "--pkey="))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, roots
}

func TestTURNURLs(t *testing.T) {
	for url, want := range map[string]string{
		"turn:turn.example":                           "turn.example:3478 UDP",
		"turn:turn.example:5000?transport=udp":        "turn.example:5000 UDP",
		"turn:192.0.2.7?transport=tcp":                "192.0.2.7:3478 TCP",
		"turns:turn.example":                          "turn.example:5349 TLS",
		"turns:[2001:db8::7]:443?transport=tcp":       "[2001:db8::7]:443 TLS",
		"turn:[2001:db8::7]":                          "[2001:db8::7]:3478 UDP",
		"turn:2001:db8::7":                            "[2001:db8::7]:3478 UDP",
		"turns:turn.example?transport=udp":            "",
		"turn:turn.example?transport=sctp":            "",
		"stun:turn.example":                           "",
		"turn:":                                       "",
		"turn::3478":                                  "",
		"turn:turn.example:0":                         "",
		"turn:turn.example:70000":                     "",
		"turn:turn.example:1:2":                       "",
		"turn:turn.example:" + strings.Repeat("1", 9): "",
	} {
		got, err := parseTURN(url)
		if (err != nil) != (want == "") || err == nil && got.address()+" "+got.protocol() != want {
			t.Errorf("%s: %+v, %v; want %q", url, got, err, want)
		}
	}
}

// canned is a connection to a server that has said all it ever will.
type canned struct {
	net.Conn
	in []byte
}

func (c *canned) Read(b []byte) (int, error) {
	n := copy(b, c.in)
	if c.in = c.in[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
func (c *canned) Write(b []byte) (int, error)      { return len(b), nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
func (c *canned) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv6loopback, Port: 1} }

// FuzzHostileTURNServer: whatever a server says, the client ends, and believes in no relay that was not signed.
func FuzzHostileTURNServer(f *testing.F) {
	f.Add([]byte{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add([]byte{0x40, 0, 0, 3, 'a', 'b', 'c', 0})
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodData, stun.ClassIndication),
		peerAddress(netip.MustParseAddrPort("192.0.2.1:7")), stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")}).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.CodeUnauthorized,
		stun.NewRealm("r"), stun.NewNonce("n")).Raw)
	f.Fuzz(func(t *testing.T, said []byte) {
		for _, isStream := range []bool{true, false} {
			c := newTURNClient(t.Context(), &canned{in: append([]byte(nil), said...)}, isStream, "u", "p")
			if err := c.allocate(t.Context()); err == nil {
				t.Errorf("it takes %x for an allocation", said)
			}
			if m := (&stun.Message{Raw: append([]byte(nil), said...)}); m.Decode() == nil {
				c.keep(m)
			}
			if len(c.data) > 16 {
				t.Errorf("%d packets are kept", len(c.data))
			}
		}
	})
}

// A framed stream's answer must be STUN, ours, and not too long.
func TestAskTCPBelievesNoStranger(t *testing.T) {
	for name, answer := range map[string]func(request []byte) []byte{
		"silence": func([]byte) []byte { return nil },
		"another's": func([]byte) []byte {
			return framed(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(1, 2, 3, 4), Port: 5}).Raw)
		},
		"the question":    func(b []byte) []byte { return framed(b) },
		"a short frame":   func([]byte) []byte { return framed([]byte("x")) },
		"a cut-off frame": func(b []byte) []byte { return framed(b)[:10] },
		"HTTP":            func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") },
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			var head [2]byte
			_, _ = io.ReadFull(conn, head[:])
			request := make([]byte, binary.BigEndian.Uint16(head[:]))
			_, _ = io.ReadFull(conn, request)
			_, _ = conn.Write(answer(request))
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if at, err := AskTCP(ctx, listener.Addr().(*net.TCPAddr).AddrPort()); err == nil {
			t.Errorf("%s: %v", name, at)
		}
		cancel()
		_ = listener.Close()
		serving.Wait()
	}
}

func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// What is wrong with a certificate is said with its dates.
func TestCertificatesAreDescribed(t *testing.T) {
	now := time.Now()
	leaf := func(from, until time.Duration) *x509.Certificate {
		return &x509.Certificate{NotBefore: now.Add(from), NotAfter: now.Add(until)}
	}
	for want, err := range map[string]*tls.CertificateVerificationError{
		"has expired":         {UnverifiedCertificates: []*x509.Certificate{leaf(-2*time.Hour, -time.Hour)}},
		"is not valid yet":    {UnverifiedCertificates: []*x509.Certificate{leaf(time.Hour, 2*time.Hour)}},
		"is for another name": {UnverifiedCertificates: []*x509.Certificate{leaf(-time.Hour, time.Hour)}, Err: x509.HostnameError{Certificate: leaf(0, 0), Host: "h"}},
		"a signer nobody":     {UnverifiedCertificates: []*x509.Certificate{leaf(-time.Hour, time.Hour)}, Err: x509.UnknownAuthorityError{}},
		"is refused":          {UnverifiedCertificates: []*x509.Certificate{leaf(-time.Hour, time.Hour)}, Err: io.EOF},
	} {
		text, fix := describe(err, "turn.example")
		if !strings.Contains(text, want) || !strings.Contains(text, day(err.UnverifiedCertificates[0].NotAfter)) || fix == "" {
			t.Errorf("%q, %q; want %q", text, fix, want)
		}
	}
	if text, fix := describe(&tls.CertificateVerificationError{Err: io.EOF}, "turn.example"); !strings.Contains(text, "turn.example") || fix == "" {
		t.Errorf("without a certificate: %q, %q", text, fix)
	}
}
