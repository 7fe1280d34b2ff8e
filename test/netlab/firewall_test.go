package netlab

import (
	"fmt"
	"net/netip"
	"strings"
)

// Rules for firewall; any other nft rule of the filter type will do.
const (
	noUDP       = "meta l4proto udp drop"
	onlyTCP443  = "tcp dport 443 accept; tcp sport 443 accept; drop"
	onlyPort443 = "tcp dport 443 accept; tcp sport 443 accept; udp dport 443 accept; udp sport 443 accept; drop"
	nothing     = "drop"
)

// oneWay lets no UDP pass that comes from an address.
func oneWay(from netip.Addr) string { return fmt.Sprintf("ip saddr %s meta l4proto udp drop", from) }

// firewall judges every packet that a node gets or sends, those it forwards included, and replaces the rules before; none
// lets everything pass. A router's see packets as they come in: from inside not yet translated, from outside not yet
// translated back. What stays inside a host, and IPv6's neighbour discovery, are not judged.
func (n *node) firewall(rules ...string) {
	n.lab.t.Helper()
	all := strings.Join(rules, "; ")
	n.nft(fmt.Sprintf(`table inet wall
delete table inet wall
table inet wall {
 chain in { type filter hook prerouting priority -300; iifname "lo" accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept; %s; }
 chain out { type filter hook output priority -300; oifname "lo" accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept; %[1]s; }
}`, all))
}
