package app

import (
	"log/slog"
	"net/netip"
	"strings"

	"tertulia/internal/certs"
	"tertulia/internal/config"
	"tertulia/internal/wire/openvidu"
)

// certificates opens the store. own tells the addresses at which the world was seen to reach us, nil if nobody looks.
func certificates(c config.Config, own func() []netip.Addr, log *slog.Logger) (*certs.Store, error) {
	settings := certificateConfig(c)
	settings.Own, settings.Log = own, log
	return certs.New(settings)
}

func certificateConfig(c config.Config) certs.Config {
	return certs.Config{
		Dir: c.Data, Domain: c.Domain, Also: c.Edge.WWW(c.Domain), Kind: c.CertificateType,
		ACME: certs.ACME{Email: c.ACME.Email, Directory: c.ACME.Directory, Roots: c.ACME.Roots, HTTP: c.HTTPPort == "80"},
	}
}

// certificateCheck is what health says of the certificate. A bad one does not make the server DOWN: those who know it
// still come in.
func certificateCheck(status certs.Status) openvidu.RESTCheck {
	check := openvidu.RESTCheck{Name: "certificate", OK: true}
	for i, problem := range status.Problems {
		if i == 0 {
			check.Code = "CERTIFICATE_" + strings.ToUpper(problem.Code)
		} else {
			check.Text += "; "
		}
		check.Text += problem.Error()
	}
	return check
}
