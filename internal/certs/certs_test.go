package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
)

func store(t *testing.T, config Config) *Store {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shown is the certificate a TLS client gets.
func shown(t *testing.T, s *Store) tls.Certificate {
	t.Helper()
	certificate, err := s.TLSConfig().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return *certificate
}

func TestTheFirstStartMakesACertificate(t *testing.T) {
	dir := t.TempDir()
	leaf := shown(t, store(t, Config{Dir: dir, Domain: "meet.example.org"})).Leaf

	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("the key is a %T, want ECDSA P-256", leaf.PublicKey)
	}
	if leaf.Subject.CommonName != "meet.example.org" {
		t.Errorf("common name %q", leaf.Subject.CommonName)
	}
	names := []string{"meet.example.org", "localhost", "127.0.0.1", "[::1]"}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if network := address.(*net.IPNet); network.IP.IsGlobalUnicast() {
			names = append(names, "["+network.IP.String()+"]")
		}
	}
	for _, name := range names {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if left := time.Until(leaf.NotAfter); left < 364*24*time.Hour || left > 366*24*time.Hour {
		t.Errorf("it lives %v, want a year", left)
	}
	for _, file := range []string{"selfsigned.pem", "dtls.pem"} {
		if info, err := os.Stat(filepath.Join(dir, "certificates", file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", file, info, err)
		}
	}
}

// TestACertificateWithoutADomainHasAName: Java reads no certificate whose issuer has none.
func TestACertificateWithoutADomainHasAName(t *testing.T) {
	leaf := shown(t, store(t, Config{Dir: t.TempDir()})).Leaf
	if leaf.Subject.CommonName != "localhost" || leaf.Issuer.CommonName != "localhost" {
		t.Errorf("subject %q, issuer %q", leaf.Subject, leaf.Issuer)
	}
}

func TestCertificatesAreKept(t *testing.T) {
	config := Config{Dir: t.TempDir(), Domain: "192.0.2.7"}
	first, second := store(t, config), store(t, config)
	if !same(shown(t, first), shown(t, second)) {
		t.Error("the second start made another server certificate")
	}
	if !same(first.DTLS(), second.DTLS()) {
		t.Error("the second start made another DTLS certificate")
	}
	if key, ok := first.DTLS().Leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("the DTLS key is a %T, want ECDSA P-256", first.DTLS().Leaf.PublicKey)
	}
	if err := shown(t, first).Leaf.VerifyHostname("192.0.2.7"); err != nil {
		t.Error(err)
	}
	config.Domain = "other.example.org"
	third := store(t, config)
	if same(shown(t, first), shown(t, third)) {
		t.Error("another domain kept the certificate")
	}
	if !same(first.DTLS(), third.DTLS()) {
		t.Error("another domain changed the DTLS certificate")
	}
}

func TestACertificateNearItsEndIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := store(t, Config{Dir: dir})
		first := shown(t, s)
		time.Sleep(serverLife - renewBefore - time.Hour)
		if !same(first, shown(t, s)) {
			t.Error("it was renewed too early")
		}
		time.Sleep(2 * time.Hour)
		second := shown(t, s)
		if same(first, second) {
			t.Error("it was not renewed in the running process")
		}
		if !same(second, shown(t, store(t, Config{Dir: dir}))) {
			t.Error("the renewed one was not kept")
		}
		time.Sleep(serverLife)
		if same(second, shown(t, store(t, Config{Dir: dir}))) {
			t.Error("it was not renewed at the start")
		}
	})
}

func TestARenewalThatFails(t *testing.T) {
	dir, log := t.TempDir(), &bytes.Buffer{}
	synctest.Test(t, func(t *testing.T) {
		s := store(t, Config{Dir: dir, Log: slog.New(slog.NewTextHandler(log, nil))})
		first := shown(t, s)
		blocked := filepath.Join(dir, "certificates", "selfsigned.pem")
		if err := os.WriteFile(blocked, []byte("not PEM"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(serverLife - renewBefore + time.Hour)
		for range 3 {
			if !same(first, shown(t, s)) {
				t.Error("the old certificate is no longer shown")
			}
		}
		if n := strings.Count(log.String(), blocked); n != 1 {
			t.Errorf("the failure was logged %d times in an instant, want once:\n%s", n, log)
		}
	})
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "certificates", "dtls.pem")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dir: dir})
	says(t, err, file, "delete it")

	notAFolder := filepath.Join(dir, "file")
	if err := os.WriteFile(notAFolder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = New(Config{Dir: notAFolder})
	says(t, err, notAFolder, "")
}

// says checks that an error is of kind Invalid and names the file and the remedy.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, want kind %s", err, fault.Invalid)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestHandshakes(t *testing.T) {
	s := store(t, Config{Dir: t.TempDir()})
	for name, c := range map[string]struct {
		client *tls.Config
		want   string
		fails  bool
	}{
		"browser":     {client: &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, want: "h2"},
		"websocket":   {client: &tls.Config{NextProtos: []string{"http/1.1"}}, want: "http/1.1"},
		"TURN":        {client: &tls.Config{}, want: ""},
		"RFC 7443":    {client: &tls.Config{NextProtos: []string{"stun.turn"}}, want: "stun.turn"},
		"TLS 1.2":     {client: &tls.Config{MaxVersion: tls.VersionTLS12}},
		"TLS 1.1":     {client: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, fails: true},
		"other ALPNs": {client: &tls.Config{NextProtos: []string{"smtp"}}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			defer theirs.Close()
			done := make(chan error, 1)
			go func() { done <- tls.Server(ours, s.TLSConfig()).HandshakeContext(t.Context()) }()
			c.client.InsecureSkipVerify = true
			client := tls.Client(theirs, c.client)
			err := client.HandshakeContext(t.Context())
			if (err != nil) != c.fails {
				t.Fatalf("the handshake: %v, want failure %v", err, c.fails)
			}
			_ = theirs.Close()
			<-done
			if got := client.ConnectionState().NegotiatedProtocol; got != c.want {
				t.Errorf("ALPN %q, want %q", got, c.want)
			}
		})
	}
}
