package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"strings"
	"testing"
	"time"
)

// run runs a store until the test ends.
func run(t *testing.T, s *Store, port int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, port) }()
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// stillThere has every connection say something and hear it back.
func stillThere(t *testing.T, connections []*tls.Conn) {
	t.Helper()
	lost := 0
	for _, c := range connections {
		answer := make([]byte, 5)
		if _, err := c.Write([]byte("hello")); err != nil {
			lost++
		} else if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "hello" {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d connections are lost", lost, len(connections))
	}
}

// Renewal under live connections: none ends, new handshakes see the new certificate; what cannot be used changes nothing.
func TestFAQ_16__RenewalUnderLiveConnections(t *testing.T) {
	root := newRoot(t)
	first, second := root.leaf(t, "example.org", nil), root.leaf(t, "example.org", nil)
	log := &logbook{}
	config := owned(t, files{"cert.pem": joined(first.pem(), root.pem()), "key.pem": first.keyPEM(t)})
	config.Log, config.every = log.logger(), 20*time.Millisecond
	s := store(t, config)
	run(t, s, 443)
	listener := serve(t, s.TLSConfig())
	var live []*tls.Conn
	for range 50 {
		c, err := dial(t, listener.Addr(), root.pool(), "example.org")
		if err != nil {
			t.Fatal(err)
		}
		live = append(live, c)
	}
	now := func() *x509.Certificate {
		c, err := dial(t, listener.Addr(), root.pool(), "example.org")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0]
	}

	put(t, config.Dir, files{"cert.pem": second.pem()}) // its key is still to come
	await(t, 10*time.Second, "the unfitting key is logged", func() bool { return strings.Contains(log.String(), "the old one stays") })
	if !now().Equal(first.Certificate) {
		t.Error("a certificate without its key replaced the old one")
	}
	if problems := s.Status().Problems; len(problems) != 1 || problems[0].Code != Unreadable {
		t.Errorf("the status does not tell: %+v", problems)
	}
	put(t, config.Dir, files{"key.pem": second.keyPEM(t), "root.crt": root.pem()})
	await(t, 10*time.Second, "the new certificate is shown", func() bool { return now().Equal(second.Certificate) })
	stillThere(t, live)
	if problems := s.Status().Problems; len(problems) != 0 {
		t.Errorf("it is still said: %+v", problems)
	}
	if n := strings.Count(log.String(), "the old one stays"); n != 1 {
		t.Errorf("the mistake was logged %d times, want once:\n%s", n, log)
	}
}
