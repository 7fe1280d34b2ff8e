package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// signed is a certificate and its key.
type signed struct {
	*x509.Certificate
	key crypto.Signer
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign issues what a template says, on top of what every certificate has; by nil, by itself.
func (by *signed) sign(t *testing.T, name string, change func(*x509.Certificate), key crypto.Signer) *signed {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), BasicConstraintsValid: true,
	}
	change(template)
	if key == nil {
		key = newKey(t)
	}
	parent := by
	if parent == nil {
		parent = &signed{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.Certificate, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signed{made, key}
}

// newRoot, sub and leaf are a small public key infrastructure.
func newRoot(t *testing.T) *signed {
	return (*signed)(nil).sign(t, "Test Root", asAuthority(), nil)
}

func asAuthority(fetchFrom ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.IssuingCertificateURL = true, x509.KeyUsageCertSign, fetchFrom
	}
}

func (by *signed) sub(t *testing.T, name string, fetchFrom ...string) *signed {
	return by.sign(t, name, asAuthority(fetchFrom...), nil)
}

func (by *signed) leaf(t *testing.T, name string, key crypto.Signer, fetchFrom ...string) *signed {
	return by.sign(t, name, func(c *x509.Certificate) {
		c.DNSNames, c.KeyUsage, c.IssuingCertificateURL = []string{name}, x509.KeyUsageDigitalSignature, fetchFrom
	}, key)
}

func (by *signed) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Raw})
}

func (by *signed) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(by.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (by *signed) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(by.Certificate)
	return pool
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// files are what lies in a folder owncert.
type files map[string][]byte

// put writes files into DIR/owncert.
func put(t *testing.T, dir string, all files) {
	t.Helper()
	folder := filepath.Join(dir, "owncert")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// owned is a configuration for a folder with such files, for example.org.
func owned(t *testing.T, all files) Config {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, all)
	return Config{
		Dir: dir, Domain: "example.org", Kind: OwnCert, roots: x509.NewCertPool(),
		reach: func(to netip.AddrPort) bool { return to.Addr().IsLoopback() },
	}
}

// logbook is a log that tests read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// serve answers TLS on loopback with a store's certificate and echoes what comes.
func serve(t *testing.T, config *tls.Config) net.Listener {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	echo(t, listener)
	return listener
}

func echo(t *testing.T, listener net.Listener) {
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer stream.Close()
				buffer := make([]byte, 64)
				for {
					n, err := stream.Read(buffer)
					if err != nil {
						return
					}
					if _, err := stream.Write(buffer[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
}

// dial connects as a browser does that trusts one root.
func dial(t *testing.T, to net.Addr, roots *x509.CertPool, name string) (*tls.Conn, error) {
	stream, err := net.DialTimeout("tcp", to.String(), 10*time.Second)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = stream.Close() })
	client := tls.Client(stream, &tls.Config{RootCAs: roots, ServerName: name})
	_ = client.SetDeadline(time.Now().Add(30 * time.Second))
	return client, client.HandshakeContext(t.Context())
}

// await waits for a condition that another goroutine brings about.
func await(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
