package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// What a folder may hold.
const (
	mostFiles     = 64
	mostFileBytes = 1 << 20
	mostFound     = 256 // certificates, and keys
)

// passwordFile beside the certificates has the password of an encrypted key or PKCS#12 file.
const passwordFile = "password"

var extensions = []string{".pem", ".crt", ".cer", ".cert", ".key", ".der", ".p12", ".pfx", ".p7b", ".p7c"}

// material is everything that was found in an owner's folder.
type material struct {
	folder string
	certs  []foundCert // each once
	keys   []foundKey
	// refused says, a sentence for each, which file could not be read and what to do.
	refused []Problem
}

type foundCert struct {
	*x509.Certificate
	file string
}

type foundKey struct {
	crypto.Signer
	file string
}

// readFolder reads the files of a folder that have a known extension. The error is a Problem.
func readFolder(folder string) (*material, error) {
	m := &material{folder: folder}
	names, err := candidates(folder)
	if err != nil {
		return nil, err
	}
	var password []byte
	if text, err := readFile(filepath.Join(folder, passwordFile)); err == nil {
		password = []byte(strings.TrimRight(plainText(text), "\r\n"))
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		raw, err := readFile(path)
		if err != nil {
			m.refuse("%s cannot be read (%v)", "make it a file of at most 1 MiB that this user may read", path, err)
			continue
		}
		m.read(path, raw, password)
	}
	return m, nil
}

// candidates are the names of the files worth reading.
func candidates(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, Problem{Unreadable, fmt.Sprintf("CERTIFICATE_TYPE=owncert needs the folder %s (%v)", folder, err),
			"make it and put certificate and key there, or use CERTIFICATE_TYPE=selfsigned"}
	}
	var names []string
	for _, entry := range entries {
		if slices.Contains(extensions, strings.ToLower(filepath.Ext(entry.Name()))) {
			names = append(names, entry.Name())
		}
	}
	if len(names) > mostFiles {
		return nil, Problem{Unreadable, fmt.Sprintf("%s holds %d files that may be certificates, more than %d", folder, len(names), mostFiles),
			"leave there only those of this server"}
	}
	return names, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, mostFileBytes+1))
	if err == nil && len(raw) > mostFileBytes {
		err = errors.New("it is too large")
	}
	return raw, err
}

func (m *material) refuse(text, fix string, args ...any) {
	m.refused = append(m.refused, Problem{Unreadable, fmt.Sprintf(text, args...), fix})
}

// read takes what a file holds: PEM blocks in any order, or one thing in DER.
func (m *material) read(path string, raw, password []byte) {
	blocks, broken := blocksOf(raw)
	if broken > 0 {
		m.refuse("%s holds a PEM block that is cut off or damaged", "copy the file again, as a whole", path)
	}
	for _, block := range blocks {
		m.block(path, block, password)
	}
	if len(blocks) == 0 && broken == 0 {
		m.der(path, raw, password)
	}
}

func (m *material) block(path string, block *pem.Block, password []byte) {
	switch kind := block.Type; {
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		key, err := openKey(block, password)
		m.key(path, key, err)
	case kind == "CERTIFICATE", kind == "X509 CERTIFICATE", kind == "TRUSTED CERTIFICATE":
		// OpenSSL puts its trust settings behind a TRUSTED CERTIFICATE.
		var first asn1.RawValue
		if _, err := asn1.Unmarshal(block.Bytes, &first); err == nil {
			block.Bytes = first.FullBytes
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			m.refuse("%s holds a certificate that cannot be read (%v)", "copy the file again, as a whole", path, err)
			return
		}
		m.cert(path, certificate)
	case kind == "PKCS7", kind == "CMS":
		for _, certificate := range bagged(block.Bytes) {
			m.cert(path, certificate)
		}
	case strings.HasSuffix(kind, "CERTIFICATE REQUEST"):
		m.refuse("%s is a request for a certificate, not a certificate", "send it to your authority and put its answer here", path)
	}
}

// derCerts takes certificates without PEM, one after the other or in a PKCS#7 bag.
func (m *material) derCerts(path string, raw []byte) bool {
	certificates, err := x509.ParseCertificates(raw)
	if err != nil || len(certificates) == 0 {
		certificates = bagged(raw)
	}
	m.cert(path, certificates...)
	return len(certificates) > 0
}

// der takes a file without PEM: certificates, a key, or PKCS#12.
func (m *material) der(path string, raw, password []byte) {
	if m.derCerts(path, raw) {
		return
	}
	if key, err := parseKey(raw); err == nil {
		m.key(path, key, nil)
		return
	}
	key, leaf, chain, err := pkcs12.DecodeChain(raw, string(password))
	switch {
	case err == nil:
		signer, ok := key.(crypto.Signer)
		if !ok {
			m.refuse("the key in %s cannot sign", "use an RSA or ECDSA key", path)
			return
		}
		m.key(path, signer, nil)
		m.cert(path, append([]*x509.Certificate{leaf}, chain...)...)
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		err = errPassword
		if password == nil {
			err = errLocked
		}
		m.key(path, nil, err)
	default:
		m.refuse("%s is neither PEM nor DER nor PKCS#12", "put the certificate and the key there as your authority delivered them", path)
	}
}

func (m *material) key(path string, key crypto.Signer, err error) {
	password := filepath.Join(m.folder, passwordFile)
	switch {
	case errors.Is(err, errLocked):
		m.refuse("the key in %s is encrypted and there is no password", "write the password into "+password+", or decrypt the key (openssl pkey -in … -out …)", path)
	case errors.Is(err, errPassword):
		m.refuse("the password in %s does not open %s", "correct it", password, path)
	case err != nil:
		m.refuse("the key in %s cannot be read (%v)", "use an RSA or ECDSA key in PKCS#1, SEC1 or PKCS#8 form", path, err)
	case len(m.keys) < mostFound:
		m.keys = append(m.keys, foundKey{key, path})
	}
}

func (m *material) cert(path string, certificates ...*x509.Certificate) {
	for _, certificate := range certificates {
		known := slices.ContainsFunc(m.certs, func(c foundCert) bool { return bytes.Equal(c.Raw, certificate.Raw) })
		if !known && len(m.certs) < mostFound {
			m.certs = append(m.certs, foundCert{certificate, path})
		}
	}
}

// bagged returns the certificates of a PKCS#7 SignedData without signers ("certs-only", RFC 5652 §5.1), nil if it is
// none. Authorities deliver chains in this form.
func bagged(der []byte) []*x509.Certificate {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue // [0] EXPLICIT SignedData
	}
	var signed struct {
		Version      int
		Digests      asn1.RawValue
		Content      asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional"` // [0] IMPLICIT
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil || outer.Type.String() != "1.2.840.113549.1.7.2" {
		return nil
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &signed); err != nil || signed.Certificates.Class != asn1.ClassContextSpecific {
		return nil
	}
	certificates, err := x509.ParseCertificates(signed.Certificates.Bytes)
	if err != nil {
		return nil
	}
	return certificates
}
