package reach

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func list(text string) (out []netip.Addr) {
	for _, f := range strings.Fields(text) {
		out = append(out, netip.MustParseAddr(f))
	}
	return out
}

func ports(text string) (out []netip.AddrPort) {
	for _, f := range strings.Fields(text) {
		out = append(out, netip.MustParseAddrPort(f))
	}
	return out
}

func TestFAQ_01__AddressesAreComparedAndVerified(t *testing.T) {
	aws := func(public string) cloud {
		c := cloud{name: "AWS"}
		if public != "" {
			c.public = netip.MustParseAddr(public)
		}
		return c
	}
	for name, c := range map[string]struct {
		given                                 answers
		public, source                        string
		verified, symmetric                   bool
		problem /* its code and text */, note string
	}{
		"nothing asked":               {given: answers{interfaces: list("10.0.0.5")}},
		"offline":                     {given: answers{interfaces: list("10.0.0.5"), asked: true}, note: "no STUN server answered"},
		"a public interface":          {given: answers{interfaces: list("198.51.100.5"), asked: true}, public: "198.51.100.5", source: "interface", note: "no STUN"},
		"a public interface, seen":    {given: answers{interfaces: list("198.51.100.5"), asked: true, mapped: ports("198.51.100.5:4443")}, public: "198.51.100.5", source: "interface", verified: true},
		"1:1 NAT":                     {given: answers{interfaces: list("10.0.0.5"), asked: true, mapped: ports("203.0.113.9:4443 203.0.113.9:4443")}, public: "203.0.113.9", source: "stun", verified: true},
		"1:1 NAT, another port asked": {given: answers{interfaces: list("10.0.0.5"), asked: true, alone: true, mapped: ports("203.0.113.9:4443")}, note: "whether it keeps our port could not be asked"},
		"1:1 NAT of a cloud":          {given: answers{interfaces: list("10.0.0.5"), asked: true, cloud: aws("203.0.113.9")}, public: "203.0.113.9", source: "metadata AWS", note: "no STUN"},
		"the same, seen":              {given: answers{interfaces: list("10.0.0.5"), asked: true, cloud: aws("203.0.113.9"), mapped: ports("203.0.113.9:4443")}, public: "203.0.113.9", source: "metadata AWS", verified: true},
		"the cloud's NAT gateway":     {given: answers{interfaces: list("10.0.0.5"), asked: true, cloud: aws("203.0.113.9"), mapped: ports("203.0.113.77:1024")}, public: "203.0.113.9", source: "metadata AWS", note: "leaves by another address"},
		"a NAT with other ports":      {given: answers{interfaces: list("192.168.1.5"), asked: true, mapped: ports("203.0.113.9:61000 203.0.113.9:61000")}, note: "forwards port 4443"},
		"a symmetric NAT":             {given: answers{interfaces: list("192.168.1.5"), asked: true, mapped: ports("203.0.113.9:4443 203.0.113.9:61001")}, symmetric: true, note: "symmetric NAT"},
		"servers disagree":            {given: answers{interfaces: list("10.0.0.5"), asked: true, mapped: ports("203.0.113.9:4443 203.0.113.10:4443")}, note: "different addresses"},
		"a STUN server here":          {given: answers{interfaces: list("10.0.0.5"), asked: true, mapped: ports("127.0.0.1:4443")}, note: "no STUN server answered"},
		"carrier-grade":               {given: answers{interfaces: list("100.64.0.5"), asked: true}, note: "no STUN"},
		"IPv6 alone":                  {given: answers{interfaces: list("2001:db8::5"), asked: true, mapped: ports("[2001:db8::5]:4443")}, public: "2001:db8::5", source: "interface", verified: true},
		"dual stack behind 1:1 NAT":   {given: answers{interfaces: list("10.0.0.5 2001:db8::5"), asked: true, mapped: ports("203.0.113.9:4443")}, public: "2001:db8::5 203.0.113.9", source: "interface", verified: true},

		"configured and right":            {given: answers{domain: "203.0.113.9", resolved: list("203.0.113.9"), interfaces: list("10.0.0.5"), asked: true, mapped: ports("203.0.113.9:4443")}, public: "203.0.113.9", source: "configuration", verified: true},
		"configured, behind a forwarding": {given: answers{domain: "203.0.113.9", resolved: list("203.0.113.9"), interfaces: list("10.0.0.5"), asked: true, mapped: ports("203.0.113.9:7000")}, public: "203.0.113.9", source: "configuration", note: "forwards port"},
		"configured, nobody to ask":       {given: answers{domain: "203.0.113.9", resolved: list("203.0.113.9"), interfaces: list("10.0.0.5")}, note: "could not be verified"},
		"configured wrong":                {given: answers{domain: "203.0.113.99", resolved: list("203.0.113.99"), interfaces: list("10.0.0.5"), asked: true, mapped: ports("203.0.113.9:4443")}, public: "203.0.113.9", source: "stun", verified: true, problem: "ADDRESS_WRONG Set DOMAIN_OR_PUBLIC_IP=203.0.113.9"},
		"configured wrong, public here":   {given: answers{domain: "203.0.113.99", resolved: list("203.0.113.99"), interfaces: list("198.51.100.5")}, public: "198.51.100.5", source: "interface", problem: "ADDRESS_WRONG Set DOMAIN_OR_PUBLIC_IP=198.51.100.5"},
		"configured IPv4, public IPv6":    {given: answers{domain: "203.0.113.9", resolved: list("203.0.113.9"), interfaces: list("192.168.1.5 2001:db8::5"), asked: true}, public: "2001:db8::5", source: "interface", note: "could not be verified"},
		"a name of IPv4, public IPv6":     {given: answers{domain: "call.example", resolved: list("203.0.113.9"), interfaces: list("192.168.1.5 2001:db8::5")}, public: "2001:db8::5", source: "interface", note: "could not be verified"},
		"the same, and IPv4 seen":         {given: answers{domain: "203.0.113.99", resolved: list("203.0.113.99"), interfaces: list("192.168.1.5 2001:db8::5"), asked: true, mapped: ports("203.0.113.9:7000")}, public: "2001:db8::5", source: "interface", problem: "ADDRESS_WRONG Set DOMAIN_OR_PUBLIC_IP=203.0.113.9.", note: "forwards port"},
		"configured wrong, a gateway":     {given: answers{domain: "203.0.113.99", resolved: list("203.0.113.99"), interfaces: list("10.0.0.5"), asked: true, cloud: aws("203.0.113.9"), mapped: ports("203.0.113.77:1024")}, public: "203.0.113.9", source: "metadata AWS", problem: "ADDRESS_WRONG Set DOMAIN_OR_PUBLIC_IP=203.0.113.9.", note: "leaves by another address"},
		"configured wrong, two here":      {given: answers{domain: "203.0.113.99", resolved: list("203.0.113.99"), interfaces: list("198.51.100.5 198.51.100.6")}, public: "198.51.100.5 198.51.100.6", source: "interface", problem: "ADDRESS_WRONG Set DOMAIN_OR_PUBLIC_IP=198.51.100.5."},
		"configured IPv6, another here":   {given: answers{domain: "2001:db8::99", resolved: list("2001:db8::99"), interfaces: list("2001:db8::5")}, public: "2001:db8::5", source: "interface", problem: "ADDRESS_WRONG Set DOMAIN_OR_PUBLIC_IP=2001:db8::5"},
		"a name that leads here":          {given: answers{domain: "call.example", resolved: list("198.51.100.5"), interfaces: list("198.51.100.5")}, public: "198.51.100.5", source: "configuration"},
		"a name that leads elsewhere":     {given: answers{domain: "call.example", resolved: list("198.51.100.6"), interfaces: list("198.51.100.5")}, public: "198.51.100.5", source: "interface", problem: "DNS_MISMATCH Change the A or AAAA record of call.example to 198.51.100.5"},
		"a name without address":          {given: answers{domain: "call.example", unknown: true, interfaces: list("198.51.100.5")}, public: "198.51.100.5", source: "interface", problem: "DNS_MISMATCH Make an A or AAAA record"},
		"a name nobody could resolve":     {given: answers{domain: "call.example", interfaces: list("10.0.0.5")}, note: "could not be resolved"},
		"localhost":                       {given: answers{domain: "localhost", interfaces: list("198.51.100.5")}, public: "198.51.100.5", source: "interface"},
		"loopback":                        {given: answers{domain: "127.0.0.1", interfaces: list("198.51.100.5")}, public: "198.51.100.5", source: "interface"},

		"lost":                    {given: answers{interfaces: list("10.0.0.5"), asked: true, kept: list("203.0.113.9"), cloud: aws("")}, problem: "ADDRESS_WRONG Give this machine a public address again", note: "no STUN"},
		"lost, and configured":    {given: answers{domain: "203.0.113.9", resolved: list("203.0.113.9"), interfaces: list("10.0.0.5"), asked: true, kept: list("203.0.113.9")}, problem: "ADDRESS_WRONG Give", note: "could not be verified"},
		"seen, at another port":   {given: answers{interfaces: list("192.168.1.5"), asked: true, kept: list("203.0.113.9"), mapped: ports("203.0.113.9:61000")}, note: "forwards port"},
		"exchanged for another":   {given: answers{interfaces: list("10.0.0.5"), asked: true, kept: list("203.0.113.9"), cloud: aws("203.0.113.10")}, public: "203.0.113.10", source: "metadata AWS", note: "no STUN"},
		"kept, and asking is off": {given: answers{interfaces: list("10.0.0.5"), kept: list("203.0.113.9")}},
	} {
		t.Run(name, func(t *testing.T) {
			c.given.port = 4443
			f := judge(&c.given)
			if got := strings.ReplaceAll(join(f.Public), ",", ""); got != c.public || f.Source != c.source || f.Verified != c.verified || f.Symmetric != c.symmetric {
				t.Errorf("%s by %q, verified %v, symmetric %v; want %+v", got, f.Source, f.Verified, f.Symmetric, c)
			}
			code, text, _ := strings.Cut(c.problem, " ")
			switch {
			case c.problem == "" && len(f.Problems) > 0:
				t.Errorf("problems %+v", f.Problems)
			case c.problem != "" && (len(f.Problems) != 1 || f.Problems[0].Code != code || !strings.Contains(f.Problems[0].Fix, text) || f.Problems[0].Text == ""):
				t.Errorf("problems %+v, want %s", f.Problems, c.problem)
			}
			if notes := fmt.Sprint(f.Notes); (c.note == "") != (len(f.Notes) == 0) || !strings.Contains(notes, c.note) {
				t.Errorf("notes %s, want %q", notes, c.note)
			}
		})
	}
}

func TestRulesAreReadyToPaste(t *testing.T) {
	got := strings.Join(Rules(4443, "udp"), "\n")
	for _, want := range []string{"nft insert rule inet filter input udp dport 4443 accept", "ufw allow 4443/udp", "aws ec2 authorize-security-group-ingress", "--protocol udp --port 4443"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
