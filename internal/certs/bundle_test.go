package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"software.sslmate.com/src/go-pkcs12"
)

// fixture reads a key that OpenSSL wrote; the password of the encrypted ones is "secret".
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// Eight bundles as people make them: six are repaired, so that a browser that knows the root alone trusts us; two are
// refused with the exact reason.
func TestFAQ_16__Bundles(t *testing.T) {
	root := newRoot(t)
	middle := root.sub(t, "Middle")
	lower := middle.sub(t, "Lower")
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	locked, _ := openKey(blocks(t, fixture(t, "pbes2-aes256-sha256.key"))[0], []byte("secret"))
	leaf, other := lower.leaf(t, "example.org", nil), lower.leaf(t, "example.net", nil)

	tree := http.NewServeMux()
	web := httptest.NewServer(tree)
	defer web.Close()
	fetched := root.sub(t, "Fetched", web.URL+"/root.crt")
	tree.HandleFunc("/fetched.crt", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(fetched.Raw) })
	tree.HandleFunc("/root.crt", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(root.pem()) })
	lone := fetched.leaf(t, "example.org", nil, web.URL+"/fetched.crt")

	withRSA := lower.leaf(t, "example.org", rsaKey)
	withLocked := lower.sign(t, "example.org", func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org", "example.org"} }, locked)
	expired := lower.sign(t, "example.org", func(c *x509.Certificate) {
		c.DNSNames, c.NotBefore, c.NotAfter = []string{"example.org"}, time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}, locked)

	for name, c := range map[string]struct {
		files files
		want  *signed
		chain int
		says  []string
	}{
		"1: one file, wrong way round, with byte order mark, CRLF and talk": {files: files{"all.pem": []byte("\ufeff" + strings.ReplaceAll(
			"Bag Attributes: friendlyName\n"+string(joined(root.pem(), middle.pem(), lower.pem(), []byte("your key:\n"), leaf.keyPEM(t), leaf.pem()))+"\nkind regards\n", "\n", "\r\n"))},
			want: leaf, chain: 3},
		"2: PKCS#1 key, chain unsorted and doubled": {files: files{
			"certificate.cert": joined(middle.pem(), withRSA.pem(), middle.pem(), root.pem(), withRSA.pem()), "lower.crt": lower.pem(),
			"certificate.key": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)),
		}, want: withRSA, chain: 3},
		"3: SEC1 key, DER certificates, line ends lost": {files: files{
			"server.cer": leaf.Raw, "chain.der": joined(lower.Raw, middle.Raw), "root.crt": root.pem(),
			"server.key": []byte(strings.ReplaceAll(string(joined(block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}),
				block("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(leaf.key.(*ecdsa.PrivateKey)))))), "\n", `\n`)),
		}, want: leaf, chain: 3},
		"4: PKCS#12 with a password": {files: files{
			"server.pfx": must[[]byte](t)(pkcs12.Modern.Encode(leaf.key, leaf.Certificate, []*x509.Certificate{root.Certificate, lower.Certificate, middle.Certificate}, "p4ss word")),
			"password":   []byte("p4ss word\r\n"),
		}, want: leaf, chain: 3},
		"5: no intermediate at all": {files: files{"cert.pem": lone.pem(), "key.pem": lone.keyPEM(t)}, want: lone, chain: 2},
		"6: several certificates, encrypted key": {files: files{
			"old.pem": expired.pem(), "other.pem": joined(other.pem(), other.keyPEM(t)), "new.pem": withLocked.pem(),
			"chain.p7b": block("PKCS7", degenerate(t, lower, middle, root)), "key.pem": fixture(t, "pbes2-aes256-sha256.key"), "password": []byte("secret\n"),
		}, want: withLocked, chain: 3},
		"7: another's key": {files: files{"certificate.cert": joined(leaf.pem(), lower.pem(), middle.pem()), "certificate.key": other.keyPEM(t)},
			says: []string{"owncert/certificate.key", "belongs to no certificate here, not to that for example.org in", "owncert/certificate.cert", pin(other.key.Public()), "put the key there"}},
		"8: encrypted key without a password": {files: files{"cert.pem": joined(withLocked.pem(), lower.pem(), middle.pem()), "key.pem": fixture(t, "dek.key")},
			says: []string{"the key in", "owncert/key.pem", "is encrypted and there is no password", "owncert/password"}},
	} {
		t.Run(name, func(t *testing.T) {
			log := &logbook{}
			config := owned(t, c.files)
			config.Log, config.roots = log.logger(), root.pool()
			s, err := New(config)
			if c.says != nil {
				says(t, err, c.says...)
				if status := Check(t.Context(), config); len(status.Problems) != 1 || status.Problems[0].Code != Unreadable {
					t.Errorf("the doctor finds %+v", status.Problems)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			client, err := dial(t, serve(t, s.TLSConfig()).Addr(), root.pool(), "example.org")
			if err != nil {
				t.Fatal(err)
			}
			sent := client.ConnectionState().PeerCertificates
			if len(sent) != c.chain || !sent[0].Equal(c.want.Certificate) {
				t.Errorf("sent %d certificates, the first for %s; want %d", len(sent), subject(sent[0]), c.chain)
			}
			if status := s.Status(); !status.Complete || len(status.Problems) > 0 || log.String() != "" {
				t.Errorf("status %+v, log %q", status, log)
			}
		})
	}
}

func blocks(t *testing.T, text []byte) []*pem.Block {
	t.Helper()
	found, broken := blocksOf(text)
	if broken != 0 || len(found) == 0 {
		t.Fatalf("%d blocks, %d broken", len(found), broken)
	}
	return found
}

// degenerate makes a PKCS#7 bag of certificates.
func degenerate(t *testing.T, all ...*signed) []byte {
	t.Helper()
	var raw []byte
	for _, c := range all {
		raw = append(raw, c.Raw...)
	}
	set := asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true}
	signed := must[[]byte](t)(asn1.Marshal(struct {
		Version          int
		Digests          asn1.RawValue
		Content          struct{ Type asn1.ObjectIdentifier }
		Certificates     asn1.RawValue
		Lists, Signature asn1.RawValue
	}{
		1, set, struct{ Type asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}},
		asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: raw},
		asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true}, set,
	}))
	return must[[]byte](t)(asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: signed}}))
}

func TestKeysThatOpenSSLWrote(t *testing.T) {
	want, err := openKey(blocks(t, fixture(t, "plain.key"))[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pbes2-aes256-sha256.key", "pbes2-aes128-sha1.key", "dek.key"} {
		text := blocks(t, fixture(t, name))[0]
		got, err := openKey(text, []byte("secret"))
		if err != nil || !got.(*ecdsa.PrivateKey).Equal(want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := openKey(text, []byte("guess")); !errors.Is(err, errPassword) {
			t.Errorf("%s with another password: %v", name, err)
		}
		if _, err := openKey(text, nil); !errors.Is(err, errLocked) {
			t.Errorf("%s without a password: %v", name, err)
		}
	}
	if _, err := openKey(blocks(t, fixture(t, "scrypt.key"))[0], []byte("secret")); !errors.Is(err, errCipher) {
		t.Errorf("scrypt: %v", err)
	}
}

func TestBlocksAsEditorsLeaveThem(t *testing.T) {
	made := newRoot(t)
	text := string(made.pem())
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for name, raw := range map[string][]byte{
		"indented":       []byte("  " + strings.ReplaceAll(text, "\n", "\n\t  ")),
		"one line":       []byte(strings.ReplaceAll(text, "\n", "")),
		"spaces":         []byte(strings.ReplaceAll(text, "\n", " ")),
		"CR":             []byte(strings.ReplaceAll(text, "\n", "\r")),
		"UTF-16":         wide,
		"no padding":     []byte(strings.ReplaceAll(text, "=", "")),
		"dashes between": []byte("------\n-- " + text + "------\n"),
		"twice":          []byte(text + text),
	} {
		found, broken := blocksOf(raw)
		if broken > 0 || len(found) == 0 || !bytes.Equal(found[0].Bytes, made.Raw) {
			t.Errorf("%s: %d blocks, %d broken", name, len(found), broken)
		}
	}
	if found, broken := blocksOf([]byte(strings.Replace(text, "\n", "\n*!", 1))); len(found) != 0 || broken != 1 {
		t.Errorf("damaged: %d blocks, %d broken", len(found), broken)
	}
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	root := newRoot(t)
	mine, theirs := root.leaf(t, "example.org", nil), root.leaf(t, "example.net", nil)
	for name, c := range map[string]struct {
		files files
		says  []string
	}{
		"nothing":              {files{"readme.txt": mine.pem()}, []string{"neither a certificate nor a key", "owncert"}},
		"garbage":              {files{"a.pem": []byte("hello")}, []string{"owncert/a.pem", "neither PEM nor DER nor PKCS#12"}},
		"damaged":              {files{"a.pem": mine.pem()[:200], "b.pem": mine.keyPEM(t)}, []string{"owncert/a.pem"}},
		"a request":            {files{"a.pem": block("CERTIFICATE REQUEST", []byte{0x30, 0}), "b.key": mine.keyPEM(t)}, []string{"owncert/a.pem", "request", "send it to your authority"}},
		"no key":               {files{"a.pem": mine.pem()}, []string{"the certificate for example.org", "owncert/a.pem", "no key"}},
		"no certificate":       {files{"a.pem": mine.keyPEM(t)}, []string{"owncert/a.pem", "no certificate"}},
		"another name's key":   {files{"a.pem": mine.pem(), "b.pem": joined(theirs.pem(), theirs.keyPEM(t))}, []string{"the certificate for example.org in", "owncert/a.pem has no key here", "belongs to the certificate for example.net in"}},
		"PKCS#12, no password": {files{"a.p12": must[[]byte](t)(pkcs12.Modern.Encode(mine.key, mine.Certificate, nil, "x"))}, []string{"owncert/a.p12", "no password"}},
		"PKCS#12, wrong one":   {files{"a.p12": must[[]byte](t)(pkcs12.Modern.Encode(mine.key, mine.Certificate, nil, "x")), "password": []byte("y")}, []string{"owncert/password does not open", "a.p12"}},
		"too large":            {files{"a.pem": make([]byte, mostFileBytes+1)}, []string{"owncert/a.pem", "too large"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(owned(t, c.files))
			says(t, err, c.says...)
		})
	}
	_, err := New(Config{Dir: t.TempDir(), Kind: OwnCert})
	says(t, err, "needs the folder", "make it")
}

func TestWhatCannotBeReadBesideAGoodPairIsSaid(t *testing.T) {
	root := newRoot(t)
	mine := root.leaf(t, "example.org", nil)
	log := &logbook{}
	config := owned(t, files{"a.pem": joined(mine.pem(), mine.keyPEM(t), root.pem()), "b.crt": []byte("hello")})
	config.Log = log.logger()
	store(t, config)
	if !strings.Contains(log.String(), "owncert/b.crt is neither") {
		t.Errorf("the log says %q", log)
	}
}

func TestWhatBrowsersWouldRefuseIsSaid(t *testing.T) {
	root := newRoot(t)
	made := func(change func(*x509.Certificate), key int) *signed {
		var signer *rsa.PrivateKey
		if key == 0 {
			key = 2048
		}
		signer = must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, key))
		return root.sign(t, "example.org", func(c *x509.Certificate) {
			c.DNSNames = []string{"example.org"}
			change(c)
		}, signer)
	}
	day := 24 * time.Hour
	for code, c := range map[string]struct {
		leaf   *signed
		domain string
		says   string
	}{
		Expired:     {made(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-9*day), time.Now().Add(-day) }, 0), "example.org", "has expired"},
		NotYetValid: {made(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(day) }, 0), "example.org", "valid only from"},
		EndsSoon: {made(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-69*day), time.Now().Add(20*day+23*time.Hour)
		}, 0), "example.org", "ends soon"},
		NameMismatch: {made(func(*x509.Certificate) {}, 0), "192.0.2.1", "is not for DOMAIN_OR_PUBLIC_IP=192.0.2.1"},
		WeakKey:      {made(func(*x509.Certificate) {}, 1024), "example.org", "RSA key of 1024 bits"},
		"":           {made(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-68*day), time.Now().Add(22*day) }, 0), "example.org", ""},
	} {
		log := &logbook{}
		config := owned(t, files{"a.pem": joined(c.leaf.pem(), c.leaf.keyPEM(t), root.pem())})
		config.Domain, config.Log = c.domain, log.logger()
		store(t, config)
		if !strings.Contains(log.String(), c.says) || strings.Count(log.String(), "\n") != min(1, len(code)) {
			t.Errorf("%s: the log does not say %q, and only that: %q", code, c.says, log)
		}
		status := Check(t.Context(), config)
		if code == "" && len(status.Problems) == 0 {
			continue
		}
		if len(status.Problems) != 1 || status.Problems[0].Code != code || status.Problems[0].Fix == "" {
			t.Errorf("%s: found %+v", code, status.Problems)
		}
	}
}

func same(a, b tls.Certificate) bool {
	return len(a.Certificate) == len(b.Certificate) && bytes.Equal(a.Certificate[0], b.Certificate[0])
}
