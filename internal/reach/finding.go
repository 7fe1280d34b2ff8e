package reach

import (
	"net/netip"
	"time"
)

// Finding is what is known of the addresses of this machine.
type Finding struct {
	At time.Time // zero before the first
	// Public are addresses by which the outside reaches us on our port; no candidate beyond them and the configured ones
	// makes sense. Source says who told: "configuration", "interface", "metadata AWS", "stun"; "" if there is none.
	Public []netip.Addr
	Source string
	// Verified says that a STUN server saw our media port under one of these addresses and its own number.
	Verified   bool
	Interfaces []netip.Addr
	Resolved   []netip.Addr   // of DOMAIN_OR_PUBLIC_IP, loopback left out
	Mapped     netip.AddrPort // as the first STUN server saw us; zero if none answered
	Symmetric  bool           // two STUN servers saw different ports
	Problems   []Problem
	Notes      []string // what could not be verified, and why
}

// Problem is one thing that keeps clients from reaching us. Code is of diagnosis' catalogue.
type Problem struct {
	Code, Text, Fix string
}

// Check is one of the five live checks.
type Check struct {
	Name string // domain, udp, tcp, turn, certificate
	OK   bool
	Code string // "" while it is OK
	Text string
	Fix  string // with the commands to paste, one per line
}

// The codes, as diagnosis' catalogue has them.
const (
	codeAddress     = "ADDRESS_WRONG"
	codeDNS         = "DNS_MISMATCH"
	codeUDP         = "SERVER_UDP_BLOCKED"
	codeTCP         = "NET_UNREACHABLE"
	codeTURN        = "TURN_FAULTY"
	codeSecret      = "TURN_SECRET_WRONG"
	codeClock       = "TURN_CLOCK_SKEWED"
	codeCertificate = "CERTIFICATE_INVALID"
)

// carrier is what carriers give their customers behind a NAT of their own (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// IsPublic reports whether an address may be reached from anywhere: it is neither private nor behind a carrier's NAT.
func IsPublic(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !carrier.Contains(a)
}
