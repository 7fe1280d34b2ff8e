package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tertulia/internal/fault"
)

// The codes of problems.
const (
	Unreadable      = "unreadable"       // there is no certificate that can be shown
	Expired         = "expired"          //
	NotYetValid     = "not_yet_valid"    // or this machine's clock is late
	EndsSoon        = "ends_soon"        // within 21 days, and nobody has renewed it
	ChainIncomplete = "chain_incomplete" // an intermediate is missing
	NameMismatch    = "name_mismatch"    // it is not for DOMAIN_OR_PUBLIC_IP
	WeakKey         = "weak_key"         // or signature, which browsers refuse
	DNSMismatch     = "dns_mismatch"     // the domain does not lead here, so no authority is asked
	OrderFailed     = "order_failed"     // the authority has refused
)

// alertBefore is how long before its end a certificate is warned about, or a quarter of its life if that is less.
const alertBefore = 21 * 24 * time.Hour

// Problem is something that keeps browsers from trusting us.
type Problem struct {
	Code string
	Text string // what is wrong, with names, files and dates
	Fix  string // what to do
}

func (p Problem) Error() string { return p.Text + fault.Arrow + p.Fix }

// asInvalid makes a fault of an error of ours.
func asInvalid(err error) error {
	var problem Problem
	if errors.As(err, &problem) {
		return fault.New(fault.Invalid, "%s", problem.Error())
	}
	return err
}

// Status tells what the front door shows.
type Status struct {
	Kind      string // as in Config
	Temporary bool   // self-signed, until the authority gives one
	Names     []string
	NotBefore time.Time // zero, as NotAfter, if there is no certificate
	NotAfter  time.Time
	Issuer    string
	Complete  bool // the chain leads to a root
	Problems  []Problem
}

// Status tells what the front door shows now.
func (s *Store) Status() Status {
	now := time.Now()
	shown := s.current(now, "")
	s.mu.Lock()
	read, reload, also := s.server, s.reload, s.also
	s.mu.Unlock()
	read.Certificate = *shown
	config := s.config
	config.Also = also
	status := describe(config, read, now)
	if reload != nil {
		status.Problems = append(status.Problems, *reload)
	}
	status.Temporary = s.authority != nil && s.authority.certificate() == nil
	for _, a := range s.authorities() {
		if problem := a.problemNow(); problem != nil {
			status.Problems = append(status.Problems, *problem)
		}
	}
	return status
}

// Check tells what the front door of such a configuration would show, and makes, starts and orders nothing. Missing
// intermediates are looked for on the network, for 5 s at most; with LetsEncrypt DNS is compared.
func Check(ctx context.Context, config Config) Status {
	now := time.Now()
	config.looking = true
	broken := func(err error) Status {
		var problem Problem
		if !errors.As(err, &problem) {
			problem = Problem{Unreadable, err.Error(), "delete the file and start again: a new one is made"}
		}
		return Status{Kind: config.Kind, Problems: []Problem{problem}}
	}
	switch config.Kind {
	case OwnCert:
		read, err := loadOwn(ctx, config)
		if err != nil {
			return broken(err)
		}
		return describe(config, read, now)
	case LetsEncrypt:
		a, err := newAuthority(config)
		if err != nil {
			return broken(err)
		}
		status := Status{Kind: LetsEncrypt, Temporary: true}
		if certificate := a.stored(); certificate != nil {
			status = describe(config, server{Certificate: *certificate}, now)
		}
		if err := a.leadsHere(ctx); err != nil {
			status.Problems = append(status.Problems, broken(err).Problems...)
		}
		return status
	}
	file := filepath.Join(config.Dir, "certificates", "selfsigned.pem")
	certificate, err := read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Status{Kind: SelfSigned} // it is made by the first start
	case err != nil:
		return broken(fmt.Errorf("%s cannot be used: %w", file, err))
	}
	return describe(config, server{Certificate: certificate}, now)
}

// describe looks a certificate over.
func describe(config Config, s server, now time.Time) Status {
	leaf := s.Leaf
	status := Status{
		Kind: config.Kind, Names: slices.Clone(leaf.DNSNames), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		Issuer: leaf.Issuer.CommonName, Complete: s.complete || isRoot(leaf), Problems: slices.Clone(s.noticed),
	}
	for _, address := range leaf.IPAddresses {
		status.Names = append(status.Names, address.String())
	}
	if config.Kind == LetsEncrypt && !isRoot(leaf) {
		status.Complete = len(s.Certificate.Certificate) > 1 // authorities give whole chains
	}
	if config.Kind == SelfSigned || config.Kind == "" {
		status.Kind = SelfSigned
		return status // browsers ask people about it in any case, and it is renewed while we run
	}
	status.Problems = append(status.Problems, inspect(s.Certificate, config.Domain, now)...)
	if config.Kind == OwnCert {
		status.Problems = append(status.Problems, lacks(s, config.Also)...)
	}
	return status
}

// inspect finds what browsers would refuse in a certificate, its chain aside.
func inspect(shown tls.Certificate, domain string, now time.Time) []Problem {
	leaf := shown.Leaf
	who, ends := "the certificate for "+subject(leaf), leaf.NotAfter.UTC().Format(time.DateOnly)
	var found []Problem
	switch left := leaf.NotAfter.Sub(now); {
	case left < 0:
		found = append(found, Problem{Expired, who + " has expired on " + ends + ", browsers refuse it", "renew it and put the new one in its place; no restart is needed"})
	case now.Before(leaf.NotBefore):
		found = append(found, Problem{NotYetValid, who + " is valid only from " + leaf.NotBefore.UTC().Format(time.RFC3339) + " on", "set this machine's clock (timedatectl set-ntp true), or wait"})
	case left < min(alertBefore, leaf.NotAfter.Sub(leaf.NotBefore)/4):
		found = append(found, Problem{EndsSoon, who + " ends soon, on " + ends, "renew it and put the new one in its place; no restart is needed"})
	}
	if domain != "" && leaf.VerifyHostname(host(domain)) != nil {
		found = append(found, Problem{NameMismatch, who + " is not for DOMAIN_OR_PUBLIC_IP=" + domain + ", browsers refuse it",
			"get one for " + domain + ", or set DOMAIN_OR_PUBLIC_IP to a name of the certificate"})
	}
	for _, der := range shown.Certificate {
		if c, err := x509.ParseCertificate(der); err == nil {
			if weak := weakness(c); weak != "" {
				found = append(found, Problem{WeakKey, "the certificate for " + subject(c) + " " + weak + ", browsers refuse it", "get one with an ECDSA P-256 or RSA 2048 key, signed with SHA-256"})
			}
		}
	}
	return found
}

func weakness(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return fmt.Sprintf("has an RSA key of %d bits", key.N.BitLen())
		}
	case *ecdsa.PublicKey:
		if key.Params().BitSize < 256 {
			return "has an ECDSA key of " + key.Params().Name
		}
	case ed25519.PublicKey:
		return "has an Ed25519 key"
	}
	switch c.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return "is signed with " + c.SignatureAlgorithm.String()
	}
	return ""
}

// host writes an address the way VerifyHostname takes it.
func host(domain string) string {
	if address := net.ParseIP(strings.Trim(domain, "[]")); address != nil {
		return "[" + address.String() + "]"
	}
	return domain
}

// alert logs every problem there is.
func (s *Store) alert() {
	for _, problem := range s.Status().Problems {
		s.config.Log.Warn(problem.Text, "problem", problem.Code, "remedy", problem.Fix)
	}
}
