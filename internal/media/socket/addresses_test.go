package socket

import (
	"fmt"
	"net/netip"
	"testing"
)

func addresses(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestChoose(t *testing.T) {
	lo := iface{"lo", addresses("127.0.0.1", "::1")}
	eth := iface{"eth0", addresses("192.0.2.5", "2001:db8::5", "fe80::1")}
	bridge := iface{"docker0", addresses("172.17.0.1")}
	for name, c := range map[string]struct {
		list           []iface
		public         []netip.Addr
		host, loopback string
	}{
		"plain":           {[]iface{lo, eth}, nil, "[192.0.2.5 2001:db8::5]", "[127.0.0.1 ::1]"},
		"no bridges":      {[]iface{bridge, eth, {"br-1f", addresses("172.18.0.1")}, {"veth9", addresses("10.9.9.9")}}, nil, "[192.0.2.5 2001:db8::5]", "[]"},
		"only a bridge":   {[]iface{lo, bridge}, nil, "[172.17.0.1]", "[127.0.0.1 ::1]"},
		"behind a NAT":    {[]iface{eth}, addresses("203.0.113.1"), "[203.0.113.1 192.0.2.5 2001:db8::5]", "[]"},
		"public is local": {[]iface{eth}, addresses("192.0.2.5"), "[192.0.2.5 2001:db8::5]", "[]"},
		"a bridge of br":  {[]iface{{"br0", addresses("192.0.2.9")}}, nil, "[192.0.2.9]", "[]"},
	} {
		got := choose(c.list, c.public)
		if fmt.Sprint(got.Host) != c.host || fmt.Sprint(got.Loopback) != c.loopback {
			t.Errorf("%s: host %v, loopback %v; want %s, %s", name, got.Host, got.Loopback, c.host, c.loopback)
		}
	}
}

// What is found while the node runs is offered at once, and a lister of addresses is not disturbed by it.
func TestPublicAddressesChange(t *testing.T) {
	g := &Gatherer{}
	before := fmt.Sprint(g.Addresses().Host)
	public := addresses("203.0.113.1", "2001:db8::7")
	g.SetPublic(public)
	kept := g.Addresses().Host
	if len(kept) < 2 || kept[0] != public[0] || kept[1] != public[1] {
		t.Fatalf("offered %v", kept)
	}
	public[0] = netip.MustParseAddr("198.51.100.1")
	if now := g.Addresses().Host; now[0].String() != "203.0.113.1" {
		t.Errorf("the caller's list is used: %v", now)
	}
	g.SetPublic(nil)
	if now := fmt.Sprint(g.Addresses().Host); now != before || kept[0].String() != "203.0.113.1" {
		t.Errorf("offered %v, before it was %v; and %v was handed out", now, before, kept)
	}
}
