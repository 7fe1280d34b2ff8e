package frontdoor

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// header is what a proxy says before the client's first byte.
func header(t *testing.T, version byte, client string, secure bool) string {
	t.Helper()
	from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(client))
	to := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 443}
	if from.IP.To4() == nil {
		to.IP = net.ParseIP("2001:db8::1")
	}
	h := proxyproto.HeaderProxyFromAddrs(version, from, to)
	if secure {
		if err := h.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_SSL, Value: []byte{clientSSL, 0, 0, 0, 0}}}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// where is a stand-in for ICE or TURN that says whom it talks to.
func where(name string) func(context.Context, net.Conn) {
	return func(_ context.Context, stream net.Conn) {
		_, _ = io.WriteString(stream, name+stream.RemoteAddr().String())
	}
}

func through(t *testing.T, door opened, header string) net.Conn {
	t.Helper()
	stream := door.dial()
	if _, err := io.WriteString(stream, header); err != nil {
		t.Fatal(err)
	}
	return stream
}

// TestPROXYProtocol: version 1 and 2, in front of every protocol of the port, TLS or not.
func TestPROXYProtocol(t *testing.T) {
	door := open(t, Config{HTTP: caller, ICE: where("ICE "), TURN: where("TURN "), TrustedProxies: asShipped})
	get := "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct {
		header, says, want string
		tls                bool
	}{
		"HTTP":                 {header: header(t, 1, "203.0.113.5:4711", false), says: get, want: "203.0.113.5 http://localhost/"},
		"HTTP, 2":              {header: header(t, 2, "[2001:db8::7]:4711", false), says: get, want: "2001:db8::7 http://localhost/"},
		"TLS ended in front":   {header: header(t, 2, "203.0.113.5:4711", true), says: strings.Replace(get, "localhost", "meet", 1), want: "203.0.113.5 https://meet/"},
		"HTTPS":                {header: header(t, 1, "203.0.113.5:4711", false), says: get, tls: true, want: "203.0.113.5 https://localhost/"},
		"HTTPS, 2":             {header: header(t, 2, "203.0.113.5:4711", false), says: get, tls: true, want: "203.0.113.5 https://localhost/"},
		"TURN":                 {header: header(t, 2, "203.0.113.5:4711", false), says: string(stunRequest), want: "TURN 203.0.113.5:4711"},
		"TURN in TLS":          {header: header(t, 1, "203.0.113.5:4711", false), says: string(stunRequest), tls: true, want: "TURN 203.0.113.5:4711"},
		"ICE":                  {header: header(t, 1, "[2001:db8::7]:4711", false), says: string(framed(stunRequest)), want: "ICE [2001:db8::7]:4711"},
		"a health check":       {says: get, want: "127.0.0.1 http://localhost/"},
		"the proxy itself":     {header: "PROXY UNKNOWN\r\n", says: get, want: "127.0.0.1 http://localhost/"},
		"the proxy itself, 2":  {header: "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", says: get, want: "127.0.0.1 http://localhost/"},
		"a proxy, not trusted": {header: header(t, 1, "203.0.113.5:4711", false), says: strings.Replace(get, "\r\n\r\n", "\r\nX-Real-IP: 9.9.9.9\r\n\r\n", 1), want: "203.0.113.5 http://localhost/ +X-Real-Ip"},
	} {
		t.Run(name, func(t *testing.T) {
			stream := through(t, door, c.header)
			if c.tls {
				stream = tls.Client(stream, &tls.Config{InsecureSkipVerify: true})
			}
			_, _ = io.WriteString(stream, c.says)
			answer, err := io.ReadAll(stream)
			if err != nil || !strings.HasSuffix(string(answer), c.want) {
				t.Errorf("%q, %v; want %q", answer, err, c.want)
			}
		})
	}
}

func TestPROXYProtocolInPieces(t *testing.T) {
	door := open(t, Config{HTTP: caller, TrustedProxies: asShipped})
	for version, head := range []string{header(t, 1, "203.0.113.5:4711", false), header(t, 2, "203.0.113.5:4711", true)} {
		stream := door.dial()
		for _, b := range []byte(head + "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") {
			if _, err := stream.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if answer, err := io.ReadAll(stream); err != nil || !strings.Contains(string(answer), "203.0.113.5 http") {
			t.Errorf("version %d: %q, %v", version+1, answer, err)
		}
	}
}

// TestForgedPROXYHeaders: who is not trusted, and whoever sends what cannot be, is cut off before anything is served.
func TestForgedPROXYHeaders(t *testing.T) {
	good := header(t, 1, "203.0.113.5:4711", false)
	for name, c := range map[string]struct {
		trust  []netip.Prefix
		header string
	}{
		"from a stranger":    {nobody, good},
		"from a stranger, 2": {nobody, header(t, 2, "203.0.113.5:4711", false)},
		"twice":              {asShipped, good + good},
		"no address":         {asShipped, "PROXY TCP4 nonsense\r\n"},
		"no end":             {asShipped, "PROXY TCP4 " + strings.Repeat("1", 200)},
		"half of 2":          {asShipped, "\r\n\r\n\x00\r\nQUIT\n\x91\xff\x00\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			door := open(t, Config{HTTP: caller, TrustedProxies: c.trust})
			isClosed(t, name, through(t, door, c.header+"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			await(t, "it is counted", func() bool { return door.Stats().Refused == 1 })
		})
	}
	door := open(t, Config{TrustedProxies: asShipped, Limits: Limits{Classify: 50 * time.Millisecond}})
	isClosed(t, "half a header", through(t, door, good[:20]))
	await(t, "it is counted", func() bool { return door.Stats().Open == 0 })
}

// TestLimitsBehindAProxy: the proxy has no limit of one address, its clients have.
func TestLimitsBehindAProxy(t *testing.T) {
	door := open(t, Config{TrustedProxies: asShipped, Limits: Limits{OpenPerAddress: 2, UnclassifiedPerAddress: 2}})
	for _, client := range []string{"203.0.113.5:1", "203.0.113.5:2", "203.0.113.6:3"} {
		say(t, through(t, door, header(t, 1, client, false)), string(stunRequest), 5)
	}
	isClosed(t, "the third of one client", through(t, door, header(t, 1, "203.0.113.5:4", false)+string(stunRequest)))
	last := through(t, door, header(t, 1, "203.0.113.6:5", false))
	say(t, last, string(stunRequest), 5)
	_ = last.Close()
	await(t, "its place is free", func() bool { return door.Stats().Open == 3 })
	say(t, through(t, door, header(t, 1, "203.0.113.6:6", false)), string(stunRequest), 5)
}
