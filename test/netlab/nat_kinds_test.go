package netlab

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

const answersIn = 5 * time.Second

// socket is a UDP socket of a node; the test ends when it hears nothing in time.
type socket struct {
	t testing.TB
	*net.UDPConn
}

func (n *node) socket(port int) socket {
	n.lab.t.Helper()
	var conn *net.UDPConn
	err := n.in(func() (err error) {
		conn, err = net.ListenUDP("udp", &net.UDPAddr{Port: port})
		return err
	})
	if err != nil {
		n.lab.t.Fatal(err)
	}
	n.lab.t.Cleanup(func() { _ = conn.Close() })
	return socket{n.lab.t, conn}
}

func (s socket) send(text string, to netip.AddrPort) {
	s.t.Helper()
	if _, err := s.WriteToUDPAddrPort([]byte(text), to); err != nil {
		s.t.Fatal(err)
	}
}

// hear returns the next packet and where it came from.
func (s socket) hear() (string, netip.AddrPort) {
	s.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(answersIn))
	buffer := make([]byte, 2000)
	n, from, err := s.ReadFromUDPAddrPort(buffer)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(buffer[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

// TestNATKinds asks each router what RFC 5780 asks: does the outer port depend on the destination, and whom does it let in.
func TestNATKinds(t *testing.T) {
	for _, c := range []struct {
		kinds                         []natKind // from the internet inwards
		one                           bool      // one outer port for all destinations
		otherPort, otherHost, unasked bool      // let in from the same address, from another, before anything was sent
	}{
		{kinds: []natKind{fullCone}, one: true, otherPort: true, otherHost: true},
		{kinds: []natKind{restricted}, one: true, otherPort: true},
		{kinds: []natKind{portRestricted}, one: true},
		{kinds: []natKind{symmetric}},
		{kinds: []natKind{portRestricted, portRestricted}, one: true},
		{kinds: []natKind{oneToOne}, one: true, otherPort: true, otherHost: true, unasked: true},
	} {
		name := string(c.kinds[0])
		if len(c.kinds) > 1 {
			name = "two in a row"
		}
		t.Run(name, func(t *testing.T) {
			lab := newLab(t)
			outside, other := lab.internet.host("first"), lab.internet.host("second")
			first, second, third := outside.socket(1000), outside.socket(1001), other.socket(1000)
			var gate *router
			for i, kind := range c.kinds {
				if i == 0 {
					gate = lab.internet.router("gate", kind)
				} else {
					gate = gate.router("home", kind)
				}
			}
			mine := gate.host("alice").socket(5000)
			outer := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.3"), 5000) // where a 1:1 NAT has it

			third.send("unasked", outer)
			first.send("unasked too", outer)
			mine.send("to first", netip.AddrPortFrom(outside.ip, 1000))
			_, mapped := first.hear()
			if mapped.Addr() != outer.Addr() {
				t.Fatalf("first hears from %v, want the router's %v", mapped, outer.Addr())
			}
			second.send("other port", mapped)
			third.send("other host", mapped)
			first.send("asked", mapped) // packets keep their order: after this one nothing more comes
			var heard []string
			for text := ""; text != "asked"; {
				text, _ = mine.hear()
				heard = append(heard, text)
			}
			want := []string{}
			if c.unasked {
				want = append(want, "unasked", "unasked too")
			}
			if c.otherPort {
				want = append(want, "other port")
			}
			if c.otherHost {
				want = append(want, "other host")
			}
			if want = append(want, "asked"); len(want) != len(heard) {
				t.Errorf("let in %q, want %q", heard, want)
			}

			mine.send("to second", netip.AddrPortFrom(outside.ip, 1001))
			mine.send("to third", netip.AddrPortFrom(other.ip, 1000))
			_, mapped2 := second.hear()
			_, mapped3 := third.hear()
			if one := mapped == mapped2 && mapped2 == mapped3; one != c.one {
				t.Errorf("seen from %v, %v and %v: one outer port is %v, want %v", mapped, mapped2, mapped3, one, c.one)
			}
		})
	}
}

func TestFirewalls(t *testing.T) {
	lab := newLab(t)
	srv := lab.internet.host("srv")
	home := lab.internet.router("home", portRestricted)
	alice := home.host("alice")
	udp, mine := srv.socket(443), alice.socket(5000)
	for _, port := range []int{443, 444} {
		lab.forward(srv, port, srv, "127.0.0.1:1") // something that accepts
	}
	connects := func(port string) bool {
		conn, err := dialSoon(lab, alice, net.JoinHostPort(srv.ip.String(), port))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	hears := func() bool {
		mine.send("hello", netip.AddrPortFrom(srv.ip, 443))
		_ = udp.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, _, err := udp.ReadFromUDPAddrPort(make([]byte, 100))
		return err == nil
	}
	for _, c := range []struct {
		rule             string
		udp, tcp, tcp443 bool
	}{
		{"", true, true, true},
		{noUDP, false, true, true},
		{onlyTCP443, false, false, true},
		{onlyPort443, true, false, true},
		{nothing, false, false, false},
		{"", true, true, true},
	} {
		home.firewall(c.rule)
		if hears() != c.udp || connects("444") != c.tcp || connects("443") != c.tcp443 {
			t.Errorf("behind %q: UDP, TCP or TCP 443 is not as wanted: %v", c.rule, c)
		}
	}
}
