package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// loadOwn makes of the owner's folder what the front door shows. What browsers would refuse, but a server can start
// with, is noticed; the error is a Problem.
func loadOwn(ctx context.Context, config Config) (server, error) {
	now := time.Now()
	m, chosen, err := readOwn(config, now)
	if err != nil {
		return server{}, err
	}
	chain, rooted := m.build(chosen.cert.Certificate)
	var failed error
	if !rooted {
		chain, rooted, failed = newFetcher(config).complete(ctx, chain, config.roots, now)
	}
	shown := server{
		Certificate: tls.Certificate{PrivateKey: chosen.key.Signer, Leaf: chain[0]},
		complete:    rooted, noticed: m.refused,
	}
	for _, c := range chain {
		shown.Certificate.Certificate = append(shown.Certificate.Certificate, c.Raw)
	}
	if !rooted {
		shown.noticed = append(shown.noticed, missing(chain[len(chain)-1], m.folder, failed))
	}
	return shown, nil
}

// readOwn reads the owner's folder and chooses what of it is shown; the error is a Problem.
func readOwn(config Config, now time.Time) (*material, pair, error) {
	m, err := readFolder(ownFolder(config))
	if err != nil {
		return nil, pair{}, err
	}
	chosen, err := m.choose(config.Domain, now)
	return m, chosen, err
}

func ownFolder(config Config) string { return filepath.Join(config.Dir, "owncert") }

// missing names what a chain lacks behind its last certificate, and where it may be had.
func missing(last *x509.Certificate, folder string, failed error) Problem {
	text := fmt.Sprintf("the chain lacks the certificate of %q, who issued that for %s", last.Issuer.CommonName, subject(last))
	if failed != nil {
		text += fmt.Sprintf(", and it could not be fetched (%v)", failed)
	}
	where := "get it from your authority"
	if len(last.IssuingCertificateURL) > 0 {
		where = "get it from " + strings.Join(last.IssuingCertificateURL, " or ")
	}
	return Problem{ChainIncomplete, text, where + " and put it into " + folder + "; a root of your company goes there too, it is not sent"}
}
