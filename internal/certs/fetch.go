package certs

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Bounds of asking for intermediates (RFC 5280 §4.2.2.1): a certificate names where its issuer's is.
const (
	mostHops       = 3
	fetchWithin    = 5 * time.Second // all hops together
	mostFetchBytes = 64 << 10
)

// fetcher gets intermediates and keeps them in a folder, unless somebody only looks.
type fetcher struct {
	folder string
	keep   bool
	client *http.Client
}

func newFetcher(config Config) *fetcher {
	allowed := config.reach
	if allowed == nil {
		allowed = func(to netip.AddrPort) bool { return isPublic(to.Addr()) && to.Port() == 80 }
	}
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		// Looked at after DNS, so that no name leads inside.
		if to, err := netip.ParseAddrPort(address); err != nil || !allowed(to) {
			return fmt.Errorf("%s is not a public address with port 80", address)
		}
		return nil
	}}
	return &fetcher{
		folder: filepath.Join(config.Dir, "certificates", "intermediates"), keep: !config.looking,
		client: &http.Client{
			Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}, // and no proxy
			CheckRedirect: func(r *http.Request, via []*http.Request) error {
				if len(via) > mostHops || r.URL.Scheme != "http" {
					return errors.New("it redirects too often, or not to http")
				}
				return nil
			},
		},
	}
}

// complete adds what is missing of a chain. rooted says that a root was found; failed why not, if somebody was asked.
func (f *fetcher) complete(ctx context.Context, chain []*x509.Certificate, roots *x509.CertPool, now time.Time) (whole []*x509.Certificate, rooted bool, failed error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	for range mostHops {
		if known(chain, roots, now) {
			return chain, true, nil
		}
		next, err := f.issuerOf(ctx, chain[len(chain)-1])
		if err != nil {
			return chain, false, err
		}
		if isRoot(next) {
			return chain, true, nil
		}
		chain = append(chain, next)
	}
	return chain, known(chain, roots, now), nil
}

func (f *fetcher) issuerOf(ctx context.Context, child *x509.Certificate) (*x509.Certificate, error) {
	err := errors.New("the certificate does not say where to get it")
	for _, from := range child.IssuingCertificateURL[:min(mostHops, len(child.IssuingCertificateURL))] {
		var found *x509.Certificate
		if found, err = f.get(ctx, from, child); err == nil {
			return found, nil
		}
	}
	return nil, err
}

// get takes the issuer of child from the folder, else from a URL. What is not its issuer is an error.
func (f *fetcher) get(ctx context.Context, from string, child *x509.Certificate) (*x509.Certificate, error) {
	sum := sha256.Sum256([]byte(from))
	kept := filepath.Join(f.folder, hex.EncodeToString(sum[:16])+".der")
	if raw, err := os.ReadFile(kept); err == nil {
		if c := pick(raw, child); c != nil {
			return c, nil
		}
	}
	raw, err := f.download(ctx, from)
	if err != nil {
		return nil, err
	}
	found := pick(raw, child)
	if found == nil {
		return nil, fmt.Errorf("%s is not the issuer's certificate", from)
	}
	if f.keep {
		_ = write(kept, found.Raw) // for a start without the network; this one does without
	}
	return found, nil
}

// pick finds the issuer of child in DER, PEM or PKCS#7. Nothing is decrypted: what a stranger sends costs no rounds.
func pick(raw []byte, child *x509.Certificate) *x509.Certificate {
	m := &material{}
	blocks, _ := blocksOf(raw)
	for _, block := range blocks {
		m.block("", block, nil)
	}
	if len(blocks) == 0 {
		m.derCerts("", raw)
	}
	return m.issuerOf(child)
}

func (f *fetcher) download(ctx context.Context, from string) ([]byte, error) {
	if to, err := url.Parse(from); err != nil || to.Scheme != "http" {
		return nil, fmt.Errorf("%s is not an http address", strings.ToValidUTF8(from, "?"))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", from, response.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, mostFetchBytes+1))
	if err == nil && len(raw) > mostFetchBytes {
		err = fmt.Errorf("%s is larger than %d bytes", from, mostFetchBytes)
	}
	return raw, err
}

// inside are networks that IsGlobalUnicast and IsPrivate let pass, and those that carry an IPv4 address within.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// isPublic reports whether an address is of the Internet, and so none of this machine's or its network's.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, network := range inside {
		if network.Contains(a) {
			return false
		}
	}
	return true
}
