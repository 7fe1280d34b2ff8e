package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// answers is all that was asked, for judge to compare.
type answers struct {
	at         time.Time
	port       uint16
	domain     string // DOMAIN_OR_PUBLIC_IP
	resolved   []netip.Addr
	unknown    bool // the domain has no address, said who should know
	interfaces []netip.Addr
	asked      bool // discovery is on
	cloud      cloud
	mapped     []netip.AddrPort // as each STUN server that answered saw our media port …
	alone      bool             // … or another port of ours
	kept       []netip.Addr     // Public of the last start that had any
}

// judge compares the answers. It asks nobody.
func judge(a *answers) Finding {
	f := Finding{At: a.at, Interfaces: a.interfaces, Resolved: a.resolved}
	seen := a.seen(&f)
	for _, i := range a.interfaces {
		if IsPublic(i) || i == seen {
			f.add(i, "interface")
		}
	}
	if a.cloud.public.IsValid() {
		f.add(a.cloud.public, "metadata "+a.cloud.name)
		if seen.IsValid() && seen != a.cloud.public && !slices.Contains(a.interfaces, seen) {
			f.note("STUN servers see %s, the metadata service says %s: what we send leaves by another address than clients reach us by", seen, a.cloud.public)
		}
	}
	if seen.IsValid() && !slices.Contains(f.Public, seen) {
		a.behind(&f, seen)
	}
	f.Verified = slices.Contains(f.Public, seen) && !a.alone && f.Mapped.Port() == a.port
	a.configured(&f, seen)
	a.lost(&f, seen)
	if a.asked && !seen.IsValid() {
		f.note("no STUN server answered: nobody outside was asked for our address")
	}
	return f
}

func (f *Finding) add(a netip.Addr, source string) {
	if f.Source == "" {
		f.Source = source
	}
	if !slices.Contains(f.Public, a) {
		f.Public = append(f.Public, a)
	}
}

func (f *Finding) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

func (f *Finding) problem(code, text, fix string) {
	f.Problems = append(f.Problems, Problem{code, text, fix})
}

// seen is the address all STUN servers agree on; zero if they do not, or none answered.
func (a *answers) seen(f *Finding) netip.Addr {
	if len(a.mapped) == 0 {
		return netip.Addr{}
	}
	f.Mapped = a.mapped[0]
	for _, m := range a.mapped[1:] {
		if m.Addr() != f.Mapped.Addr() {
			f.note("STUN servers see different addresses of ours, %s and %s: none is used", f.Mapped.Addr(), m.Addr())
			return netip.Addr{}
		}
		f.Symmetric = f.Symmetric || m.Port() != f.Mapped.Port()
	}
	if f.Mapped.Addr().IsLoopback() {
		return netip.Addr{}
	}
	return f.Mapped.Addr()
}

// behind judges a NAT: if it left our port as it is we take it for 1:1, where clients reach us by its address.
func (a *answers) behind(f *Finding, seen netip.Addr) {
	switch {
	case f.Symmetric:
		f.note("a symmetric NAT in front of us has the address %s: clients reach us there only if it forwards port %d, UDP and TCP, to this machine", seen, a.port)
	case a.alone:
		f.note("a NAT in front of us has the address %s; whether it keeps our port could not be asked", seen)
	case f.Mapped.Port() != a.port:
		f.note("a NAT in front of us makes %s of port %d: clients reach us there only if it forwards port %d, UDP and TCP, to this machine; DOMAIN_OR_PUBLIC_IP=%s then says so", f.Mapped, a.port, a.port, seen)
	default:
		f.add(seen, "stun")
	}
}

// configured compares DOMAIN_OR_PUBLIC_IP with what was found. It is not called wrong unless somebody said what is right.
func (a *answers) configured(f *Finding, seen netip.Addr) {
	literal, err := netip.ParseAddr(a.domain)
	isName := err != nil
	if a.domain == "" || isLocal(a.domain) || literal.IsLoopback() {
		return
	}
	if len(a.resolved) == 0 {
		if a.unknown {
			f.problem(codeDNS, a.domain+" has no address", "Make an A or AAAA record of "+a.domain+" with "+orWords(f.Public, "this machine's public address")+".")
		} else {
			f.note("%s could not be resolved", a.domain)
		}
		return
	}
	for _, r := range a.resolved {
		if slices.Contains(a.interfaces, r) || slices.Contains(f.Public, r) || r == seen || r == a.cloud.public {
			f.Public = append([]netip.Addr{r}, slices.DeleteFunc(f.Public, func(p netip.Addr) bool { return p == r })...)
			f.Source = "configuration"
			return
		}
	}
	// A public IPv6 address says nothing of the IPv4 one, which a NAT may have.
	foreign := func(x netip.Addr) bool { return x.Is6() && !slices.ContainsFunc(a.resolved, netip.Addr.Is6) }
	right := slices.DeleteFunc(slices.Clone(f.Public), foreign)
	if len(right) == 0 && seen.IsValid() && !foreign(seen) {
		right = []netip.Addr{seen}
	}
	here := ", and this machine is " + orWords(right, join(a.interfaces))
	switch {
	case len(right) == 0:
		f.note("%s: whether that address leads here could not be verified", a.domain)
	case isName:
		f.problem(codeDNS, a.domain+" is "+join(a.resolved)+here, fmt.Sprintf("Change the A or AAAA record of %s to %s. If a balancer stands there on purpose, set ADDRESS_DISCOVERY=off.", a.domain, join(right)))
	default:
		f.problem(codeAddress, "DOMAIN_OR_PUBLIC_IP="+a.domain+here, fmt.Sprintf("Set DOMAIN_OR_PUBLIC_IP=%s. If a balancer stands there on purpose, set ADDRESS_DISCOVERY=off.", right[0]))
	}
}

// lost notices a public address that the last start still had. One that is still seen has not gone, whatever the NAT
// makes of our port now.
func (a *answers) lost(f *Finding, seen netip.Addr) {
	if !a.asked || len(a.kept) == 0 || len(f.Public) > 0 || slices.Contains(a.kept, seen) {
		return
	}
	f.problem(codeAddress, fmt.Sprintf("this machine has lost its public address: it was %s when it was last seen, and now nobody says it has one", join(a.kept)),
		"Give this machine a public address again (in a cloud: an elastic or external IP of its interface), or a route to STUN_SERVERS. If it is private on purpose, set ADDRESS_DISCOVERY=off.")
}

func isLocal(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func join(list []netip.Addr) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}

func orWords(list []netip.Addr, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return join(list)
}
