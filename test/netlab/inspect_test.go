package netlab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// authority is a certificate authority of a test.
type authority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, root: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "netlab CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.root, a.root, &key.PublicKey, key)
	if err == nil {
		a.root, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// leaf signs a certificate for a name or an address.
func (a *authority) leaf(host string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.root, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// files writes a certificate for a host and its key into a folder, as PEM and under the names of the server's owncert.
func (a *authority) files(t testing.TB, dir, host string) (cert, key string) {
	t.Helper()
	leaf, err := a.leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(leaf.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "certificate.cert"), filepath.Join(dir, "certificate.key")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]},
		key:  {Type: "EC PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// owncert is a data folder in which the server finds a certificate of this authority for a host.
func (a *authority) owncert(t testing.TB, host string) string {
	t.Helper()
	data := t.TempDir()
	dir := filepath.Join(data, "owncert")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	a.files(t, dir, host)
	return data
}

// trusted is the home of a Chromium that trusts the authority, as one in a company's network does.
func (a *authority) trusted(t testing.TB) map[string]string {
	t.Helper()
	home := t.TempDir()
	db := filepath.Join(home, ".pki", "nssdb")
	root := filepath.Join(home, "root.pem")
	err := os.MkdirAll(db, 0o700)
	if err == nil {
		err = os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw}), 0o600)
	}
	if err == nil {
		_, err = run("certutil", "-d", "sql:"+db, "-N", "--empty-password")
	}
	if err == nil {
		_, err = run("certutil", "-d", "sql:"+db, "-A", "-t", "C,,", "-n", "netlab", "-i", root)
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"HOME": home}
}

// inspector is a company's proxy: HTTP CONNECT on one port, and nothing but TLS inside, which it opens with certificates
// of its own authority and reads.
type inspector struct {
	lab  *lab
	node *node
	ca   *authority

	mu   sync.Mutex
	read map[string]int // how often: "http", "stun", "other" inside of TLS; "not TLS" was refused
}

const proxyPort = 3128

func (l *lab) inspector(n *node, ca *authority) *inspector {
	l.t.Helper()
	p := &inspector{lab: l, node: n, ca: ca, read: map[string]int{}}
	l.accept(n, proxyPort, func(ctx context.Context, client net.Conn) { _ = p.serve(ctx, client) })
	return p
}

// url is the proxy as browsers are told of it.
func (p *inspector) url() string { return fmt.Sprintf("http://%s:%d", p.node.ip, proxyPort) }

// counts are what the proxy read, by kind.
func (p *inspector) counts(kind string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read[kind]
}

func (p *inspector) note(kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read[kind]++
}

func (p *inspector) serve(ctx context.Context, client net.Conn) error {
	buffered := bufio.NewReader(client)
	request, err := http.ReadRequest(buffered)
	if err != nil {
		return err
	}
	if request.Method != http.MethodConnect {
		_, err = io.WriteString(client, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	if _, err = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return err
	}
	if first, err := buffered.Peek(1); err != nil || first[0] != 0x16 {
		p.note("not TLS")
		return err
	}
	host, _, err := net.SplitHostPort(request.Host)
	if err != nil {
		return err
	}
	var far *tls.Conn
	near := tls.Server(&peeked{client, buffered}, &tls.Config{
		// The far side first: it says which protocol the near side may be told of.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			leaf, err := p.ca.leaf(host)
			if err != nil {
				return nil, err
			}
			raw, err := p.lab.dial(ctx, p.node, "tcp", request.Host)
			if err != nil {
				return nil, err
			}
			roots := x509.NewCertPool()
			roots.AddCert(p.ca.root)
			far = tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: host, NextProtos: hello.SupportedProtos})
			if err := far.HandshakeContext(ctx); err != nil {
				return nil, err
			}
			mine := &tls.Config{Certificates: []tls.Certificate{*leaf}}
			if agreed := far.ConnectionState().NegotiatedProtocol; agreed != "" {
				mine.NextProtos = []string{agreed}
			}
			return mine, nil
		},
	})
	err = near.HandshakeContext(ctx)
	if far != nil {
		defer far.Close()
	}
	if err != nil {
		return err
	}
	inside := bufio.NewReader(near)
	first, err := inside.Peek(8)
	if err != nil {
		return err
	}
	p.note(spoken(first))
	splice(ctx, &peeked{near, inside}, far)
	return nil
}

// spoken says which protocol begins so.
func spoken(first []byte) string {
	switch {
	case bytes.HasPrefix(first, []byte("GET ")), bytes.HasPrefix(first, []byte("POST ")), bytes.HasPrefix(first, []byte("PRI ")):
		return "http"
	case bytes.Equal(first[4:], []byte{0x21, 0x12, 0xa4, 0x42}):
		return "stun"
	}
	return "other"
}

// peeked is a connection of which something was read already.
type peeked struct {
	net.Conn
	rest *bufio.Reader
}

func (c *peeked) Read(b []byte) (int, error) { return c.rest.Read(b) }
