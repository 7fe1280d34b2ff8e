// Package frontdoor is the one TCP port of a node: it tells HTTP, HTTPS, TURN and ICE-TCP apart by their first bytes,
// before and after TLS (design decision 7), and hands each connection to whoever speaks it.
//
//	0x16                          → TLS, then: ALPN h2, http/1.1 → HTTP
//	                                           no ALPN, stun.*   → as below, once more
//	an ASCII letter               → HTTP (in the clear: for loopback hosts, others are redirected to HTTPS)
//	STUN's cookie at offset 4     → TURN
//	STUN's cookie at offset 6     → ICE-TCP (RFC 4571 framing)
//	a PROXY protocol header       → of a trusted proxy: as above, from the client's address; of others: refused
//
// Behind it nobody needs to know of proxies: what a trusted one says of its client by X-Forwarded-… is in the request's
// RemoteAddr, Host, TLS and path, and nowhere else (forwarded.go).
//
// In front of what is served stands a [Site]: routes to folders and other servers, access lists, headers, the paths before
// 2.16, by [Rules] that may be changed (site.go, access.go, beside.go). [SetTLS] knows OpenSSL's names (cipher.go).
//
// It owns the listener, the two http.Servers and the limits on connections; what is served is given to it. It imports
// fault. Start at [Door.Run] (frontdoor.go), then follow one connection through route.go.
package frontdoor
