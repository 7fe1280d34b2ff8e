package frontdoor

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

var testTLS = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos:   []string{"h2", "http/1.1", "stun.turn"},
	}
})

// shout is a stand-in for ICE or TURN: it says its name, then sends everything back.
func shout(name string) func(context.Context, net.Conn) {
	return func(ctx context.Context, stream net.Conn) {
		defer context.AfterFunc(ctx, func() { _ = stream.Close() })()
		if _, err := io.WriteString(stream, name); err == nil {
			_, _ = io.Copy(stream, stream)
		}
	}
}

// opened is a door that is open.
type opened struct {
	*Door
	t    *testing.T
	stop func() error
	log  *bytes.Buffer
}

func open(t *testing.T, config Config) opened {
	t.Helper()
	o := prepare(t, config)
	o.run()
	return o
}

// asShipped trusts whom New does by default; without it tests trust nobody.
var asShipped = []netip.Prefix{{}}

// prepare makes a door on loopback that serves what the config leaves out with stand-ins.
func prepare(t *testing.T, config Config) opened {
	t.Helper()
	log := &bytes.Buffer{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	config.Listener, config.TLS = listener, testTLS()
	switch { // all connections of tests come from loopback
	case config.TrustedProxies == nil:
		config.TrustedProxies = []netip.Prefix{}
	case len(config.TrustedProxies) == 1 && !config.TrustedProxies[0].IsValid():
		config.TrustedProxies = nil
	}
	config.Log = slog.New(slog.NewTextHandler(&locked{to: log}, nil))
	if config.HTTP == nil {
		config.HTTP = http.NotFoundHandler()
	}
	if config.ICE == nil {
		config.ICE, config.TURN = shout("ICE "), shout("TURN ")
	}
	door, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return opened{Door: door, t: t, log: log}
}

func (o *opened) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	o.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	o.t.Cleanup(func() {
		if err := o.stop(); err != nil {
			o.t.Error(err)
		}
		if now := o.Stats(); now.Open != 0 || now.Unclassified != 0 {
			o.t.Errorf("connections are left: %+v", now)
		}
	})
}

type locked struct {
	sync.Mutex
	to io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.to.Write(b)
}

func (o opened) dial() net.Conn {
	o.t.Helper()
	stream, err := net.Dial("tcp", o.Addr().String())
	if err != nil {
		o.t.Fatal(err)
	}
	_ = stream.SetDeadline(time.Now().Add(10 * time.Second))
	o.t.Cleanup(func() { _ = stream.Close() })
	return stream
}

func (o opened) dialTLS(protocols ...string) *tls.Conn {
	o.t.Helper()
	return tls.Client(o.dial(), &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
}

// browser is an HTTP client that follows no redirect.
func browser(t *testing.T, http2 bool) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: http2,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// say writes and returns the first bytes of the answer.
func say(t *testing.T, stream net.Conn, what string, length int) string {
	t.Helper()
	if what != "" { // even of nothing, a pipe's Write waits for another one
		if _, err := io.WriteString(stream, what); err != nil {
			t.Fatal(err)
		}
	}
	answer := make([]byte, length)
	n, err := io.ReadFull(stream, answer)
	if err != nil {
		t.Fatalf("after %q: %v", answer[:n], err)
	}
	return string(answer)
}

// await waits for a condition that another goroutine brings about.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("waited in vain: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// isClosed waits until the other side closes.
func isClosed(t *testing.T, what string, stream net.Conn) {
	t.Helper()
	if n, err := stream.Read(make([]byte, 1)); err == nil {
		t.Errorf("%s: read %d bytes, want the connection closed", what, n)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: still open", what)
	}
}
