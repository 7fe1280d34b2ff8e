package dashboard

import (
	"net/http"
	"net/netip"
	"strings"

	"tertulia/internal/fault"
)

// callerOf returns the address the request's connection came from.
func callerOf(r *http.Request) (netip.Addr, error) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, fault.Wrap(fault.Internal, err, "remote address %q", r.RemoteAddr)
	}
	return from.Addr().Unmap(), nil
}

// isLocal reports whether the caller is on this machine or a private network. Behind a proxy every caller seems to
// be; so the addresses a proxy adds must be local too. A caller who invents that header only shuts himself out.
func isLocal(r *http.Request, from netip.Addr) bool {
	if !isPrivate(from) {
		return false
	}
	for _, line := range r.Header.Values("X-Forwarded-For") {
		for hop := range strings.SplitSeq(line, ",") {
			addr, err := netip.ParseAddr(strings.TrimSpace(hop))
			if err != nil || !isPrivate(addr.Unmap()) {
				return false
			}
		}
	}
	return r.Header.Get("Forwarded") == "" // RFC 7239, rare: there is a proxy and we cannot tell for whom
}

func isPrivate(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
