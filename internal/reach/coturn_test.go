package reach

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const coturnSecret = "s3cret-of-the-test"

// coturn is a running turnserver.
type coturn struct {
	host, port, tls string // its addresses
}

func (c coturn) url(scheme, query string) string {
	port := c.port
	if scheme == "turns" {
		port = c.tls
	}
	return scheme + ":" + net.JoinHostPort(c.host, port) + query
}

// startCoturn runs Debian's turnserver with more flags behind a command (such as ip netns exec) until the test ends.
func startCoturn(t *testing.T, host string, before []string, flags ...string) coturn {
	t.Helper()
	c := coturn{host: host, port: freePort(t), tls: freePort(t)}
	dir := t.TempDir()
	first, last := relayRange(t)
	args := append(append([]string(nil), before...), "turnserver", "-n", "-L", host, "-E", host, "-p", c.port, "--tls-listening-port="+c.tls,
		"--min-port="+first, "--max-port="+last, "-r", "test.local", "--use-auth-secret", "-f", "--no-dtls", "--no-cli",
		"--no-multicast-peers", "-l", "stdout", "--simple-log", "--pidfile", filepath.Join(dir, "pid"), "-b", filepath.Join(dir, "db"))
	if !strings.Contains(strings.Join(flags, " "), "static-auth-secret") {
		args = append(args, "--static-auth-secret="+coturnSecret)
	}
	if !strings.Contains(strings.Join(flags, " "), "--cert") {
		args = append(args, "--no-tls")
	}
	command := exec.Command(args[0], append(args[1:], flags...)...)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // faketime starts it as a child
	if err := command.Start(); err != nil {
		t.Fatalf("coturn (scripts/need all installs it): %v", err)
	}
	listening, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		lines, up := bufio.NewScanner(out), false
		for lines.Scan() {
			// Its listeners are open before it opens the database.
			if strings.Contains(lines.Text(), "DB connection success") && !up {
				up = true
				close(listening)
			}
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-ended
		_ = command.Wait()
	})
	select {
	case <-listening:
	case <-ended:
		t.Fatal("coturn ended at once")
	case <-time.After(10 * time.Second):
		t.Fatal("coturn did not start")
	}
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// relayRange is ten ports or so that nobody uses now.
func relayRange(t *testing.T) (first, last string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	at := min(c.LocalAddr().(*net.UDPAddr).Port, 65500)
	return fmt.Sprint(at), fmt.Sprint(at + 20)
}

// certificate writes a self-signed one for 127.0.0.1 and ::1 with an end, and returns coturn's flags and who trusts it.
func certificate(t *testing.T, from, until time.Time) (flags []string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "turn.test"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "pkey": {Type: "PRIVATE KEY", Bytes: private}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags = []string{"--cert=" + filepath.Join(dir, "cert"), "--pkey=" + filepath.Join(dir, "pkey")}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(leaf)
	return flags, roots
}

// probe fails the test when it takes longer than 5 s, three times: once may be a machine that stands still.
func probe(t *testing.T, target Target) (p Probe) {
	t.Helper()
	took := time.Duration(0)
	for try := 0; try == 0 || try < 3 && took > probeWithin+200*time.Millisecond; try++ {
		began := time.Now()
		p = ProbeTURN(context.Background(), target)
		took = time.Since(began)
	}
	if took > probeWithin+200*time.Millisecond {
		t.Errorf("%s took %v", target.URL, took)
	}
	if p.URL != target.URL || p.At.IsZero() || (p.Code == "") != (p.Echoed && p.Text == "" && p.Fix == "") {
		t.Errorf("the probe contradicts itself: %+v", p)
	}
	return p
}

func TestFAQ_07b__ARealCoturn(t *testing.T) {
	flags, roots := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	c := startCoturn(t, "127.0.0.1", nil, append(flags, "--allow-loopback-peers")...)
	for _, url := range []string{c.url("turn", ""), c.url("turn", "?transport=udp"), c.url("turn", "?transport=tcp"), c.url("turns", ""), c.url("turns", "?transport=tcp")} {
		if p := probe(t, Target{URL: url, Secret: coturnSecret, Roots: roots}); !p.Allocated || !p.Echoed || p.RTT <= 0 || p.RTT > time.Second {
			t.Errorf("%+v", p)
		}
	}
	user, password := Timed(coturnSecret, "somebody", time.Now().Add(time.Hour))
	if p := probe(t, Target{URL: c.url("turn", ""), Username: user, Credential: password}); !p.Echoed {
		t.Errorf("with a credential of ours: %+v", p)
	}
	server := stunServer(t, nil)
	if p := probe(t, Target{URL: c.url("turn", ""), Secret: coturnSecret, Peer: server.at}); !p.Echoed {
		t.Errorf("to a STUN server: %+v", p)
	}
	server.silent.Store(true)
	if p := probe(t, Target{URL: c.url("turn", ""), Secret: coturnSecret, Peer: server.at}); p.Echoed || p.Code != "TURN_FAULTY" {
		t.Errorf("to a silent one: %+v", p)
	}
}

// Each fault that TURN servers have is named, and no other, within 5 s.
func TestFAQ_07b__EachFaultIsNamed(t *testing.T) {
	day := 24 * time.Hour
	expired, _ := certificate(t, time.Now().Add(-9*day), time.Now().Add(-2*day))
	good, _ := certificate(t, time.Now().Add(-day), time.Now().Add(day))
	wrong := startCoturn(t, "127.0.0.1", nil, append(good, "--allow-loopback-peers", "--static-auth-secret=another")...)
	old := startCoturn(t, "127.0.0.1", nil, append(expired, "--allow-loopback-peers")...)
	denied := startCoturn(t, "127.0.0.1", nil, "--allow-loopback-peers", "--denied-peer-ip=127.0.0.1")
	ahead := startCoturn(t, "127.0.0.1", []string{"faketime", "-f", "+2d"}, "--allow-loopback-peers")
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	nobody := coturn{host: "127.0.0.1", port: freePort(t), tls: freePort(t)}
	user, password := Timed("another", "x", time.Now().Add(time.Hour))

	for name, c := range map[string]struct {
		target     Target
		code, text string // a part of it
		allocated  bool
	}{
		"wrong secret, UDP":     {Target{URL: wrong.url("turn", ""), Secret: coturnSecret}, "TURN_SECRET_WRONG", "401", false},
		"wrong secret, TCP":     {Target{URL: wrong.url("turn", "?transport=tcp"), Secret: coturnSecret}, "TURN_SECRET_WRONG", "401", false},
		"wrong password":        {Target{URL: denied.url("turn", ""), Username: user, Credential: password}, "TURN_SECRET_WRONG", "401", false},
		"clock, UDP":            {Target{URL: ahead.url("turn", ""), Secret: coturnSecret}, "TURN_CLOCK_SKEWED", "clock is ahead", false},
		"clock, TCP":            {Target{URL: ahead.url("turn", "?transport=tcp"), Secret: coturnSecret}, "TURN_CLOCK_SKEWED", "clock is ahead", false},
		"peers denied":          {Target{URL: denied.url("turn", ""), Secret: coturnSecret}, "TURN_FAULTY", "refuses to relay", true},
		"expired certificate":   {Target{URL: old.url("turns", ""), Secret: coturnSecret}, "CERTIFICATE_INVALID", "has expired (valid from ", false},
		"untrusted certificate": {Target{URL: wrong.url("turns", ""), Secret: "another"}, "CERTIFICATE_INVALID", "a signer nobody knows (valid from ", false},
		"nobody, UDP":           {Target{URL: nobody.url("turn", ""), Secret: coturnSecret}, "TURN_FAULTY", "over UDP", false},
		"nobody, TCP":           {Target{URL: nobody.url("turn", "?transport=tcp"), Secret: coturnSecret}, "TURN_FAULTY", "cannot be reached over TCP", false},
		"silence":               {Target{URL: "turn:" + silent.LocalAddr().String(), Secret: coturnSecret}, "TURN_FAULTY", "no answer in time", false},
		"no TLS":                {Target{URL: "turns:" + net.JoinHostPort(denied.host, denied.port), Secret: coturnSecret}, "TURN_FAULTY", "TLS", false},
		"no URL":                {Target{URL: "stun:127.0.0.1", Secret: coturnSecret}, "TURN_FAULTY", "want turn:", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := probe(t, c.target)
			if p.Code != c.code || !strings.Contains(p.Text, c.text) || p.Allocated != c.allocated || p.Fix == "" {
				t.Errorf("%+v, want %s and %q", p, c.code, c.text)
			}
			if strings.Contains(p.Text+p.Fix, coturnSecret) || strings.Contains(p.Text+p.Fix, password) {
				t.Error("it tells the secret")
			}
		})
	}
}

// A firewall in front of the relay's ports: in a network namespace, since nobody's firewall is changed.
func TestFAQ_07b__BlockedRelayRange(t *testing.T) {
	name := fmt.Sprintf("reach%d", os.Getpid())
	in := []string{"ip", "netns", "exec", name}
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	run("ip", "netns", "add", name)
	t.Cleanup(func() { run("ip", "netns", "del", name) })
	run("ip", "link", "add", name[:min(15, len(name))], "type", "veth", "peer", "name", "eth0", "netns", name)
	run("ip", "addr", "add", "10.98.7.1/30", "dev", name)
	run("ip", "link", "set", name, "up")
	run("ip", "-n", name, "addr", "add", "10.98.7.2/30", "dev", "eth0")
	run("ip", "-n", name, "link", "set", "eth0", "up")
	run("ip", "-n", name, "link", "set", "lo", "up")
	c := startCoturn(t, "10.98.7.2", in)
	target := Target{URL: c.url("turn", ""), Secret: coturnSecret}
	if p := probe(t, target); !p.Echoed {
		t.Fatalf("before: %+v", p)
	}
	run(append(in, "nft", "add table inet f { chain in { type filter hook input priority 0; udp dport != "+c.port+" drop; }; }")...)
	if p := probe(t, target); p.Code != "TURN_FAULTY" || !p.Allocated || !strings.Contains(p.Text, "relay ports are blocked") {
		t.Errorf("blocked: %+v", p)
	}
	run(append(in, "nft", "delete", "table", "inet", "f")...)
	if p := probe(t, target); !p.Echoed {
		t.Errorf("after: %+v", p)
	}
}
