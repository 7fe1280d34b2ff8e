package certs

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"
)

const www = "www." + domain

// handshake is what a browser that trusts what is shown makes of a name.
func handshake(t *testing.T, s *Store, name string) error {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := tls.NewListener(plain, s.TLSConfig())
	echo(t, listener)
	_, err = dial(t, listener.Addr(), rootsOf(shown(t, s)), name)
	return err
}

// The second name is in the self-signed certificate from the start, or from when it is wanted; the file that a node of
// before has left is made anew for it, and not again.
func TestTheSecondNameIsInOurCertificate(t *testing.T) {
	config := Config{Dir: t.TempDir(), Domain: domain}
	first := store(t, config)
	if err := handshake(t, first, www); err == nil {
		t.Error("the name is there though nobody wants it")
	}
	config.Also = www
	second := store(t, config)
	for _, name := range []string{domain, www, "localhost"} {
		if err := handshake(t, second, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !same(shown(t, second), shown(t, store(t, config))) {
		t.Error("the next start made another one")
	}
	if !same(first.DTLS(), second.DTLS()) {
		t.Error("the DTLS certificate has changed")
	}

	live := store(t, Config{Dir: t.TempDir(), Domain: domain})
	for _, step := range []struct {
		also  string
		fails bool
	}{{"", true}, {www, false}, {www, false}} {
		if err := live.SetAlso(step.also); err != nil {
			t.Fatal(err)
		}
		if err := handshake(t, live, www); (err != nil) != step.fails {
			t.Errorf("while %q is wanted: %v", step.also, err)
		}
	}
}

// The authority gives each name a certificate of its own; one whose record is missing keeps nothing from the other, and
// comes when the record is there.
func TestTheAuthorityIsAskedForTheSecondName(t *testing.T) {
	s := newSite(t, []string{"127.0.0.1"}, time.Hour, func(c *Config) { c.Also = www })
	shows := func(name string) func() bool {
		return func() bool {
			client, err := dial(t, s.listener.Addr(), s.pebble.issuer, name)
			return err == nil && client.ConnectionState().PeerCertificates[0].VerifyHostname(name) == nil
		}
	}
	s.pebble.zone.without(www)
	stop := run(t, s.store, s.port())
	await(t, 30*time.Second, "the domain's certificate is there", shows(domain))
	await(t, 10*time.Second, "it is said", func() bool { return strings.Contains(s.log.String(), www+" has no address") })
	if problems := s.store.Status().Problems; len(problems) != 1 || problems[0].Code != DNSMismatch || !s.store.Trusted() {
		t.Errorf("found %+v", problems)
	}
	s.pebble.zone.without("")
	await(t, 30*time.Second, "the second is there", shows(www))
	if n, problems := s.pebble.orders(), s.store.Status().Problems; n != 2 || len(problems) > 0 || !shows(domain)() {
		t.Errorf("%d orders, found %+v", n, problems)
	}
	if err := s.store.SetAlso(""); err != nil {
		t.Fatal(err)
	}
	if shows(www)() || !shows(domain)() {
		t.Error("the name is still there, or the domain's is not")
	}
	if err := s.store.SetAlso(www); err != nil {
		t.Fatal(err)
	}
	await(t, 10*time.Second, "the stored one is shown again", shows(www))
	if n := s.pebble.orders(); n != 2 {
		t.Errorf("%d orders, want no third", n)
	}
	if n := strings.Count(s.log.String(), "port 443, which is not ours"); n != 1 {
		t.Errorf("the port was warned of %d times", n)
	}
	stop()
}

// The owner's certificate is the owner's business: what it lacks is said.
func TestAnOwnCertificateWithoutTheSecondName(t *testing.T) {
	root := newRoot(t)
	for name, lacking := range map[string]bool{"both": false, "one": true} {
		leaf := root.sign(t, domain, func(c *x509.Certificate) {
			c.DNSNames, c.KeyUsage = []string{domain, www}, x509.KeyUsageDigitalSignature
			if lacking {
				c.DNSNames = c.DNSNames[:1]
			}
		}, nil)
		config := owned(t, files{"cert.pem": leaf.pem(), "key.pem": leaf.keyPEM(t), "root.crt": root.pem()})
		config.Domain, config.Also = domain, www
		s := store(t, config)
		for who, problems := range map[string][]Problem{"a running server": s.Status().Problems, "the doctor": Check(t.Context(), config).Problems} {
			found := false
			for _, p := range problems {
				found = found || p.Code == NameMismatch && strings.Contains(p.Text, www) && strings.Contains(p.Fix, "REDIRECT_WWW=false")
			}
			if found != lacking {
				t.Errorf("%s, %s finds %+v", name, who, problems)
			}
		}
		if err := s.SetAlso(""); err != nil || len(s.Status().Problems) > 0 {
			t.Errorf("%s: %v, %+v", name, err, s.Status().Problems)
		}
	}
}
