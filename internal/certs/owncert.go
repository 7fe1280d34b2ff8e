package certs

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tertulia/internal/fault"
)

// readOwn loads the owner's certificate. What browsers would refuse, but a server can start with, is a warning.
func (s *Store) readOwn() (tls.Certificate, error) {
	folder := filepath.Join(s.config.Dir, "owncert")
	certPath, keyPath := filepath.Join(folder, "certificate.cert"), filepath.Join(folder, "certificate.key")
	cert, err := readPEM(certPath)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readPEM(keyPath)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fault.Wrap(fault.Invalid, err, "%s and %s are not a PEM certificate and its unencrypted key; put the leaf certificate first, and the key that belongs to it", certPath, keyPath)
	}
	s.warn(certPath, pair)
	return pair, nil
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(fault.Invalid, err, "CERTIFICATE_TYPE=owncert needs %s; put it there, or use CERTIFICATE_TYPE=selfsigned", path)
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read; make it readable for this user", path)
	}
	return text, nil
}

func (s *Store) warn(path string, pair tls.Certificate) {
	log := s.config.Log.With("file", path)
	switch now := time.Now(); {
	case now.After(pair.Leaf.NotAfter):
		log.Warn("the certificate has expired and browsers will refuse it; replace it and restart", "ended", pair.Leaf.NotAfter)
	case ending(pair.Leaf, now):
		log.Warn("the certificate ends soon; replace it and restart", "ends", pair.Leaf.NotAfter)
	}
	if domain := s.config.Domain; domain != "" && pair.Leaf.VerifyHostname(host(domain)) != nil {
		log.Warn("the certificate is not for DOMAIN_OR_PUBLIC_IP and browsers will refuse it", "domain", domain, "names", pair.Leaf.DNSNames)
	}
}

// host writes an address the way VerifyHostname takes it.
func host(domain string) string {
	if address := net.ParseIP(strings.Trim(domain, "[]")); address != nil {
		return "[" + address.String() + "]"
	}
	return domain
}
