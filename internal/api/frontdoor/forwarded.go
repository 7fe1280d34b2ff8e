package frontdoor

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// trusted are the networks of proxies whose word is taken for who is calling; nil is this machine.
type trusted []netip.Prefix

func (t trusted) has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if t == nil {
		return a.IsLoopback()
	}
	for _, network := range t {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

func (t trusted) hasPeer(remote net.Addr) bool {
	tcp, ok := remote.(*net.TCPAddr)
	return ok && t.has(tcp.AddrPort().Addr())
}

// forwarding is what a trusted proxy says of a request; what it does not say is zero.
type forwarding struct {
	believed bool
	client   netip.Addr
	scheme   string // "http" or "https"
	host     string
	prefix   string // path below which the proxy shows us: "/calls"
}

// The headers that are read. Clients send what they like in them: only those of trusted proxies are believed, and they
// are taken off the request then, so that what is left of them is nobody's word.
var forwardedHeaders = []string{
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Real-Ip", "Forwarded",
}

// forwarded reads a request's headers; ok is false, and nothing is believed, if no trusted proxy has sent it.
func (t trusted) forwarded(r *http.Request) (f forwarding, ok bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !t.has(peer.Addr()) {
		return forwarding{}, false
	}
	f.believed = true
	hops := list(r.Header, "X-Forwarded-For")
	scheme, host := first(r.Header, "X-Forwarded-Proto"), first(r.Header, "X-Forwarded-Host")
	if len(hops) == 0 {
		hops = list(r.Header, "X-Real-Ip")
	}
	if len(hops) == 0 && scheme == "" && host == "" { // RFC 7239
		for _, hop := range list(r.Header, "Forwarded") {
			pairs := forwardedPairs(hop)
			hops = append(hops, pairs["for"])
			scheme, host = pairs["proto"], pairs["host"]
		}
	}
	f.client = t.client(hops)
	switch strings.ToLower(scheme) {
	case "https", "wss":
		f.scheme = "https"
	case "http", "ws":
		f.scheme = "http"
	}
	if plainHost.MatchString(host) {
		f.host = host
	}
	if prefix := strings.TrimSuffix(first(r.Header, "X-Forwarded-Prefix"), "/"); plainPrefix.MatchString(prefix) {
		f.prefix = prefix
	}
	return f, true
}

var (
	plainHost   = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]{1,255}$`)
	plainPrefix = regexp.MustCompile(`^(/[A-Za-z0-9][A-Za-z0-9._~-]{0,63}){1,8}$`)
)

// client is the last hop that is no trusted proxy: each proxy appends whom it was called by, so that what is before may
// be invented. If all are trusted it is the first. Zero if there is none.
func (t trusted) client(hops []string) (client netip.Addr) {
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			return client
		}
		client = hop
		if !t.has(hop) {
			return client
		}
	}
	return client
}

// parseHop reads an address, with or without a port, brackets or quotes.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.Trim(text, `"`)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap().WithZone(""), err == nil
}

// list is a header's values, those of one line separated by commas.
func list(h http.Header, name string) []string {
	var values []string
	for _, line := range h.Values(name) {
		for value := range strings.SplitSeq(line, ",") {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

func first(h http.Header, name string) string {
	if values := list(h, name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// forwardedPairs reads one element of a Forwarded header: for=192.0.2.60;proto=http;host=example.org.
func forwardedPairs(element string) map[string]string {
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(pair, "=")
		pairs[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return pairs
}

// unproxied shows a request as its client sent it to the proxy: RemoteAddr, Host, scheme (TLS) and path. Nobody behind
// it needs to know of proxies.
func (t trusted) unproxied(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f, ok := t.forwarded(r); ok {
			r = f.apply(r)
		}
		next.ServeHTTP(w, r)
	})
}

func (f forwarding) apply(r *http.Request) *http.Request {
	r = r.WithContext(r.Context()) // a copy
	if f.believed {
		r.Header = r.Header.Clone()
		for _, name := range forwardedHeaders {
			r.Header.Del(name)
		}
	}
	if f.client.IsValid() {
		r.RemoteAddr = netip.AddrPortFrom(f.client, 0).String()
	}
	if f.host != "" {
		r.Host = f.host
	}
	switch {
	case f.scheme == "http":
		r.TLS = nil
	case f.scheme == "https" && r.TLS == nil:
		r.TLS = &tls.ConnectionState{HandshakeComplete: true}
	}
	if below, ok := strings.CutPrefix(r.URL.Path, f.prefix+"/"); ok && f.prefix != "" {
		r.URL = &url.URL{Path: "/" + below, RawQuery: r.URL.RawQuery}
	}
	return r
}
