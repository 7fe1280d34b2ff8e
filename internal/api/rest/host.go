package rest

import (
	"cmp"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tertulia/internal/session"
)

// host is where clients reach us: a name or address (IPv6 without brackets) and a port.
type host struct {
	name string
	port string
}

// String is HOST[:PORT] for an https or wss URL.
func (h host) String() string {
	if h.port != "443" {
		return net.JoinHostPort(h.name, h.port)
	}
	return h.bracketed()
}

func (h host) bracketed() string {
	if strings.Contains(h.name, ":") {
		return "[" + h.name + "]"
	}
	return h.name
}

// host is the configured one, or else the one the request was sent to, if it is one.
func (r *request) host() host {
	settings := r.Settings()
	port := strconv.Itoa(settings.HTTPSPort)
	if settings.Domain != "" {
		return host{settings.Domain, port}
	}
	if h, ok := parseHost(r.http.Host); ok {
		return h
	}
	return host{"localhost", port}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)

// parseHost reads a Host header; the port that is not there is 443.
func parseHost(header string) (host, bool) {
	h := host{header, "443"}
	if name, port, err := net.SplitHostPort(header); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return host{}, false
		}
		h = host{name, port}
	} else {
		h.name = strings.TrimSuffix(strings.TrimPrefix(header, "["), "]")
	}
	if ip, err := netip.ParseAddr(h.name); err == nil {
		return h, ip.Zone() == ""
	}
	return h, hostName.MatchString(h.name)
}

// url is our address for a scheme, "http" or "ws", without a slash at its end.
func (r *request) url(scheme string) string {
	if !r.PlainHTTP {
		scheme += "s"
	}
	return scheme + "://" + r.host().String()
}

// oldURL is how clients of 1.x know a session (rest §14.1).
func (r *request) oldURL(sessionID string) string {
	scheme, h := "wss://", r.host()
	if r.PlainHTTP {
		scheme = "ws://"
	}
	return scheme + net.JoinHostPort(h.name, h.port) + "/" + sessionID
}

// tokenURL is what a client joins with. It is the same in every answer: the official clients compare it to tell whether
// a session has changed. What follows the token's id is for clients before 2.17 (rest §6.1, signalling §2.2), and goes
// with the deprecated API; later ones ignore it. "version" is left out: 2.10 to 2.15 complain about every release but
// their own.
func (r *request) tokenURL(sessionID string, c *session.Connection) string {
	h := r.host()
	u := r.url("ws") + "?sessionId=" + sessionID + "&token=" + c.Token
	if !r.Deprecated {
		return u + r.LogParams
	}
	u += "&role=" + string(cmp.Or(c.TokenRole, c.Role)) + r.LogParams
	if r.TURN == nil {
		return u
	}
	username, credential := r.TURN(sessionID, c.ID, time.UnixMilli(c.CreatedAt))
	// These clients cut values at = and decode % and +.
	if username == "" || credential == "" || strings.ContainsAny(username+credential, "=&+%#") {
		return u
	}
	return u + "&coturnIp=" + h.bracketed() + "&turnUsername=" + username + "&turnCredential=" + credential
}
