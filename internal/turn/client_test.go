package turn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"
)

// listen serves real TCP, or TLS, connections until the test ends.
func listen(t *testing.T, server *Server, config *tls.Config) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			if config != nil {
				stream = tls.Server(stream, config)
			}
			serving.Go(func() { _ = server.ServeConn(ctx, stream) })
		}
	})
	return listener.Addr().String(), func() {
		_ = listener.Close()
		cancel()
		serving.Wait()
	}
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func pionClient(t *testing.T, address, user, password string, overTLS bool) *pion.Client {
	t.Helper()
	stream, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if overTLS {
		stream = tls.Client(stream, &tls.Config{InsecureSkipVerify: true})
	}
	c, err := pion.NewClient(&pion.ClientConfig{
		TURNServerAddr: address, STUNServerAddr: address, Conn: pion.NewSTUNConn(stream),
		Username: user, Password: password, RTO: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPionClientRelaysToOurMedia(t *testing.T) {
	for name, config := range map[string]*tls.Config{"TCP": nil, "TLS": selfSigned(t)} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			server, media := newServer(t, Limits{})
			address, stop := listen(t, server, config)
			credential := server.Credentials("ses_A", "con_A", address)[0]
			c := pionClient(t, address, credential.Username, credential.Credential, config != nil)
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
			// The first packet goes in a Send indication; the client binds a channel behind our back and uses that.
			for range 50 {
				exchange(t, relay, media)
			}
			if err := c.CreatePermission(net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.1:80"))); err == nil || !strings.Contains(err.Error(), "403") {
				t.Errorf("permission for a private address: %v, want 403", err)
			}
			if _, err := relay.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("169.254.169.254:80"))); err == nil {
				t.Error("a packet to the metadata address was sent")
			}

			_ = relay.Close()
			c.Close()
			stop()
			if now := server.Stats(); now.Allocations != 0 || now.Connections != 0 || len(server.relays) != 0 || len(media.forgotten) != 1 {
				t.Errorf("left behind: %+v, %v, forgotten %v", now, server.relays, media.forgotten)
			}
			awaitGoroutines(t, before)
		})
	}
}

// hello is longer than the 4 bytes below which pion's framing does not see ChannelData.
const hello = "a packet of media"

func exchange(t *testing.T, relay net.PacketConn, media *echo) {
	t.Helper()
	at := net.UDPAddrFromAddrPort(mediaAt)
	if _, err := relay.WriteTo([]byte(hello), at); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1500)
	_ = relay.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, from, err := relay.ReadFrom(buffer)
	if err != nil || from.String() != mediaAt.String() || string(buffer[:n]) != hello {
		t.Fatalf("got %q from %v: %v; media saw %q", buffer[:n], from, err, media.packets())
	}
	seen := media.packets()
	if got, want := seen[len(seen)-1], relay.LocalAddr().String()+">"+mediaAt.String()+" "+hello; got != want {
		t.Fatalf("media saw %q, want %q", got, want)
	}
}

func TestPionClientWithAWrongCredential(t *testing.T) {
	server, _ := newServer(t, Limits{})
	address, stop := listen(t, server, nil)
	defer stop()
	good := server.Credentials("ses_A", "con_A", address)[0]
	for name, c := range map[string][2]string{
		"password": {good.Username, "00" + good.Credential[2:]},
		"user":     {good.Username + "0", good.Credential},
		"expired":  {"1000000000:abcdefgh", passwordOf(server.key(), "1000000000:abcdefgh")},
	} {
		t.Run(name, func(t *testing.T) {
			client := pionClient(t, address, c[0], c[1], false)
			defer client.Close()
			if _, err := client.Allocate(); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("Allocate: %v, want 401", err)
			}
		})
	}
}

// sockets counts this process's open sockets.
func sockets(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
