package certs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const resolveWithin = 10 * time.Second

// leadsHere compares the addresses of the domain with our own before anybody is asked: authorities count what fails. A
// record is wrong if we know addresses of ours of its family and it is none of them. Errors are Problems.
func (a *authority) leadsHere(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	resolver := a.config.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	domain := a.config.Domain
	found, err := resolver.LookupNetIP(ctx, "ip", domain)
	if err != nil || len(found) == 0 {
		return Problem{DNSMismatch, fmt.Sprintf("%s has no address (%v)", domain, err), "make an A record of " + domain + " with the address of this machine" + a.ours(" ") +
			"; no restart is needed"}
	}
	var own []netip.Addr
	if a.config.Own != nil {
		own = a.config.Own()
	}
	if len(own) == 0 || misled(found, own) == nil {
		return nil
	}
	return Problem{DNSMismatch, fmt.Sprintf("%s resolves to %s, but this machine is %s, so no certificate is asked for", domain, list(misled(found, own)), list(own)),
		fmt.Sprintf("change the A or AAAA record of %s to %s; no restart is needed (behind a proxy or balancer with that address, set ADDRESS_DISCOVERY=off)", domain, list(own))}
}

// misled returns the records that lead elsewhere, nil if they lead here.
func misled(found, own []netip.Addr) []netip.Addr {
	var here int
	var wrong []netip.Addr
	for _, address := range found {
		address = address.Unmap()
		same := func(o netip.Addr) bool { return o.Unmap() == address }
		family := func(o netip.Addr) bool { return o.Unmap().Is4() == address.Is4() }
		switch {
		case slices.ContainsFunc(own, same):
			here++
		case slices.ContainsFunc(own, family):
			wrong = append(wrong, address)
		}
	}
	if here == 0 {
		return found
	}
	return wrong
}

// ours are our own addresses behind a separator, "" if they are not known.
func (a *authority) ours(separator string) string {
	if a.config.Own == nil {
		return ""
	}
	own := a.config.Own()
	if len(own) == 0 {
		return ""
	}
	return separator + list(own)
}

func list(addresses []netip.Addr) string {
	var texts []string
	for _, a := range addresses {
		texts = append(texts, a.Unmap().String())
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), ", ")
}
