// Package frontdoor is the one TCP port of a node: it tells HTTP, HTTPS, TURN and ICE-TCP apart by their first bytes,
// before and after TLS (design decision 7), and hands each connection to whoever speaks it.
//
//	0x16                          → TLS, then: ALPN h2, http/1.1 → HTTP
//	                                           no ALPN, stun.*   → as below, once more
//	an ASCII letter               → HTTP (in the clear: for loopback hosts, others are redirected to HTTPS)
//	STUN's cookie at offset 4     → TURN
//	STUN's cookie at offset 6     → ICE-TCP (RFC 4571 framing)
//
// It owns the listener, the two http.Servers and the limits on connections; what is served is given to it. It imports
// fault. Start at [Door.Run] (frontdoor.go), then follow one connection through route.go.
package frontdoor
