package certs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const resolveWithin = 10 * time.Second

// leadsHere compares the addresses of the domain with our own before anybody is asked: authorities count what fails. A
// record is wrong if we know addresses of ours of its family and it is none of them. Errors are Problems.
func (a *authority) leadsHere(ctx context.Context) error {
	domain := a.config.Domain
	found, err := a.addresses(ctx)
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

var errMoved = errors.New("the domain has other addresses now")

// untilMoved ends a context, with errMoved, when the domain gets other addresses: then an order that failed is worth
// placing again at once.
func (a *authority) untilMoved(ctx context.Context) (until context.Context, end func()) {
	until, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		look := time.NewTicker(cmp.Or(a.config.every, askAgain))
		defer look.Stop()
		for before := ""; ; {
			found, err := a.addresses(until)
			if now := list(found); err == nil && before == "" {
				before = now
			} else if err == nil && now != before && a.mayRepeat() {
				cancel(errMoved)
			}
			select {
			case <-until.Done():
				return
			case <-look.C:
			}
		}
	})
	return until, func() {
		cancel(nil)
		watching.Wait()
	}
}

// mayRepeat bounds what names that change all the time cost: authorities count orders that fail.
func (a *authority) mayRepeat() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.moved) < repeatAgain {
		return false
	}
	a.moved = time.Now()
	return true
}

// addresses are those that the domain has.
func (a *authority) addresses(ctx context.Context) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	if a.config.Resolver != nil {
		return a.config.Resolver.LookupNetIP(ctx, "ip", a.config.Domain)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", a.config.Domain)
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
