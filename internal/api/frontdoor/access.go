package frontdoor

import (
	"net/http"
	"net/netip"
	"strings"
)

// Where the two access lists hold (rest §1.7). The paths before 2.16 of REST are among them. The clients' log below
// /openvidu/elk, which nginx kept behind the list of the API, is not: each of its requests proves whose it is, and a
// diagnosis needs those of participants.
var (
	dashboardPaths = []string{"/dashboard", "/inspector", "/openvidu/info", "/kibana", "/openvidu/elasticsearch"}
	restPaths      = []string{"/openvidu/api", "/openvidu/cdr", "/openvidu/inspector-api", "/openvidu/virtual-background"}
	oldRESTPaths   = []string{"/api", "/config", "/pro"}
)

// allowed serves a request unless an access list keeps its sender out.
func (s *Site) allowed(rules *inForce, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if !s.admits(rules, r) {
		http.Error(w, "this address may not come here: see ALLOWED_ACCESS_TO_RESTAPI and ALLOWED_ACCESS_TO_DASHBOARD", http.StatusForbidden)
		return
	}
	next.ServeHTTP(w, r)
}

func (s *Site) admits(rules *inForce, r *http.Request) bool {
	var lists [][]netip.Prefix
	switch path := r.URL.Path; {
	case isBelow(path, dashboardPaths):
		lists = [][]netip.Prefix{rules.Dashboard}
	case isBelow(path, restPaths), rules.Deprecated && isBelow(path, oldRESTPaths):
		lists = [][]netip.Prefix{rules.REST, rules.Dashboard}
	default:
		return true
	}
	if lists[0] == nil {
		return true
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	a := from.Addr().Unmap().WithZone("")
	if !unnamedProxy(r) {
		if a.IsLoopback() {
			return true
		}
		if s.Local != nil {
			lists = append(lists, s.Local())
		}
	}
	for _, list := range lists {
		for _, network := range list {
			if network.Contains(a) {
				return true
			}
		}
	}
	return false
}

// unnamedProxy reports whether a proxy has sent a request that nobody has named: the headers of those that are trusted are
// off by now. Behind one everybody seems to be local.
func unnamedProxy(r *http.Request) bool {
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
		if len(r.Header.Values(name)) > 0 {
			return true
		}
	}
	return false
}

// Admits reports whether a request's sender is named by the list of the dashboard, or is local; false while that list is
// open to everybody.
func (s *Site) Admits(r *http.Request) bool {
	rules := s.rules.Load()
	return rules.Dashboard != nil && s.admits(rules, at(r, dashboardPaths[0]))
}

// isBelow reports whether a path is one of a list, or below it.
func isBelow(path string, list []string) bool {
	for _, prefix := range list {
		if tail, ok := strings.CutPrefix(path, prefix); ok && (tail == "" || tail[0] == '/') {
			return true
		}
	}
	return false
}
