package certs

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const domain = "meet.example.org"

// site is a server that wants a certificate from a pebble.
type site struct {
	config   Config
	log      *logbook
	store    *Store
	listener net.Listener
	pebble   *pebble
}

// newSite opens a port, and an authority that connects to it. What the front door does with a connection whose ALPN is
// the challenge's is done here by the handshake alone.
func newSite(t *testing.T, records []string, life time.Duration, change func(*Config)) *site {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	zone := newZone(t, records...)
	s := &site{log: &logbook{}, pebble: newPebble(t, zone, plain.Addr().(*net.TCPAddr).Port, 1, life)}
	s.config = Config{
		Dir: t.TempDir(), Domain: domain, Kind: LetsEncrypt, Log: s.log.logger(), Resolver: zone,
		ACME: ACME{Email: "admin@example.org", Directory: s.pebble.directory, Roots: s.pebble.roots},
		Own:  func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} }, every: 50 * time.Millisecond, renew: 100 * time.Millisecond,
	}
	if change != nil {
		change(&s.config)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the store: %s", s.log)
		}
	})
	s.store = store(t, s.config)
	s.listener = tls.NewListener(plain, s.store.TLSConfig())
	echo(t, s.listener)
	return s
}

func (s *site) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// leaf is what a browser is shown that trusts the authority; nil if it is something else.
func (s *site) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	client, err := dial(t, s.listener.Addr(), s.pebble.issuer, domain)
	if err != nil {
		return nil
	}
	defer client.Close()
	return client.ConnectionState().PeerCertificates[0]
}

func (s *site) trusted(t *testing.T) func() bool { return func() bool { return s.leaf(t) != nil } }

// A wrong A record: the message shows both addresses and no order is placed. Once it is right the certificate comes in
// less than 30 s, without a restart.
func TestFAQ_15__DNSIsComparedBeforeAsking(t *testing.T) {
	s := newSite(t, []string{"192.0.2.7"}, time.Hour, nil)
	stop := run(t, s.store, s.port())
	await(t, 10*time.Second, "DNS is looked at again and again", func() bool { return s.pebble.zone.lookups() > 5 })
	for _, part := range []string{"resolves to 192.0.2.7", "this machine is 127.0.0.1", "change the A or AAAA record", "forward TCP port 443 to this port"} {
		if !strings.Contains(s.log.String(), part) {
			t.Errorf("the log does not say %q:\n%s", part, s.log)
		}
	}
	if n := strings.Count(s.log.String(), "resolves to"); n != 1 {
		t.Errorf("it was said %d times, want once", n)
	}
	if n := s.pebble.orders(); n != 0 {
		t.Errorf("%d orders were placed", n)
	}
	if s.leaf(t) != nil || s.store.Trusted() {
		t.Error("a certificate is there already")
	}
	status := s.store.Status()
	if !status.Temporary || len(status.Problems) == 0 || status.Problems[len(status.Problems)-1].Code != DNSMismatch {
		t.Errorf("the status is %+v", status)
	}
	if _, err := dial(t, s.listener.Addr(), rootsOf(shown(t, s.store)), domain); err != nil {
		t.Errorf("no temporary certificate: %v", err)
	}

	s.pebble.zone.set("127.0.0.1")
	began := time.Now()
	await(t, 30*time.Second, "the certificate is there", s.trusted(t))
	t.Logf("%v after DNS was right", time.Since(began))
	if n := s.pebble.orders(); n != 1 {
		t.Errorf("%d orders, want 1", n)
	}
	status = s.store.Status()
	if status.Temporary || !status.Complete || len(status.Problems) > 0 || !s.store.Trusted() {
		t.Errorf("the status is %+v", status)
	}
	stop()
	if found := Check(t.Context(), s.config); len(found.Problems) > 0 || found.Names[0] != domain {
		t.Errorf("the doctor finds %+v", found)
	}
	s.pebble.zone.set("192.0.2.8", "127.0.0.1")
	if found := Check(t.Context(), s.config).Problems; len(found) != 1 || found[0].Code != DNSMismatch || !strings.Contains(found[0].Text, "192.0.2.8, but") {
		t.Errorf("the doctor finds %+v", found)
	}
}

// It serves by its temporary certificate while the domain has no address at all; once it has, what is trusted is taken
// over in less than a minute, however the 30 s between two looks fall.
func TestENT_12__TakenOverWhenDNSIsRight(t *testing.T) {
	s := newSite(t, nil, time.Hour, nil)
	run(t, s.store, s.port())
	await(t, 10*time.Second, "it is said", func() bool { return strings.Contains(s.log.String(), domain+" has no address") })
	if !strings.Contains(s.log.String(), "make an A record of "+domain+" with the address of this machine 127.0.0.1") || s.pebble.orders() != 0 {
		t.Errorf("%d orders; the log says\n%s", s.pebble.orders(), s.log)
	}
	early, err := dial(t, s.listener.Addr(), rootsOf(shown(t, s.store)), domain)
	if err != nil {
		t.Fatalf("no temporary certificate: %v", err)
	}
	s.pebble.zone.set("127.0.0.1")
	began := time.Now()
	await(t, 30*time.Second, "the certificate is there", s.trusted(t))
	if took := time.Since(began) + askAgain; took > time.Minute {
		t.Errorf("taken over after %v at worst, want a minute", took)
	}
	stillThere(t, []*tls.Conn{early})
}

func rootsOf(c tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.Leaf)
	return pool
}

// One order, however many clients come while there is no certificate, and none after a restart.
func TestENT_10__OneOrder(t *testing.T) {
	s := newSite(t, []string{"127.0.0.1"}, time.Hour, nil)
	stop := run(t, s.store, s.port())
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			stream, err := net.Dial("tcp", s.listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer stream.Close()
			client := tls.Client(stream, &tls.Config{ServerName: domain, InsecureSkipVerify: true})
			if err := client.HandshakeContext(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	await(t, 30*time.Second, "the certificate is there", s.trusted(t))
	first := s.leaf(t)
	if n := s.pebble.orders(); n != 1 {
		t.Errorf("%d orders, want 1", n)
	}
	stop()
	again := store(t, s.config)
	run(t, again, s.port())
	await(t, 10*time.Second, "the stored one is shown", again.Trusted)
	if leaf := shown(t, again).Leaf; !leaf.Equal(first) {
		t.Errorf("after a restart another certificate is shown: %s", leaf.SerialNumber)
	}
	if n := s.pebble.orders(); n != 1 {
		t.Errorf("%d orders after a restart, want 1", n)
	}
	err := filepath.WalkDir(filepath.Join(s.config.Dir, "certificates", "acme"), func(path string, entry os.DirEntry, err error) error {
		if about, failed := entry.Info(); failed == nil && about.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, about.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A renewal ends no connection.
func TestENT_10__RenewalUnderLoad(t *testing.T) {
	s := newSite(t, []string{"127.0.0.1"}, 10*time.Second, nil)
	run(t, s.store, s.port())
	await(t, 30*time.Second, "the certificate is there", s.trusted(t))
	first := s.leaf(t)
	var live []*tls.Conn
	for range 50 {
		c, err := dial(t, s.listener.Addr(), s.pebble.issuer, domain)
		if err != nil {
			t.Fatal(err)
		}
		live = append(live, c)
	}
	await(t, 40*time.Second, "it is renewed", func() bool { leaf := s.leaf(t); return leaf != nil && !leaf.Equal(first) })
	stillThere(t, live)
}

// With port 80 ours, the authority may come there.
func TestHTTPChallenge(t *testing.T) {
	http80, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, []string{"127.0.0.1"}, time.Hour, func(c *Config) { c.ACME.HTTP = true })
	s.pebble = newPebble(t, s.pebble.zone, 1, http80.Addr().(*net.TCPAddr).Port, time.Hour) // nobody listens at 1
	s.config.ACME.Directory, s.config.ACME.Roots = s.pebble.directory, s.pebble.roots
	s.store = store(t, s.config)
	web := &http.Server{Handler: s.store.HTTPChallenge(http.NotFoundHandler())}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(http80) }()
	t.Cleanup(func() {
		_ = web.Close()
		<-ended
	})
	run(t, s.store, s.port())
	await(t, 30*time.Second, "the certificate is there", s.store.Trusted)
	if log := s.log.String(); strings.Contains(log, "port 443, which is not ours") {
		t.Errorf("it is warned of a port that need not be ours: %s", log)
	}
	answer, err := http.Get("http://" + http80.Addr().String() + "/.well-known/acme-challenge/x")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("another request: %v, %d", err, answer.StatusCode)
	}
}

// Where nobody knows our own addresses an order is placed and fails. It is not repeated a minute later, but at once when
// the domain moves; names that move all the time are not followed.
func TestAnOrderIsRepeatedWhenTheDomainMoves(t *testing.T) {
	s := newSite(t, []string{"127.0.0.2"}, time.Hour, func(c *Config) { c.Own = nil })
	run(t, s.store, s.port())
	await(t, 20*time.Second, "the first order fails", func() bool { return strings.Contains(s.log.String(), "given no certificate") })
	s.pebble.zone.set("127.0.0.1")
	await(t, 30*time.Second, "the certificate is there", s.trusted(t))
	if n := s.pebble.orders(); n != 2 {
		t.Errorf("%d orders, want 2", n)
	}
	if s.store.authority.mayRepeat() {
		t.Error("it would be repeated again at once")
	}
}

func TestAnAuthorityThatIsNotThere(t *testing.T) {
	s := newSite(t, []string{"127.0.0.1"}, time.Hour, func(c *Config) { c.ACME.Directory = "https://127.0.0.1:1/dir" })
	run(t, s.store, s.port())
	await(t, 20*time.Second, "it is said", func() bool { return strings.Contains(s.log.String(), "the authority has given no certificate") })
	problems := s.store.Status().Problems
	if len(problems) == 0 || problems[len(problems)-1].Code != OrderFailed {
		t.Errorf("found %+v", problems)
	}
}

func TestSettingsThatNoAuthorityTakes(t *testing.T) {
	for _, name := range []string{"", "192.0.2.1", "[2001:db8::1]", "2001:db8::1"} {
		_, err := New(Config{Dir: t.TempDir(), Domain: name, Kind: LetsEncrypt})
		says(t, err, "needs a host name in DOMAIN_OR_PUBLIC_IP", "set it to the name")
	}
	_, err := New(Config{Dir: t.TempDir(), Domain: domain, Kind: LetsEncrypt, ACME: ACME{Roots: "/none"}})
	says(t, err, "ACME_ROOTS=/none")
	_, err = New(Config{Dir: t.TempDir(), Kind: "other"})
	says(t, err, "CERTIFICATE_TYPE=other")
}

// Whoever claims to be the authority for another name makes us look nothing up.
func TestChallengesForOtherNames(t *testing.T) {
	s := newSite(t, []string{"192.0.2.1"}, time.Hour, nil)
	run(t, s.store, s.port())
	stream, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	client := tls.Client(stream, &tls.Config{ServerName: "other.example.org", NextProtos: []string{challengeALPN}, InsecureSkipVerify: true})
	if err := client.HandshakeContext(t.Context()); err == nil {
		t.Error("the handshake succeeded")
	}
}

func TestWhichRecordsLeadElsewhere(t *testing.T) {
	addresses := func(texts string) (all []netip.Addr) {
		for _, text := range strings.Fields(texts) {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	for _, c := range []struct{ found, own, wrong string }{
		{"192.0.2.1", "192.0.2.1", ""},
		{"::ffff:192.0.2.1", "192.0.2.1", ""},
		{"192.0.2.1", "192.0.2.2", "192.0.2.1"},
		{"192.0.2.1 2001:db8::1", "192.0.2.1", ""}, // nobody knows our IPv6 address
		{"192.0.2.1 2001:db8::1", "192.0.2.1 2001:db8::2", "2001:db8::1"},
		{"192.0.2.1 192.0.2.2", "192.0.2.1", "192.0.2.2"},
		{"2001:db8::1", "192.0.2.1", "2001:db8::1"},
	} {
		if got := list(misled(addresses(c.found), addresses(c.own))); got != c.wrong {
			t.Errorf("%s, ours %s: %q leads elsewhere, want %q", c.found, c.own, got, c.wrong)
		}
	}
}
