package certs

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// own puts files in DIR/owncert; nil leaves one out.
func own(t *testing.T, cert, key []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "owncert"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"certificate.cert": cert, "certificate.key": key} {
		if text == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "owncert", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pair issues a PEM certificate and key for example.org.
func pair(t *testing.T, from time.Time) (cert, key []byte) {
	t.Helper()
	text, err := issue(identity{name: "example.org", hosts: []string{"example.org"}}, from, serverLife)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte("-----BEGIN PRIVATE KEY"))
	return text[:at], text[at:]
}

func TestTheOwnersCertificate(t *testing.T) {
	cert, key := pair(t, time.Now())
	log := &bytes.Buffer{}
	s := store(t, Config{Dir: own(t, cert, key), Domain: "example.org", Own: true, Log: slog.New(slog.NewTextHandler(log, nil))})
	want, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if !same(shown(t, s), want) {
		t.Error("another certificate is shown")
	}
	if log.Len() > 0 {
		t.Errorf("a good certificate was warned about: %s", log)
	}
}

func TestTheOwnersMistakes(t *testing.T) {
	cert, key := pair(t, time.Now())
	_, otherKey := pair(t, time.Now())
	for name, c := range map[string]struct {
		cert, key []byte
		says      []string
	}{
		"no certificate":  {nil, key, []string{"owncert/certificate.cert", "put it there"}},
		"no key":          {cert, nil, []string{"owncert/certificate.key", "put it there"}},
		"not PEM":         {[]byte("hello"), key, []string{"owncert/certificate.cert", "PEM"}},
		"exchanged files": {key, cert, []string{"owncert/certificate.cert", "PEM"}},
		"another's key":   {cert, otherKey, []string{"owncert/certificate.key", "the key that belongs to it"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Config{Dir: own(t, c.cert, c.key), Own: true})
			says(t, err, c.says...)
		})
	}
	dir := own(t, nil, key)
	if err := os.Mkdir(filepath.Join(dir, "owncert", "certificate.cert"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dir: dir, Own: true})
	says(t, err, "owncert/certificate.cert", "cannot be read")
}

func TestWhatBrowsersWouldRefuseIsSaid(t *testing.T) {
	for want, c := range map[string]struct {
		age    time.Duration
		domain string
	}{
		"has expired": {age: serverLife + time.Hour, domain: "example.org"},
		"ends soon":   {age: serverLife - time.Hour, domain: "example.org"},
		"is not for":  {domain: "192.0.2.1"},
	} {
		cert, key := pair(t, time.Now().Add(-c.age))
		log := &bytes.Buffer{}
		store(t, Config{Dir: own(t, cert, key), Domain: c.domain, Own: true, Log: slog.New(slog.NewTextHandler(log, nil))})
		if !strings.Contains(log.String(), want) || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("the log does not say that it %s, and only that: %q", want, log)
		}
	}
}
