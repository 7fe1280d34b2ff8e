package netlab

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// lab is the network of one test; it is taken down when the test ends.
type lab struct {
	t        testing.TB
	number   int      // where several are there at once, else 0: it is in the names of namespaces and devices
	internet *network // a switch with public addresses; the test itself is at its last address
	networks int      // made so far, for their addresses
	devices  int      // made so far, for their names
	serverIP string   // what the lab itself takes serverName for
}

// labs counts those that stand beside others.
var labs atomic.Int64

// newLab makes a lab whose internet the test itself stands on, so that there is one at a time.
func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t}
	l.open(nil)
	t.Cleanup(func() { l.must("ip", "link", "del", "inet") })
	return l
}

// labBeside makes a lab that others may stand beside: its internet is in a namespace of its own.
func labBeside(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, number: int(labs.Add(1))}
	l.open(l.namespace("inet"))
	return l
}

// open makes the internet, in the namespace of a node or, for nil, in that of the test.
func (l *lab) open(owner *node) {
	l.t.Helper()
	l.internet = &network{lab: l, owner: owner, device: "inet", prefix: netip.MustParsePrefix("203.0.113.0/24"), prefix6: netip.MustParsePrefix("2001:db8:1::/64"), next: new(byte), families: "4"}
	run := func(argv ...string) string { return owner.at(l, argv...) }
	run("ip", "link", "add", "inet", "type", "bridge", "mcast_snooping", "0")
	run("ip", "addr", "add", "203.0.113.254/24", "dev", "inet")
	run("ip", "addr", "add", "2001:db8:1::fe/64", "dev", "inet", "nodad")
	run("ip", "link", "set", "inet", "up")
	plainBridges(run)
}

// plainBridges keeps the firewalls of routers from judging what only crosses a switch, where the kernel can do that.
func plainBridges(run func(argv ...string) string) {
	if _, err := os.Stat("/proc/sys/net/bridge"); err == nil {
		run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0")
	}
}

func (l *lab) must(argv ...string) string {
	l.t.Helper()
	out, err := run(argv...)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

// network is a switch in a namespace: the lab's own, or a router's inner side.
type network struct {
	lab     *lab
	owner   *node // whose namespace the switch is in; nil for the test's
	device  string
	prefix  netip.Prefix // /24
	prefix6 netip.Prefix // /64; zero without IPv6
	next    *byte        // the last host number given out
	// What nodes that join get:
	families string // "4", "6" or "46"
	line     *line  // nil: a perfect cable
}

// only is this network for nodes that have IPv4 ("4"), IPv6 ("6") or both ("46").
func (n *network) only(families string) *network {
	other := *n
	other.families = families
	return &other
}

// over is this network for nodes that join it over such a line, the same in both directions.
func (n *network) over(l line) *network {
	other := *n
	other.line = &l
	return &other
}

// host adds a node.
func (n *network) host(name string) *node {
	n.lab.t.Helper()
	h := n.lab.namespace(name)
	h.join(n)
	return h
}

// named is this network for one node: the one at the address that serverName leads to.
func (n *network) named() *network {
	other := *n
	other.next = new(byte)
	*other.next = netip.MustParseAddr(serverIP).As4()[3] - 1
	if n.lab.serverIP = serverIP; n.families == "6" {
		n.lab.serverIP = serverIP6
	}
	return &other
}

// node is one namespace. Its first interface is eth0, with the default route; the next ones are eth1…
type node struct {
	lab     *lab
	name    string
	netns   string     // the namespace's name
	ip, ip6 netip.Addr // of eth0; zero without that family
	wires   []*wire    // those of its interfaces that are lines, in the order of joining
	joined  int
}

func (l *lab) namespace(name string) *node {
	l.t.Helper()
	n := &node{lab: l, name: name, netns: name}
	if l.number > 0 {
		n.netns = fmt.Sprintf("%s.%d", name, l.number)
	}
	l.must("ip", "netns", "add", n.netns)
	l.t.Cleanup(func() { l.must("ip", "netns", "del", n.netns) })
	n.must("ip", "link", "set", "lo", "up")
	return n
}

// join gives the node one more interface, on that network, and returns its IPv4 address there (IPv6 if there is no other).
func (n *node) join(on *network) netip.Addr {
	n.lab.t.Helper()
	device := fmt.Sprintf("eth%d", n.joined)
	n.attach(on, device)
	n.joined++
	*on.next++
	var v4, v6 netip.Addr
	if strings.Contains(on.families, "4") {
		v4 = numbered(on.prefix, *on.next)
		n.must("ip", "addr", "add", fmt.Sprintf("%s/%d", v4, on.prefix.Bits()), "dev", device)
	}
	if !strings.Contains(on.families, "6") {
		n.must("sysctl", "-qw", "net.ipv6.conf."+device+".disable_ipv6=1")
	} else {
		v6 = numbered(on.prefix6, *on.next)
		n.must("ip", "addr", "add", fmt.Sprintf("%s/%d", v6, on.prefix6.Bits()), "dev", device, "nodad")
	}
	n.must("ip", "link", "set", device, "up")
	if n.joined == 1 {
		n.ip, n.ip6 = v4, v6
		for _, gateway := range []netip.Addr{gatewayOf(v4, on.prefix), gatewayOf(v6, on.prefix6)} {
			if gateway.IsValid() {
				n.must("ip", "route", "add", "default", "via", gateway.String())
			}
		}
	}
	if v4.IsValid() {
		return v4
	}
	return v6
}

// attach connects a new device of the node to the switch.
func (n *node) attach(on *network, device string) {
	n.lab.t.Helper()
	n.lab.devices++
	port := fmt.Sprintf("port%d.%d", n.lab.number, n.lab.devices)
	if on.line != nil {
		n.wires = append(n.wires, n.lab.wire(*on.line, port, on.owner, device, n))
	} else {
		on.owner.at(n.lab, "ip", "link", "add", port, "type", "veth", "peer", "name", device, "netns", n.netns)
	}
	on.owner.at(n.lab, "ip", "link", "set", port, "master", on.device, "up")
	n.lab.t.Cleanup(func() { // the namespace may live on a while with its last process; its cable does not
		if on.owner == nil {
			_, _ = run("ip", "link", "del", port)
		}
	})
}

// at runs a command in the node's namespace; for nil in the lab's own.
func (n *node) at(l *lab, argv ...string) string {
	l.t.Helper()
	if n != nil {
		return n.must(argv...)
	}
	return l.must(argv...)
}

// must runs a command in the namespace; it ends the test if that fails.
func (n *node) must(argv ...string) string {
	n.lab.t.Helper()
	return n.lab.must(append([]string{"ip", "netns", "exec", n.netns}, argv...)...)
}

// nft loads a script.
func (n *node) nft(script string) {
	n.lab.t.Helper()
	if _, err := feed(script, "ip", "netns", "exec", n.netns, "nft", "-f", "-"); err != nil {
		n.lab.t.Fatalf("%v\n%s", err, script)
	}
}

// unplug takes an interface away as a pulled cable does, plug puts it back.
func (n *node) unplug(device string) { n.must("ip", "link", "set", device, "down") }
func (n *node) plug(device string)   { n.must("ip", "link", "set", device, "up") }

// in runs f on a thread that is in the node's namespace: sockets that f itself makes stay there.
func (n *node) in(f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + n.netns)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	defer func() {
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread() // else the thread ends with its goroutine
		}
	}()
	return f()
}

// numbered is the n-th address of a prefix.
func numbered(p netip.Prefix, n byte) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	bytes[len(bytes)-1] = n
	a, _ := netip.AddrFromSlice(bytes)
	return a
}

// gatewayOf is the last address of a prefix, if there is an address to need it.
func gatewayOf(a netip.Addr, p netip.Prefix) netip.Addr {
	if !a.IsValid() {
		return netip.Addr{}
	}
	return numbered(p, 254)
}
