package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"time"

	"tertulia/internal/diagnosis"
)

// checkCertificate judges what browsers will be shown.
func checkCertificate(_ context.Context, h *host) Check {
	if h.Config.CertificateType != "owncert" {
		return fine(h.Config.CertificateType)
	}
	dir := filepath.Join(h.Config.Data, "owncert")
	file := filepath.Join(dir, "certificate.cert")
	pair, err := tls.LoadX509KeyPair(file, filepath.Join(dir, "certificate.key"))
	if err != nil {
		return faulty(diagnosis.CertificateInvalid, values{"what": err.Error(), "remedy": "Put a PEM certificate and its key there."})
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return faulty(diagnosis.CertificateInvalid, values{"what": err.Error(), "remedy": "Put a PEM certificate and its key there."})
	}
	if time.Now().After(leaf.NotAfter) {
		return faulty(diagnosis.CertificateInvalid, values{"what": fmt.Sprintf("%s ended on %s", file, leaf.NotAfter.Format(time.DateOnly)), "remedy": "Replace it."})
	}
	return fine(fmt.Sprintf("%s is good until %s", file, leaf.NotAfter.Format(time.DateOnly)))
}
