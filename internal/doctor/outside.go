package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/config"
)

// seenBy asks the STUN servers by which addresses they see this machine, unless nobody may be asked. why says what
// became of it if there are none.
func seenBy(ctx context.Context, c config.Config) (seen []netip.Addr, why string) {
	if c.AddressDiscovery == "off" {
		return nil, "ADDRESS_DISCOVERY=off"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	answers, failures := make([]netip.Addr, len(c.STUNServers)), make([]error, len(c.STUNServers))
	for i, server := range c.STUNServers {
		asking.Go(func() { answers[i], failures[i] = mapped(ctx, server) })
	}
	asking.Wait()
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

// mapped asks one STUN server (RFC 8489 §2).
func mapped(ctx context.Context, server string) (netip.Addr, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", server)
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.Addr{}, err
	}
	answer := make([]byte, 1500)
	for wait := 500 * time.Millisecond; ; wait *= 2 { // RFC 8489 §6.2.1
		if _, err := conn.Write(request.Raw); err != nil {
			return netip.Addr{}, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return netip.Addr{}, err
		}
		n, err := conn.Read(answer)
		if ctx.Err() != nil {
			return netip.Addr{}, ctx.Err()
		}
		if err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // net.Conn returns it bare
				continue
			}
			return netip.Addr{}, err
		}
		if a, ok := mappedIn(answer[:n], request); ok {
			return a, nil
		}
	}
}

func mappedIn(answer []byte, request *stun.Message) (netip.Addr, bool) {
	m := &stun.Message{Raw: answer}
	var at stun.XORMappedAddress
	if m.Decode() != nil || m.TransactionID != request.TransactionID || m.Type != stun.BindingSuccess || at.GetFrom(m) != nil {
		return netip.Addr{}, false
	}
	a, ok := netip.AddrFromSlice(at.IP)
	return a.Unmap(), ok
}
