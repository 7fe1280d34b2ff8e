package doctor

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tertulia/internal/diagnosis"
	"tertulia/internal/reach"
)

// addresses are those by which this machine can be reached.
type addresses struct {
	interfaces []netip.Addr
	seen       []netip.Addr // from outside
}

func (a addresses) has(x netip.Addr) bool {
	return slices.Contains(a.interfaces, x) || slices.Contains(a.seen, x)
}

// public are the addresses to tell clients: as the world sees us, else the interfaces' public ones, else all of them.
func (a addresses) public() []netip.Addr {
	if len(a.seen) > 0 {
		return a.seen
	}
	private := func(x netip.Addr) bool { return !reach.IsPublic(x) }
	if public := slices.DeleteFunc(slices.Clone(a.interfaces), private); len(public) > 0 {
		return public
	}
	return slices.DeleteFunc(slices.Clone(a.interfaces), netip.Addr.IsLoopback)
}

// right is the one to tell clients instead of others: of their family, if there is one.
func (a addresses) right(instead []netip.Addr) string {
	all := a.public()
	alike := func(x netip.Addr) bool {
		return slices.ContainsFunc(instead, func(i netip.Addr) bool { return i.Is4() == x.Is4() })
	}
	if at := slices.IndexFunc(all, alike); at >= 0 {
		return all[at].String()
	}
	return join(all[:min(1, len(all))])
}

// natted reports whether somebody outside sees us by an address that no interface has.
func (a addresses) natted() bool {
	return slices.ContainsFunc(a.seen, func(x netip.Addr) bool { return !slices.Contains(a.interfaces, x) })
}

// own gathers them.
func (h *host) own(ctx context.Context) (a addresses) {
	a.interfaces = interfaces()
	h.outside.Do(func() { h.seen, h.asked = seenBy(ctx, h.Config) })
	a.seen = h.seen
	return a
}

// certain says that addresses which are not among ours lead elsewhere: somebody outside has said who we are, or an
// interface has a public address itself; of IPv6 neither says anything of IPv4, which a NAT may have. With
// ADDRESS_DISCOVERY=off nothing is certain: a balancer may stand in front on purpose.
func (h *host) certain(own addresses, foreign []netip.Addr) bool {
	says := func(x netip.Addr) bool { return x.Is4() || slices.ContainsFunc(foreign, netip.Addr.Is6) }
	return h.Config.AddressDiscovery != "off" && (slices.ContainsFunc(own.seen, says) ||
		slices.ContainsFunc(own.interfaces, func(x netip.Addr) bool { return reach.IsPublic(x) && says(x) }))
}

func interfaces() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, f := range found {
		if p, err := netip.ParsePrefix(f.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			list = append(list, p.Addr())
		}
	}
	return list
}

// checkAddresses looks at the address that clients are told to send media to.
func checkAddresses(ctx context.Context, h *host) Check {
	own := h.own(ctx)
	v := values{"address": h.Config.Domain}
	told, literal := h.told(ctx)
	outside := "seen from outside as " + join(own.seen)
	if len(own.seen) == 0 {
		outside = "not seen from outside (" + h.asked + ")"
	}
	evidence := []string{"interfaces " + join(own.interfaces), outside}
	if h.Config.Domain == "" {
		return fine(append([]string{"DOMAIN_OR_PUBLIC_IP is not set"}, evidence...)...)
	}
	if !literal {
		v["address"] += " (" + join(told) + " by this machine's resolver)"
		if records, err := h.records(ctx); err == nil && sameAddresses(records, told) {
			return fine(append([]string{"media is offered at what DNS says of " + h.Config.Domain}, evidence...)...)
		}
	}
	public := slices.DeleteFunc(slices.Clone(told), netip.Addr.IsLoopback)
	// A hosts file may lead the name to loopback, which is no media address, where the public one is wanted.
	lost := !literal && h.Config.Domain != "localhost" && len(told) > 0 && len(public) == 0 && own.natted()
	foreign := slices.DeleteFunc(public, own.has)
	switch {
	case !lost && len(foreign) == 0:
		return fine(append([]string{"DOMAIN_OR_PUBLIC_IP=" + v["address"]}, evidence...)...)
	case !lost && !h.certain(own, foreign):
		return unchecked("no interface has " + join(told) + "; behind NAT that may be right, and it was " + outside)
	}
	v["verified"] = own.right(foreign)
	return faulty(diagnosis.AddressWrong, v, append([]string{"DOMAIN_OR_PUBLIC_IP=" + v["address"]}, evidence...)...)
}

// told are the media addresses that the server takes from DOMAIN_OR_PUBLIC_IP.
func (h *host) told(ctx context.Context) (list []netip.Addr, literal bool) {
	if a, err := netip.ParseAddr(h.Config.Domain); err == nil {
		return []netip.Addr{a.Unmap()}, true
	}
	if h.Config.Domain == "" {
		return nil, false
	}
	return h.system(ctx), false
}

// system asks as the server does: the hosts file first.
func (h *host) system(ctx context.Context) []netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Config.Domain)
	if err != nil {
		return nil
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found
}

func sameAddresses(a, b []netip.Addr) bool {
	within := func(x, y []netip.Addr) bool {
		return !slices.ContainsFunc(x, func(one netip.Addr) bool { return !slices.Contains(y, one) })
	}
	return within(a, b) && within(b, a)
}

func join(list []netip.Addr) string {
	if len(list) == 0 {
		return "none"
	}
	var texts []string
	for _, a := range list {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}
