package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tertulia/internal/certs"
	"tertulia/internal/diagnosis"
)

// checkCertificate judges what browsers will be shown. Where the domain leads is checkDNS's business.
func checkCertificate(ctx context.Context, h *host) Check {
	c := h.Config
	status := certs.Check(ctx, certs.Config{
		Dir: c.Data, Domain: c.Domain, Also: c.Edge.WWW(c.Domain), Kind: c.CertificateType,
		ACME: certs.ACME{Email: c.ACME.Email, Directory: c.ACME.Directory, Roots: c.ACME.Roots},
	})
	var what, remedy []string
	soon := ""
	for _, p := range status.Problems {
		switch p.Code {
		case certs.DNSMismatch:
		case certs.EndsSoon:
			soon = ": " + p.Fix
		default:
			what, remedy = append(what, p.Text), append(remedy, p.Fix)
		}
	}
	switch {
	case len(what) > 0:
		return faulty(diagnosis.CertificateInvalid, values{"what": strings.Join(what, "; ") + ".", "remedy": strings.Join(remedy, "; ") + "."})
	case status.Temporary && status.NotAfter.IsZero():
		return unchecked("the authority has given no certificate yet: until a running server gets one, browsers are shown a self-signed one")
	case status.NotAfter.IsZero():
		return fine(c.CertificateType + ", made by the first start")
	}
	return fine(fmt.Sprintf("%s for %s is good until %s%s", c.CertificateType, strings.Join(status.Names, ", "), status.NotAfter.Format(time.DateOnly), soon))
}
