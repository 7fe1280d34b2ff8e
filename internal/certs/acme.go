package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// ACME says whom to ask for a certificate (RFC 8555).
type ACME struct {
	Email     string // the account's; "" for none
	Directory string // URL; "" is Let's Encrypt
	Roots     string // PEM file that the authority's HTTPS is trusted by; "" for the system's roots
	// HTTP says that TCP port 80 is ours and leads to HTTPChallenge: then HTTP-01 is tried after TLS-ALPN-01.
	HTTP bool
}

const (
	challengeALPN = "acme-tls/1" // RFC 8737
	challengePort = 443          // where the authority connects to
	askAgain      = 30 * time.Second
	renewAgain    = 10 * time.Minute
	repeatAgain   = 15 * time.Minute // at the least, between two orders that are repeated out of turn
)

// authority asks for the certificate of one domain, and renews it a third of its life before its end, or when the
// authority says so (RFC 9773). certmagic knows the protocol, the back-off and the storage.
type authority struct {
	config  Config
	storage *certmagic.FileStorage
	roots   *x509.CertPool

	mu      sync.Mutex
	magic   *certmagic.Config // nil until run
	cache   *certmagic.Cache
	issuers []*certmagic.ACMEIssuer
	problem *Problem  // why there is no new certificate
	moved   time.Time // when an order was last repeated because the domain had moved
	asking  bool      // an order is open: only then is anybody's challenge looked at
}

// newAuthority checks the settings and starts nothing. Errors are Problems.
func newAuthority(config Config) (*authority, error) {
	config.Domain = strings.ToLower(strings.TrimSuffix(config.Domain, "."))
	if config.Domain == "" || net.ParseIP(strings.Trim(config.Domain, "[]")) != nil {
		return nil, Problem{NameMismatch, "CERTIFICATE_TYPE=letsencrypt needs a host name in DOMAIN_OR_PUBLIC_IP, not " + cmp.Or(config.Domain, "nothing"),
			"set it to the name that browsers call this server by, or use CERTIFICATE_TYPE=selfsigned"}
	}
	a := &authority{config: config, storage: &certmagic.FileStorage{Path: filepath.Join(config.Dir, "certificates", "acme")}}
	if file := config.ACME.Roots; file != "" {
		text, err := os.ReadFile(file)
		a.roots = x509.NewCertPool()
		if err != nil || !a.roots.AppendCertsFromPEM(text) {
			return nil, Problem{Unreadable, "ACME_ROOTS=" + file + " holds no PEM certificate that can be read", "name the PEM file with the root of the authority's own HTTPS"}
		}
	}
	return a, nil
}

// start makes what certmagic needs; end ends it.
func (a *authority) start(port int) (end func()) {
	log := bridge(a.config.Log)
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		RenewCheckInterval: cmp.Or(a.config.renew, renewAgain),
		Logger:             log,
	})
	magic = certmagic.New(cache, certmagic.Config{
		Storage: a.storage, Logger: log, OnEvent: a.event,
		OCSP: certmagic.OCSPConfig{DisableStapling: true}, // Let's Encrypt has ended OCSP; others cost a connection out
	})
	template := certmagic.ACMEIssuer{
		CA: a.config.ACME.Directory, Email: a.config.ACME.Email, TrustedRoots: a.roots, Agreed: true, Logger: log,
		AltTLSALPNPort: port, // ours, so that certmagic finds it taken and opens none
	}
	alpn, plain := template, template
	alpn.DisableHTTPChallenge, plain.DisableTLSALPNChallenge = true, true
	issuers := []*certmagic.ACMEIssuer{certmagic.NewACMEIssuer(magic, alpn)}
	if a.config.ACME.HTTP {
		issuers = append(issuers, certmagic.NewACMEIssuer(magic, plain))
	}
	magic.Issuers = nil
	for _, issuer := range issuers {
		magic.Issuers = append(magic.Issuers, issuer)
	}
	a.mu.Lock()
	a.magic, a.cache, a.issuers = magic, cache, issuers
	a.mu.Unlock()
	return cache.Stop
}

// run gets the certificate and keeps it new until ctx ends. While DNS leads elsewhere nobody is asked; then, and after
// an error, it looks again every 30 s.
func (a *authority) run(ctx context.Context, port int) {
	defer a.start(port)()
	for again := cmp.Or(a.config.every, askAgain); ; {
		err := a.obtain(ctx)
		if err == nil {
			break
		}
		if errors.Is(err, errMoved) {
			continue
		}
		a.fail(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
	alert := time.NewTicker(alertEvery)
	defer alert.Stop()
	for {
		select { // certmagic renews
		case <-ctx.Done():
			return
		case <-alert.C:
			if shown := a.certificate(); shown != nil {
				for _, p := range inspect(*shown, a.config.Domain, time.Now()) {
					a.config.Log.Warn(p.Text, "problem", p.Code, "remedy", p.Fix)
				}
			}
		}
	}
}

// obtain takes the certificate from the storage, else from the authority. However many clients wait, it is one order.
func (a *authority) obtain(ctx context.Context) error {
	switch _, err := a.magic.CacheManagedCertificate(ctx, a.config.Domain); {
	case err == nil:
		return a.cache.RenewManagedCertificates(ctx)
	case !errors.Is(err, fs.ErrNotExist):
		return Problem{Unreadable, fmt.Sprintf("the certificate in %s cannot be read (%v)", a.storage.Path, err), "make the folder readable for this user, or delete it: then a new one is asked for"}
	}
	if err := a.leadsHere(ctx); err != nil {
		return err
	}
	// Async means that it repeats what failed, less and less often, as the limits of authorities want it. event ends
	// that as soon as DNS leads elsewhere.
	asking, end := a.untilMoved(ctx)
	err := a.magic.ObtainCertAsync(asking, a.config.Domain)
	if why := context.Cause(asking); errors.Is(why, errMoved) {
		err = why
	}
	end()
	if err != nil {
		return err
	}
	_, err = a.magic.CacheManagedCertificate(ctx, a.config.Domain)
	return err
}

// event is told by certmagic what it is about to do and what came of it.
func (a *authority) event(ctx context.Context, name string, about map[string]any) error {
	switch name {
	case "cert_obtaining":
		if err := a.leadsHere(ctx); err != nil {
			a.fail(err)
			return certmagic.ErrNoRetry{Err: err}
		}
		a.open(true)
	case "cert_failed":
		a.open(false)
		if err, ok := about["error"].(error); ok {
			a.fail(err)
		}
	case "cert_obtained":
		a.open(false)
		a.mu.Lock()
		a.problem = nil
		a.mu.Unlock()
		a.config.Log.Info("the authority has given a certificate", "domain", a.config.Domain)
	}
	return nil
}

func (a *authority) open(order bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asking = order
}

// fail keeps why there is no certificate, and logs it unless it was known.
func (a *authority) fail(err error) {
	var problem Problem
	if !errors.As(err, &problem) {
		if errors.Is(err, context.Canceled) {
			return
		}
		said := err.Error()
		if refusal := (acme.Problem{}); errors.As(err, &refusal) {
			said = refusal.Error()
		}
		problem = Problem{OrderFailed, "the authority has given no certificate for " + a.config.Domain + ": " + said,
			"make TCP port 443 of " + a.config.Domain + " lead to HTTPS_PORT here, and let this machine connect to the authority; it is tried again without a restart"}
	}
	a.mu.Lock()
	isNew := a.problem == nil || *a.problem != problem
	a.problem = &problem
	a.mu.Unlock()
	if isNew {
		a.config.Log.Error("no trusted certificate: "+problem.Text, "problem", problem.Code, "remedy", problem.Fix)
	}
}

func (a *authority) problemNow() *Problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.problem
}

// certificate is the one that ends last, nil if there is none.
func (a *authority) certificate() *tls.Certificate {
	a.mu.Lock()
	cache := a.cache
	a.mu.Unlock()
	if cache == nil {
		return nil
	}
	all := cache.AllMatchingCertificates(a.config.Domain)
	if len(all) == 0 {
		return nil
	}
	latest := slices.MaxFunc(all, func(x, y certmagic.Certificate) int { return x.Leaf.NotAfter.Compare(y.Leaf.NotAfter) })
	return &latest.Certificate
}

// stored reads the certificate from the storage as certmagic lays it out, without starting anything; nil if there is none.
func (a *authority) stored() *tls.Certificate {
	files, _ := filepath.Glob(filepath.Join(a.storage.Path, "certificates", "*", a.config.Domain, a.config.Domain+".crt")) // errors are of the pattern
	var latest *tls.Certificate
	for _, file := range files {
		found, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".crt")+".key")
		if err == nil && (latest == nil || found.Leaf.NotAfter.After(latest.Leaf.NotAfter)) {
			latest = &found
		}
	}
	return latest
}

func isChallenge(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == challengeALPN
}

// answer shows the authority that we are the domain (RFC 8737). Other names are refused before anything is looked for.
func (a *authority) answer(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	magic, asking := a.magic, a.asking
	a.mu.Unlock()
	if magic == nil || !asking || !strings.EqualFold(hello.ServerName, a.config.Domain) {
		return nil, errors.New("no challenge is open for this name")
	}
	return magic.GetCertificate(hello)
}

// HTTPChallenge answers HTTP-01 (RFC 8555 §8.3) on TCP port 80 and passes on everything else.
func (s *Store) HTTPChallenge(next http.Handler) http.Handler {
	if s.authority == nil || !s.config.ACME.HTTP {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, a := range s.authorities() {
			if a.answerHTTP(w, r) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (a *authority) answerHTTP(w http.ResponseWriter, r *http.Request) bool {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host
	}
	a.mu.Lock()
	issuers, asking := a.issuers, a.asking
	a.mu.Unlock()
	return asking && len(issuers) > 1 && strings.EqualFold(name, a.config.Domain) && issuers[1].HandleHTTPChallenge(w, r)
}
