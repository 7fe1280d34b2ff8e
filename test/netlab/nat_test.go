package netlab

import (
	"fmt"
	"net/netip"
	"strings"
)

// natKind is how a router translates; RFC 4787 has the words of the comments.
type natKind string

const (
	// fullCone maps and filters independently of the endpoint: who knows the outer port can send to it.
	fullCone natKind = "full cone"
	// restricted maps independently of the endpoint and lets in the addresses the host has sent to.
	restricted natKind = "address-restricted"
	// portRestricted maps independently of the endpoint and lets in the addresses and ports the host has sent to.
	portRestricted natKind = "port-restricted"
	// symmetric maps each endpoint to another outer port and lets in that endpoint alone.
	symmetric natKind = "symmetric"
	// oneToOne gives its only host all of an outer address, in both directions, as clouds do.
	oneToOne natKind = "1:1"
)

// router adds a node that translates between this network, its outer side, and a new one behind it. A router behind a
// router is a carrier's NAT. IPv4 only.
func (n *network) router(name string, kind natKind) *router {
	n.lab.t.Helper()
	r := &router{node: n.only("4").host(name), kind: kind}
	n.lab.networks++
	r.must("sysctl", "-qw", "net.ipv4.ip_forward=1")
	plainBridges(r.must)
	r.must("ip", "link", "add", "lan", "type", "bridge", "mcast_snooping", "0")
	r.inner = &network{lab: n.lab, owner: r.node, device: "lan", prefix: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/24", n.lab.networks)), next: new(byte), families: "4"}
	r.must("ip", "addr", "add", fmt.Sprintf("10.%d.0.254/24", n.lab.networks), "dev", "lan")
	r.must("ip", "link", "set", "lan", "up")
	r.nft(kind.rules(r.inner.prefix, r.ip))
	return r
}

// router is a node with a network behind it.
type router struct {
	*node
	kind  natKind
	inner *network
}

func (r *router) host(name string) *node                    { return r.inner.host(name) }
func (r *router) router(name string, kind natKind) *router  { return r.inner.router(name, kind) }
func (r *router) publish(inner netip.Addr, ports ...string) { r.nft(published(inner, ports)) }

// rules are the nft tables of a kind; inner is the network behind, outer the router's own address.
func (k natKind) rules(inner netip.Prefix, outer netip.Addr) string {
	if k == oneToOne {
		return fmt.Sprintf(`table ip nat {
 chain pre { type nat hook prerouting priority -100; iifname "eth0" ip daddr %s dnat to %s; }
 chain post { type nat hook postrouting priority 100; oifname "eth0" snat to %[1]s; }
}`, outer, numbered(inner, 1))
	}
	source, admit, learn, into := "masquerade", "", "", ""
	switch k {
	case symmetric:
		source = "masquerade fully-random"
	case fullCone, restricted:
		// A port is kept where it can be (masquerade's habit), so the outer port tells the inner one.
		learn = `oifname "eth0" meta l4proto udp update @cone { udp sport : ip saddr }; oifname "eth0" meta l4proto udp update @met { ip saddr . ip daddr };`
		into = `chain pre { type nat hook prerouting priority -100; iifname "eth0" meta l4proto udp dnat to udp dport map @cone; }`
		admit = `iifname "eth0" ct status dnat accept;`
		if k == restricted {
			admit = `iifname "eth0" ip daddr . ip saddr @met accept;`
		}
	}
	// What comes from outside for the router itself makes no connection: else an early packet of the other side would
	// take the port that the host's own packet is about to get.
	return fmt.Sprintf(`table ip nat {
 map cone { type inet_service : ipv4_addr; flags dynamic,timeout; timeout 5m; size 4096; }
 set met { type ipv4_addr . ipv4_addr; flags dynamic,timeout; timeout 5m; size 4096; }
 %s
 chain learn { type filter hook forward priority 10; %s }
 chain post { type nat hook postrouting priority 100; oifname "eth0" %s; }
 chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "lan" accept; ct status dnat meta l4proto tcp accept; %s }
 chain input { type filter hook input priority 0; iifname "eth0" ct state new drop; }
}`, into, learn, source, admit)
}

// published leads ports of the router's outer side ("tcp 443") to a host behind it.
func published(inner netip.Addr, ports []string) string {
	var rules strings.Builder
	for _, p := range ports {
		protocol, port, _ := strings.Cut(p, " ")
		fmt.Fprintf(&rules, "iifname \"eth0\" %s dport %s dnat to %s;\n", protocol, port, inner)
	}
	return fmt.Sprintf(`table ip published {
 chain pre { type nat hook prerouting priority -110; %s }
}
add chain ip nat forward
add rule ip nat forward ct status dnat accept`, rules.String())
}
