package netlab

import (
	"net"
	"testing"
	"time"
)

// TestFAQ_01__NoNetworkConfiguration: the server is behind a 1:1 NAT and is told nothing about it. Who reaches it by the
// outer address has pictures soon, whatever of that address is left.
func TestFAQ_01__NoNetworkConfiguration(t *testing.T) {
	for _, c := range []struct {
		name, wall, path string
		within           time.Duration
	}{
		{"everything open", "", "udp", 3 * time.Second},
		{"no UDP", noUDP, "tcp relay/tcp", 5 * time.Second},
		{"only TCP 443", onlyTCP443, "tcp relay/tcp", 8 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab := newLab(t)
			gate := lab.internet.router("gate", oneToOne)
			server := lab.serve(gate.host("srv"), settings{"HTTPS_PORT": "443"}).at(gate.ip.String(), 443)
			gate.firewall(c.wall)
			alice, bob := guest{at: lab.internet.host("alice")}, guest{at: lab.internet.host("bob")}
			session := server.session()
			a, b := alice.open(0), bob.open(1)
			bob.enter(b, server.token(session, nil))
			token := server.token(session, nil)
			began := time.Now()
			alice.enter(a, token)
			a.sees(b)
			b.sees(a)
			if took := time.Since(began); took > c.within {
				t.Errorf("from joining to both pictures: %v, want %v", took, c.within)
			} else {
				t.Logf("from joining to both pictures: %v", took)
			}
			assertPaths(t, server, []*participant{a, b}, c.path, c.path)
		})
	}
}

// TestFAQ_02d__OnePortThroughAForwarder: a tunnel carries one TCP port to a server that nobody can reach otherwise; two
// clients with an old SDK are in a call through it.
func TestFAQ_02d__OnePortThroughAForwarder(t *testing.T) {
	lab := newLab(t)
	office := lab.internet.router("office", portRestricted)
	srv, agent := office.host("srv"), office.host("agent")
	server := lab.serve(srv, settings{})
	tunnel := lab.internet.host("tunnel")
	lab.forward(tunnel, 443, agent, net.JoinHostPort(srv.ip.String(), "4443"))
	server.at(tunnel.ip.String(), 443)
	people := server.meet(
		guest{at: lab.internet.host("alice"), sdk: oldSDK}, guest{at: lab.internet.host("bob"), sdk: oldSDK})
	assertPaths(t, server, people, "tcp relay/tcp", "tcp relay/tcp")
}

// TestOneWayFirewall: what a client sends by UDP arrives, and no answer comes back. It goes over to TCP.
func TestOneWayFirewall(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{})
	gate := lab.internet.router("gate", portRestricted)
	gate.firewall(oneWay(server.node.ip))
	people := server.meet(guest{at: gate.host("alice")}, guest{at: lab.internet.host("bob")})
	assertPaths(t, server, people, "tcp relay/tcp", "udp")
}

// TestNginxInFront: the websocket goes through an nginx with its defaults, media to the server itself.
func TestNginxInFront(t *testing.T) { behindNginx(t) }

// TestNginxInFrontLong: nobody says anything for longer than nginx keeps a silent websocket (60 s).
func TestNginxInFrontLong(t *testing.T) {
	people := behindNginx(t)
	hold(t, 80*time.Second, "the websockets are open", func() bool {
		return len(people[0].events("reconnecting"))+len(people[0].events("sessionDisconnected")) == 0
	})
	people[0].do(nil, "call", "signal", map[string]any{"type": "after", "data": "80 s"})
	await(t, seeIn, "a signal comes through", func() bool { return len(people[1].events("signal")) == 1 })
}

func behindNginx(t *testing.T) []*participant {
	t.Helper()
	lab := newLab(t)
	edge, srv := lab.internet.host("edge"), lab.internet.host("srv")
	server := lab.serve(srv, settings{})
	lab.nginx(edge, server.url(), newAuthority(t))
	server.at(edge.ip.String(), 443)
	people := server.meet(guest{at: lab.internet.host("alice")}, guest{at: lab.internet.host("bob")})
	assertPaths(t, server, people, "udp", "udp")
	if remote := people[0].receiving(people[1]).Remote; remote.Address != srv.ip.String() {
		t.Errorf("media goes to %+v", remote)
	}
	return people
}

// TestIPv6Only uses a name: the stock SDK takes what is before the first colon of a token's URL for the host.
func TestIPv6Only(t *testing.T) {
	lab := newLab(t)
	modern := lab.internet.only("6")
	server := lab.serve(modern.named().host("srv"), settings{}).at(serverName, 4443)
	people := server.meet(guest{at: modern.host("alice")}, guest{at: modern.host("bob")})
	assertPaths(t, server, people, "udp", "udp")
	if remote := people[0].receiving(people[1]).Remote; remote.Address != serverIP6 {
		t.Errorf("media goes to %+v", remote)
	}
}

// TestDualStack: one client has only IPv4, the other only IPv6.
func TestDualStack(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.only("46").named().host("srv"), settings{}).at(serverName, 4443)
	alice := guest{at: lab.internet.only("4").host("alice")}
	bob := guest{at: lab.internet.only("6").host("bob")}
	people := server.meet(alice, bob)
	assertPaths(t, server, people, "udp", "udp")
	if to4, to6 := people[0].receiving(people[1]).Remote, people[1].receiving(people[0]).Remote; to4.Address != serverIP || to6.Address != serverIP6 {
		t.Errorf("media goes to %+v and %+v", to4, to6)
	}
}

// TestTwoInterfaces: the server is in two networks that do not know each other; each client is served by the address it can
// reach, and answered from there.
func TestTwoInterfaces(t *testing.T) {
	lab := newLab(t)
	office := lab.internet.router("office", portRestricted)
	srv := lab.internet.host("srv")
	inside := srv.join(office.inner)
	server := lab.serve(srv, settings{})
	office.firewall(nothing) // from inside there is no other way than the server's second interface
	people := server.meet(
		guest{at: lab.internet.host("alice")}, guest{at: office.host("bob"), through: inside.String() + ":4443"})
	assertPaths(t, server, people, "udp", "udp")
	for i, want := range []string{srv.ip.String(), inside.String()} {
		if remote := people[i].receiving(people[1-i]).Remote; remote.Address != want {
			t.Errorf("%s sends to %+v, want %s", people[i].Name, remote, want)
		}
	}
}
