package netlab

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFAQ_19__OnePortOneName: a firewall lets nothing pass but TCP 443 to one name, with one certificate: pages, the
// websocket, ICE-TCP and TURN over TLS all work there. When UDP 443 is opened, calls move to it and nothing is lost.
func TestFAQ_19__OnePortOneName(t *testing.T) {
	lab := newLab(t)
	ca := newAuthority(t)
	srv := lab.internet.named().host("srv")
	// Without the figures' port, which is on loopback: what the scan finds is all there is.
	server := lab.serveFrom(srv, ca.owncert(t, serverName), settings{"HTTPS_PORT": "443", "CERTIFICATE_TYPE": "owncert", "METRICS_PORT": ""}).at(serverName, 443)
	office := lab.internet.router("office", portRestricted)
	office.firewall("ip daddr " + serverIP + " tcp dport 443 accept; ip saddr " + serverIP + " tcp sport 443 accept; drop")
	alice, bob := office.host("alice"), lab.internet.host("bob")
	trusting := browserOptions{Env: ca.trusted(t)}

	if ports := listening(srv); !slices.Equal(ports, []string{"tcp 443", "udp 443"}) {
		t.Errorf("the server listens on %q, want one port, TCP and UDP", ports)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.root)
	strict := lab.http(alice)
	strict.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	for _, path := range []string{"/livez", "/dashboard/test"} {
		if response, err := strict.Get(server.url() + path); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("GET %s with the certificate checked: %v %v", path, response, err)
		}
	}

	for _, c := range []struct{ name, before, path string }{
		{"ICE-TCP", `trace.rtc.iceServers = []`, "tcp"},
		{"TURN over TLS", `trace.rtc.iceTransportPolicy = "relay"`, "relay/tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			people := server.meet(guest{at: alice, browser: trusting, before: c.before}, guest{at: bob, browser: trusting})
			for _, s := range []stats{people[0].receiving(people[1]), people[0].sending()} {
				if s.Local.path() != c.path || s.Local.Type == "relay" && !strings.HasPrefix(s.Local.URL, "turns:"+serverName+":443") {
					t.Errorf("travels by %+v, want %s", s.Local, c.path)
				}
			}
		})
	}

	t.Run("UDP is opened", func(t *testing.T) {
		people := server.meet(guest{at: alice, browser: trusting}, guest{at: bob, browser: trusting})
		movesToUDP(t, people[0], people[1], 10*time.Second, func() { office.firewall(onlyPort443) })
	})
}

// TestUDPIsOpenedLateLong is the same when the browser has given UDP up: the server shows it again from time to time.
func TestUDPIsOpenedLateLong(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{"HTTPS_PORT": "443"})
	office := lab.internet.router("office", portRestricted)
	office.firewall(onlyTCP443)
	people := server.meet(guest{at: office.host("alice")}, guest{at: lab.internet.host("bob")})
	hold(t, time.Minute, "alice is connected", func() bool { return people[0].sending().State == "connected" })
	movesToUDP(t, people[0], people[1], 150*time.Second, func() { office.firewall(onlyPort443) })
}

// movesToUDP wants a, who travels by TCP, to go over to UDP soon after that was opened, without a drop.
func movesToUDP(t *testing.T, a, b *participant, within time.Duration, open func()) {
	t.Helper()
	if path := a.receiving(b).Local.path(); path == "udp" {
		t.Fatal("travels by UDP through a firewall that lets none pass")
	}
	open()
	a.script(nil, "tester.gap("+quote(b.Stream)+")") // counts from here
	opened := time.Now()
	await(t, within, "both connections have moved to UDP", func() bool {
		return a.receiving(b).Local.path() == "udp" && a.sending().Local.path() == "udp"
	})
	took := time.Since(opened)
	var gap float64
	a.script(&gap, "tester.gap("+quote(b.Stream)+")")
	t.Logf("moved to UDP after %v; the longest time without a new picture was %.0f ms", took, gap)
	if gap > 1000 {
		t.Errorf("the picture stood still for %.0f ms", gap)
	}
	allSeeAndHear([]*participant{a, b})
}

// listening are the ports a node listens on, loopback included: "tcp 443".
func listening(n *node) []string {
	n.lab.t.Helper()
	var ports []string
	for line := range strings.Lines(n.must("ss", "-Hlntu")) {
		fields := strings.Fields(line)
		at := strings.LastIndexByte(fields[4], ':')
		ports = append(ports, fields[0]+" "+fields[4][at+1:])
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// quote is a string in JavaScript.
func quote(s string) string { return "'" + s + "'" }
