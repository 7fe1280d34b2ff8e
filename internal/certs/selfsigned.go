package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tertulia/internal/fault"
)

// identity is whom a certificate is for. The name is its common name, which also tells whose the file was.
type identity struct {
	name      string
	hosts     []string
	addresses []net.IP
}

// keep returns the certificate in a file of ours, made or made anew if need be.
func keep(path string, who identity, life time.Duration) (tls.Certificate, error) {
	certificate, err := find(path)
	switch {
	case err != nil:
		return tls.Certificate{}, err
	case certificate.Leaf != nil && who.holds(certificate.Leaf) && !ending(certificate.Leaf, time.Now()):
		return certificate, nil
	}
	text, err := issue(who, time.Now(), life)
	if err == nil {
		err = write(path, text)
	}
	if err != nil {
		return tls.Certificate{}, fault.Wrap(fault.Invalid, err, "%s cannot be written → make its folder writable for this user, or name another data folder", path)
	}
	return read(path)
}

// holds reports whether a certificate is for whom it should be. Addresses come and go, and are left as they are.
func (who identity) holds(leaf *x509.Certificate) bool {
	missing := func(name string) bool { return !slices.Contains(leaf.DNSNames, name) }
	return leaf.Subject.CommonName == who.name && !slices.ContainsFunc(who.hosts, missing)
}

// find reads a file of ours; without a certificate in the answer there is none yet.
func find(path string) (tls.Certificate, error) {
	certificate, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, nil
	case err != nil:
		return tls.Certificate{}, fault.Wrap(fault.Invalid, err, "%s cannot be used → delete it and a new one is made", path)
	}
	return certificate, nil
}

// read loads key and certificate from one PEM file.
func read(path string) (tls.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(text, text)
}

// issue makes a key and its self-signed certificate, as PEM.
func issue(who identity, now time.Time, life time.Duration) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: who.name},
		NotBefore:             now.Add(-24 * time.Hour), // for clients whose clock is late
		NotAfter:              now.Add(life),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:              who.hosts,
		IPAddresses:           who.addresses,
		BasicConstraintsValid: true, // and no authority: who trusts it trusts this host alone
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = errors.Join(
		pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.Encode(&text, &pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return text.Bytes(), err
}

// write replaces a file as a whole, readable by its owner only: a crash leaves the old one or the new one.
func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
