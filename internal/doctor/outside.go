package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tertulia/internal/config"
	"tertulia/internal/reach"
)

// outsideWithin bounds the question who the world sees.
const outsideWithin = 2 * time.Second

// seenBy asks the STUN servers and the cloud's metadata service by which addresses this machine is seen, unless nobody
// may be asked. why says what became of it if there are none.
func seenBy(ctx context.Context, c config.Config) (seen []netip.Addr, why string) {
	if c.AddressDiscovery == "off" {
		return nil, "ADDRESS_DISCOVERY=off"
	}
	ctx, cancel := context.WithTimeout(ctx, outsideWithin)
	defer cancel()
	var asking sync.WaitGroup
	answers, failures := make([]netip.Addr, len(c.STUNServers)), make([]error, len(c.STUNServers))
	for i, server := range c.STUNServers {
		asking.Go(func() { answers[i], failures[i] = mapped(ctx, server) })
	}
	var public netip.Addr
	asking.Go(func() { _, public = reach.AskCloud(ctx) })
	asking.Wait()
	if public.IsValid() {
		seen = append(seen, public)
	}
	var silent []string
	for i, server := range c.STUNServers {
		switch {
		case failures[i] != nil:
			silent = append(silent, fmt.Sprintf("%s: %v", server, failures[i]))
		case !slices.Contains(seen, answers[i]):
			seen = append(seen, answers[i])
		}
	}
	return seen, strings.Join(silent, "; ")
}

// mapped asks one STUN server, at the first of its addresses that answers.
func mapped(ctx context.Context, server string) (netip.Addr, error) {
	name, port, err := net.SplitHostPort(server)
	if err != nil {
		return netip.Addr{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.Addr{}, err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return netip.Addr{}, err
	}
	var failed error
	for i, at := range found {
		part, cancel := context.WithTimeout(ctx, outsideWithin/time.Duration(len(found)-i))
		seen, err := reach.AskAlone(part, netip.AddrPortFrom(at.Unmap(), uint16(number)))
		cancel()
		if err == nil {
			return seen.Addr(), nil
		}
		failed = err
	}
	return netip.Addr{}, failed
}
