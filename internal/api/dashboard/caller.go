package dashboard

import (
	"net/http"
	"net/netip"

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

// isLocal reports whether the caller is on this machine or a private network. The front door has put the client's
// address in place of a trusted proxy's, and taken off its headers: those that are left are of a proxy that nobody has
// named, behind which everybody seems to be local. A caller who invents one only shuts himself out.
func isLocal(r *http.Request, from netip.Addr) bool {
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	return isPrivate(from)
}

func isPrivate(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
