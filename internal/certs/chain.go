package certs

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// mostChain bounds a chain, leaf included.
const mostChain = 10

// pair is a certificate with its key.
type pair struct {
	cert foundCert
	key  foundKey
}

// choose finds the certificate to show: one whose key is there, no authority's, for the domain, valid now, and of those
// the one that ends last. The error is a Problem.
func (m *material) choose(domain string, now time.Time) (pair, error) {
	var pairs []pair
	for _, c := range m.certs {
		if i := slices.IndexFunc(m.keys, func(k foundKey) bool { return belongs(k, c) }); i >= 0 {
			pairs = append(pairs, pair{c, m.keys[i]})
		}
	}
	if len(pairs) == 0 {
		return pair{}, m.unpaired()
	}
	best := slices.MaxFunc(pairs, func(a, b pair) int {
		return cmp.Or(
			before(a.cert.IsCA, b.cert.IsCA), before(!isFor(a.cert, domain), !isFor(b.cert, domain)),
			before(!valid(a.cert, now), !valid(b.cert, now)), a.cert.NotAfter.Compare(b.cert.NotAfter))
	})
	if isFor(best.cert, domain) {
		return best, nil
	}
	for _, c := range m.certs { // the right one is there, and the key is another's
		if !c.IsCA && isFor(c, domain) {
			return pair{}, Problem{Unreadable, fmt.Sprintf("the certificate for %s in %s has no key here: the key in %s belongs to the certificate for %s in %s",
				domain, c.file, best.key.file, subject(best.cert.Certificate), best.cert.file), "put the key there that the certificate was asked for with"}
		}
	}
	return best, nil
}

// before orders true below false.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func valid(c foundCert, now time.Time) bool { return now.After(c.NotBefore) && now.Before(c.NotAfter) }

func isFor(c foundCert, domain string) bool {
	return domain == "" || c.VerifyHostname(host(domain)) == nil
}

func belongs(k foundKey, c foundCert) bool {
	public, ok := k.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// unpaired says why no certificate can be shown.
func (m *material) unpaired() error {
	if len(m.refused) > 0 && (len(m.keys) == 0 || len(m.certs) == 0) {
		first := m.refused[0]
		for _, p := range m.refused[1:] {
			first.Text += "; " + p.Text
		}
		return first
	}
	switch {
	case len(m.certs) == 0 && len(m.keys) == 0:
		return Problem{Unreadable, "there is neither a certificate nor a key in " + m.folder,
			"put them there (" + strings.Join(extensions, ", ") + "), or use CERTIFICATE_TYPE=selfsigned"}
	case len(m.certs) == 0:
		return Problem{Unreadable, "there is a key in " + m.keys[0].file + " but no certificate in " + m.folder, "put the certificate there"}
	case len(m.keys) == 0:
		return Problem{Unreadable, fmt.Sprintf("there is the certificate for %s in %s but no key in %s", subject(m.certs[0].Certificate), m.certs[0].file, m.folder),
			"put the key there that it was asked for with"}
	}
	var known []string
	for _, c := range m.certs {
		known = append(known, fmt.Sprintf("that for %s in %s (public key %s)", subject(c.Certificate), c.file, pin(c.PublicKey)))
	}
	return Problem{Unreadable, fmt.Sprintf("the key in %s (public key %s) belongs to no certificate here, not to %s",
		m.keys[0].file, pin(m.keys[0].Public()), strings.Join(known, ", nor to ")), "put the key there that the certificate was asked for with"}
}

// pin shortens a public key to what people can compare: openssl pkey -pubout -outform DER | sha256sum.
func pin(public crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "unknown"
	}
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:8]) + "…"
}

// subject is a certificate's name for people: its host names, else its common name.
func subject(c *x509.Certificate) string {
	switch {
	case len(c.DNSNames) > 0:
		return strings.Join(c.DNSNames[:min(3, len(c.DNSNames))], ", ")
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return cmp.Or(c.Subject.CommonName, c.Subject.String(), "nobody")
}

// build sorts the chain behind a leaf, without the root; rooted says that the root was found.
func (m *material) build(leaf *x509.Certificate) (chain []*x509.Certificate, rooted bool) {
	chain = []*x509.Certificate{leaf}
	for len(chain) < mostChain {
		last := chain[len(chain)-1]
		if isRoot(last) {
			return chain[:max(1, len(chain)-1)], true
		}
		next := m.issuerOf(last)
		if next == nil || slices.ContainsFunc(chain, next.Equal) {
			break
		}
		chain = append(chain, next)
	}
	return chain, false
}

func (m *material) issuerOf(child *x509.Certificate) *x509.Certificate {
	var best *x509.Certificate
	for _, c := range m.certs {
		if issued(c.Certificate, child) && (best == nil || c.NotAfter.After(best.NotAfter)) {
			best = c.Certificate
		}
	}
	return best
}

func issued(parent, child *x509.Certificate) bool {
	return !parent.Equal(child) && bytes.Equal(parent.RawSubject, child.RawIssuer) && child.CheckSignatureFrom(parent) == nil
}

// isRoot reports whether a certificate has signed itself; a leaf that did is a chain of its own.
func isRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// known reports whether a chain leads to a root that this machine trusts. A machine without roots cannot say; then a
// chain with an intermediate is taken for whole.
func known(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) bool {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	leaf := chain[0]
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		now = leaf.NotBefore.Add(time.Second) // whether it is whole does not depend on its age
	}
	_, err := leaf.Verify(x509.VerifyOptions{Intermediates: between, Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if noRoots := (x509.SystemRootsError{}); errors.As(err, &noRoots) {
		return len(chain) > 1
	}
	return err == nil
}
