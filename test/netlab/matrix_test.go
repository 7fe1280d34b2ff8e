package netlab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The matrix: whatever stands before a client, it sees and is seen, and its path is the best that is left. Each row is a
// test of its own, so that it can be run by name.

func TestFAQ_07__FullCone(t *testing.T)       { behind(t, "udp", "", fullCone) }
func TestFAQ_07__Restricted(t *testing.T)     { behind(t, "udp", "", restricted) }
func TestFAQ_07__PortRestricted(t *testing.T) { behind(t, "udp", "", portRestricted) }
func TestFAQ_07__Symmetric(t *testing.T)      { behind(t, "udp", "", symmetric) }
func TestFAQ_07__CGNAT(t *testing.T)          { behind(t, "udp", "", symmetric, portRestricted) }
func TestFAQ_07__UDPBlocked(t *testing.T)     { behind(t, "tcp relay/tcp", noUDP, portRestricted) }
func TestFAQ_07__OnlyTCP443(t *testing.T)     { behind(t, "tcp relay/tcp", onlyTCP443, portRestricted) }

// The other engine, behind the NAT that is hardest on it, and without UDP.
func TestFirefoxSymmetric(t *testing.T) { browserBehind(t, firefox, "udp", "", symmetric) }
func TestFirefoxNoUDPLong(t *testing.T) {
	browserBehind(t, firefox, "tcp relay/tcp", noUDP, portRestricted)
}

var firefox = browserOptions{Kind: "firefox"}

// TestFAQ_07__TLSProxy: nothing but a company's proxy can be reached, and it lets nothing but TLS pass, which it opens.
// ICE-TCP cannot pass there; TURN over TLS can, because Chromium takes it through CONNECT as it takes wss.
func TestFAQ_07__TLSProxy(t *testing.T) {
	lab := newLab(t)
	ca := newAuthority(t)
	server := lab.serveFrom(lab.internet.host("srv"), ca.owncert(t, "203.0.113.1"), settings{"HTTPS_PORT": "443", "CERTIFICATE_TYPE": "owncert"})
	proxy := lab.inspector(lab.internet.host("proxy"), ca)
	office := lab.internet.router("office", portRestricted)
	office.firewall(fmt.Sprintf("tcp dport %d accept; tcp sport %[1]d accept; drop", proxyPort))
	people := server.meet(
		guest{at: office.host("alice"), browser: browserOptions{Args: []string{"--proxy-server=" + proxy.url()}, Env: ca.trusted(t)}},
		guest{at: lab.internet.host("bob"), browser: browserOptions{Env: ca.trusted(t)}})
	assertPaths(t, server, people, "relay/tls", "udp")
	if http, stun := proxy.counts("http"), proxy.counts("stun"); http == 0 || stun == 0 {
		t.Errorf("the proxy read %d websockets and %d streams of TURN: something went past it", http, stun)
	}
	t.Logf("refused because it was no TLS: %d", proxy.counts("not TLS"))
}

func behind(t *testing.T, path, wall string, kinds ...natKind) {
	t.Helper()
	browserBehind(t, browserOptions{}, path, wall, kinds...)
}

// browserBehind puts one of two clients behind routers, named from the internet inwards, and a firewall on the first of
// them.
func browserBehind(t *testing.T, o browserOptions, path, wall string, kinds ...natKind) {
	t.Helper()
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{"HTTPS_PORT": "443"})
	gate := lab.internet.router("gate", kinds[0])
	home := gate
	for _, kind := range kinds[1:] {
		home = home.router("home", kind)
	}
	gate.firewall(wall)
	people := server.meet(guest{at: home.host("alice"), browser: o}, guest{at: lab.internet.host("bob")})
	assertPaths(t, server, people, path, "udp")
}

// settleIn is how long browsers may take to leave the pair they began with for the best one.
const settleIn = 10 * time.Second

// assertPaths wants each participant, in both of its peer connections, on one of the paths named for it; and the server's
// figures to agree.
func assertPaths(t *testing.T, s *server, people []*participant, paths ...string) {
	t.Helper()
	var wrong []string
	for late := time.Now().Add(settleIn); time.Now().Before(late); {
		if wrong = astray(s, people, paths); len(wrong) == 0 {
			return
		}
	}
	t.Error(strings.Join(wrong, "\n"))
}

// astray tells what is not as assertPaths wants it. Each look takes as long as the browsers take to answer.
func astray(s *server, people []*participant, paths []string) (wrong []string) {
	travels := map[string]float64{}
	for i, p := range people {
		other := people[(i+1)%len(people)]
		for _, c := range []candidate{p.receiving(other).Local, p.sending().Local} {
			if !slices.Contains(strings.Fields(paths[i]), c.path()) {
				wrong = append(wrong, fmt.Sprintf("%s travels by %s (%+v), want %s", p.Name, c.path(), c, paths[i]))
			}
			kind, _, _ := strings.Cut(c.path(), "/")
			travels[kind]++
		}
	}
	figures := s.metrics()
	for _, kind := range []string{"udp", "tcp", "relay"} {
		name := fmt.Sprintf(`tertulia_connections_by_path{path=%q}`, kind)
		if got, told := figures[name]; !told || got != travels[kind] {
			wrong = append(wrong, fmt.Sprintf("%s is %v (told: %v), the browsers count %v", name, got, told, travels[kind]))
		}
	}
	return wrong
}
