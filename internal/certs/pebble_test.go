package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// pebble is an ACME authority of this test alone; its idea of DNS is zone.
type pebble struct {
	log       *logbook
	directory string
	roots     string // PEM file that its HTTPS is trusted by
	issuer    *x509.CertPool
	zone      *zone
}

// orders is how many certificates it was asked for.
func (p *pebble) orders() int { return strings.Count(p.log.String(), "Added order ") }

// newPebble starts the authority, which connects to tlsPort and httpPort to see whose a domain is.
func newPebble(t *testing.T, zone *zone, tlsPort, httpPort int, life time.Duration) *pebble {
	t.Helper()
	program, err := filepath.Abs("../../bin/pebble")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		t.Fatalf("%v; scripts/need pebble builds it", err)
	}
	dir, root := t.TempDir(), newRoot(t)
	own := root.sign(t, "pebble", func(c *x509.Certificate) {
		c.IPAddresses, c.KeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, x509.KeyUsageDigitalSignature
	}, nil)
	ports := freePorts(t, 2)
	p := &pebble{log: &logbook{}, zone: zone, directory: fmt.Sprintf("https://127.0.0.1:%d/dir", ports[0]), roots: filepath.Join(dir, "root.pem")}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": fmt.Sprintf("127.0.0.1:%d", ports[0]), "managementListenAddress": fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"certificate": filepath.Join(dir, "own.pem"), "privateKey": filepath.Join(dir, "own.key"),
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "of this test", "validityPeriod": int(life.Seconds())}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"config.json": config, "own.pem": own.pem(), "own.key": own.keyPEM(t), "root.pem": root.pem()} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command(program, "-config", filepath.Join(dir, "config.json"), "-dnsserver", zone.address)
	run.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	run.Stdout, run.Stderr = p.log, p.log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		if t.Failed() {
			t.Logf("pebble: %s", p.log)
		}
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: root.pool()}, DisableKeepAlives: true}, Timeout: 5 * time.Second}
	await(t, 20*time.Second, "pebble answers", func() bool {
		answer, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/roots/0", ports[1]))
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		p.issuer = x509.NewCertPool()
		return err == nil && p.issuer.AppendCertsFromPEM(text)
	})
	return p
}

// freePorts are TCP ports that were free a moment ago; pebble takes no open socket.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// zone is a DNS server that has the same records for all names but one, and the Resolver that sees the same.
type zone struct {
	address string
	mu      sync.Mutex
	records []netip.Addr
	absent  string // the name that has none
	asked   int    // by the store
}

func newZone(t *testing.T, records ...string) *zone {
	t.Helper()
	streams, err := net.Listen("tcp", "127.0.0.1:0") // pebble asks over TCP
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{address: streams.Addr().String()}
	z.set(records...)
	server := &dns.Server{Listener: streams, Handler: z}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	t.Cleanup(func() {
		_ = streams.Close()
		<-ended
	})
	return z
}

func (z *zone) set(records ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = nil
	for _, r := range records {
		z.records = append(z.records, netip.MustParseAddr(r))
	}
}

// without leaves a name out, "" for none.
func (z *zone) without(name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.absent = name
}

// of are the records of a name.
func (z *zone) of(name string) []netip.Addr {
	z.mu.Lock()
	defer z.mu.Unlock()
	if strings.TrimSuffix(name, ".") == z.absent {
		return nil
	}
	return z.records
}

func (z *zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	records := z.of(question.Question[0].Name)
	answer := new(dns.Msg).SetReply(question)
	for _, r := range records {
		header := dns.RR_Header{Name: question.Question[0].Name, Class: dns.ClassINET, Ttl: 1}
		switch header.Rrtype = question.Question[0].Qtype; {
		case header.Rrtype == dns.TypeA && r.Is4():
			answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: r.AsSlice()})
		case header.Rrtype == dns.TypeAAAA && r.Is6():
			answer.Answer = append(answer.Answer, &dns.AAAA{Hdr: header, AAAA: r.AsSlice()})
		}
	}
	_ = w.WriteMsg(answer)
}

func (z *zone) LookupNetIP(ctx context.Context, _, name string) ([]netip.Addr, error) {
	z.mu.Lock()
	z.asked++
	z.mu.Unlock()
	return z.of(name), ctx.Err()
}

func (z *zone) lookups() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked
}
