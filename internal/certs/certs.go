package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tertulia/internal/fault"
)

// The kinds of certificate, as CERTIFICATE_TYPE names them.
const (
	SelfSigned  = "selfsigned"
	OwnCert     = "owncert"
	LetsEncrypt = "letsencrypt"
)

const (
	serverLife = 365 * 24 * time.Hour // as OpenVidu's
	// Peers compare a fingerprint from the signalling and look at no date, so this one need not be changed ever.
	dtlsLife = 20 * 365 * 24 * time.Hour
	// renewBefore is how long before its end a self-signed certificate is made anew.
	renewBefore = 30 * 24 * time.Hour
)

// Config says where the certificates are and for whom.
type Config struct {
	Dir    string // the data folder; ours are in its subfolder certificates, with mode 0600
	Domain string // DOMAIN_OR_PUBLIC_IP: a name or an address; "" for none
	// Also is a second name that leads here, www.DOMAIN; "" for none. The self-signed certificate is for it too, and an
	// authority is asked for one of its own. See SetAlso.
	Also string
	// Kind is CERTIFICATE_TYPE; "" is SelfSigned. OwnCert shows what is in DIR/owncert, in whatever form (folder.go).
	Kind string
	ACME ACME // of LetsEncrypt
	// Own tells the addresses at which the world was seen to reach us, and Resolver those that Domain has: nothing is
	// asked of an authority while they differ. Own nil, or empty: not known, so not compared. Resolver nil: the system's.
	Own      func() []netip.Addr
	Resolver Resolver
	Log      *slog.Logger // nil discards

	looking bool // Check, which makes nothing

	// For tests, which have authorities of their own and little time.
	roots *x509.CertPool            // nil: the system's
	reach func(netip.AddrPort) bool // whether intermediates may be fetched from there; nil: public addresses, port 80
	every time.Duration             // between two looks at the folder, or at DNS; 0: 10 s and 30 s
	renew time.Duration             // between two looks at an authority's certificate; 0: 10 min
}

// Resolver finds the addresses of a name; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Store holds the certificates of a node.
type Store struct {
	config    Config
	dtls      tls.Certificate
	authority *authority // nil but for LetsEncrypt

	mu      sync.Mutex
	also    string        // Config.Also now
	second  *authority    // of also, nil if nobody is asked for it
	changed chan struct{} // closed when second is another
	server  server
	renewAt time.Time // not before: after a failure, an hour later
	reload  *Problem  // why what is in the owner's folder now is not what is shown
}

// server is a certificate the front door can show, and what was noticed when it was read.
type server struct {
	tls.Certificate
	complete bool      // the chain leads to a root
	noticed  []Problem // beside what its own fields tell
}

// New reads the certificates and makes those that are ours and missing, near their end, or of another domain. Missing
// intermediates of the owner's are asked for on the network, for 5 s at most. Errors are of kind Invalid and name the
// file and the remedy.
func New(config Config) (*Store, error) {
	if err := Usable(config); err != nil {
		return nil, err
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{config: config, also: config.Also, changed: make(chan struct{})}
	var err error
	if s.dtls, err = keep(s.path("dtls.pem"), identity{name: "tertulia"}, dtlsLife); err != nil {
		return nil, err
	}
	switch config.Kind {
	case OwnCert:
		s.server, err = loadOwn(context.Background(), config)
	case LetsEncrypt:
		s.authority, err = newAuthority(config)
		if err == nil {
			s.second, err = s.secondFor(config.Also)
		}
		if err == nil {
			s.server.Certificate, err = keep(s.path("selfsigned.pem"), s.identity(), serverLife)
		}
	default:
		s.server.Certificate, err = keep(s.path("selfsigned.pem"), s.identity(), serverLife)
	}
	if err != nil {
		return nil, asInvalid(err)
	}
	s.alert()
	return s, nil
}

// Usable refuses what New refuses of settings and of files that are there, with the same error. It makes nothing, and asks
// nobody.
func Usable(config Config) error {
	var err error
	ours := []string{"dtls.pem", "selfsigned.pem"}
	switch config.Kind {
	case OwnCert:
		ours = ours[:1]
		_, _, err = readOwn(config, time.Now())
	case LetsEncrypt:
		_, err = newAuthority(config)
	case SelfSigned, "":
	default:
		err = fault.New(fault.Invalid, "CERTIFICATE_TYPE=%s is not known → use selfsigned, owncert or letsencrypt", config.Kind)
	}
	for _, name := range ours {
		if err == nil {
			_, err = find(config.path(name))
		}
	}
	return asInvalid(err)
}

// Run watches over the certificates until ctx ends: the owner's folder, and what the authority has given. port is the
// front door's, which the authority's challenge must come to.
func (s *Store) Run(ctx context.Context, port int) error {
	switch s.config.Kind {
	case OwnCert:
		return s.watch(ctx)
	case LetsEncrypt:
		if port != challengePort && !s.config.ACME.HTTP {
			s.config.Log.Warn("the authority connects to port 443, which is not ours",
				"HTTPS_PORT", port, "remedy", "set HTTPS_PORT=443, or forward TCP port 443 to this port")
		}
		var second sync.WaitGroup
		second.Go(func() { s.runSecond(ctx, port) })
		defer second.Wait()
		s.authority.run(ctx, port)
		return nil
	}
	<-ctx.Done()
	return nil
}

// DTLS returns the certificate for WebRTC peers: ECDSA P-256, the same for the life of the data folder.
func (s *Store) DTLS() tls.Certificate { return s.dtls }

// Trusted reports whether the front door shows something else than a certificate of our own making.
func (s *Store) Trusted() bool {
	return s.config.Kind == OwnCert || s.authority != nil && s.authority.certificate() != nil
}

// TLSConfig returns the front door's settings: TLS 1.2 at least, HTTP/2 and HTTP/1.1 by ALPN, STUN and TURN by ALPN
// (RFC 7443), clients without any, and with LetsEncrypt the authority's challenge (RFC 8737).
func (s *Store) TLSConfig() *tls.Config {
	protocols := []string{"h2", "http/1.1", "stun.turn", "stun.nat-discovery"}
	if s.authority != nil {
		protocols = append(protocols, challengeALPN)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if s.authority != nil && isChallenge(hello) {
				return s.answer(hello)
			}
			return s.current(time.Now(), hello.ServerName), nil
		},
	}
}

// current is what a client is shown that asks for a name, "" for none. It renews our own certificate under a process that
// outlives it; if that fails, the old one is still better than none.
func (s *Store) current(now time.Time, name string) *tls.Certificate {
	if certificate := s.issued(name); certificate != nil {
		return certificate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config.Kind != OwnCert && ending(s.server.Leaf, now) && now.After(s.renewAt) {
		renewed, err := keep(s.path("selfsigned.pem"), s.identity(), serverLife)
		if err != nil {
			s.renewAt = now.Add(time.Hour)
			s.config.Log.Error("the self-signed certificate could not be renewed", "error", err)
		} else {
			s.server.Certificate = renewed
		}
	}
	certificate := s.server.Certificate
	return &certificate
}

func (s *Store) path(name string) string { return s.config.path(name) }

// path is where a file of ours is.
func (c Config) path(name string) string { return filepath.Join(c.Dir, "certificates", name) }

// identity is whom the self-signed certificate is for: the domain, the second name, and everything a browser in this machine
// or its network may call it. It has a name in any case: Java, and so openvidu-java-client, cannot read one without.
func (s *Store) identity() identity {
	who := identity{name: cmp.Or(s.config.Domain, "localhost"), hosts: []string{"localhost"}, addresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	if address := net.ParseIP(strings.Trim(s.config.Domain, "[]")); address != nil {
		who.addresses = append(who.addresses, address)
	} else if s.config.Domain != "" {
		who.hosts = append(who.hosts, s.config.Domain)
	}
	if s.also != "" {
		who.hosts = append(who.hosts, s.also)
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
