package certs

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	serverLife = 365 * 24 * time.Hour // as OpenVidu's
	// Peers compare a fingerprint from the signalling and look at no date, so this one need not be changed ever.
	dtlsLife = 20 * 365 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is made anew.
	renewBefore = 30 * 24 * time.Hour
)

// Config says where the certificates are and for whom.
type Config struct {
	Dir    string // the data folder; ours are in its subfolder certificates, with mode 0600
	Domain string // DOMAIN_OR_PUBLIC_IP: a name or an address; "" for none
	// Own is CERTIFICATE_TYPE=owncert: the front door shows DIR/owncert/certificate.cert (PEM, the leaf first, then
	// its chain) with the key DIR/owncert/certificate.key.
	Own bool
	Log *slog.Logger // nil discards
}

// Store holds the certificates of a node.
type Store struct {
	config Config
	dtls   tls.Certificate

	mu      sync.Mutex
	server  tls.Certificate
	renewAt time.Time // not before: after a failure, an hour later
}

// New reads the certificates and makes those that are ours and missing, near their end, or of another domain.
// Errors are of kind Invalid and name the file and the remedy.
func New(config Config) (*Store, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{config: config}
	var err error
	if s.dtls, err = keep(s.path("dtls.pem"), identity{name: "tertulia"}, dtlsLife); err != nil {
		return nil, err
	}
	if config.Own {
		s.server, err = s.readOwn()
	} else {
		s.server, err = keep(s.path("selfsigned.pem"), s.identity(), serverLife)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// DTLS returns the certificate for WebRTC peers: ECDSA P-256, the same for the life of the data folder.
func (s *Store) DTLS() tls.Certificate { return s.dtls }

// TLSConfig returns the front door's settings: TLS 1.2 at least, HTTP/2 and HTTP/1.1 by ALPN, STUN and TURN by ALPN
// (RFC 7443) and clients without any.
func (s *Store) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1", "stun.turn", "stun.nat-discovery"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.current(time.Now()), nil },
	}
}

// current renews our own certificate under a process that outlives it. If that fails, the old one is still better
// than none.
func (s *Store) current(now time.Time) *tls.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.config.Own && ending(s.server.Leaf, now) && now.After(s.renewAt) {
		renewed, err := keep(s.path("selfsigned.pem"), s.identity(), serverLife)
		if err != nil {
			s.renewAt = now.Add(time.Hour)
			s.config.Log.Error("the self-signed certificate could not be renewed", "error", err)
		} else {
			s.server = renewed
		}
	}
	certificate := s.server
	return &certificate
}

func (s *Store) path(name string) string { return filepath.Join(s.config.Dir, "certificates", name) }

// identity is whom the self-signed certificate is for: the domain, and everything a browser in this machine or its
// network may call it.
func (s *Store) identity() identity {
	who := identity{name: s.config.Domain, hosts: []string{"localhost"}, addresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	if address := net.ParseIP(strings.Trim(s.config.Domain, "[]")); address != nil {
		who.addresses = append(who.addresses, address)
	} else if s.config.Domain != "" {
		who.hosts = append(who.hosts, s.config.Domain)
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		s.config.Log.Warn("the certificate names no interface address", "error", err)
	}
	for _, address := range interfaces {
		if network, ok := address.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			who.addresses = append(who.addresses, network.IP)
		}
	}
	return who
}

func ending(leaf *x509.Certificate, now time.Time) bool {
	return now.Before(leaf.NotBefore) || now.Add(renewBefore).After(leaf.NotAfter)
}
