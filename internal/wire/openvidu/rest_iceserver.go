package openvidu

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// RESTICEServer is a STUN or TURN server for one connection. StaticAuthSecret is only ever received; the other
// credentials are made from it.
type RESTICEServer struct {
	URL              string `json:"url"`
	Username         string `json:"username,omitempty"`
	Credential       string `json:"credential,omitempty"`
	StaticAuthSecret string `json:"-"`
}

const restMaxICEServers = 50

// restHost is a host name of letters, digits, - and _; it is not looked up.
var restHost = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func parseRESTICEServers(o *restObject, field string) []RESTICEServer {
	var servers []RESTICEServer
	for _, entry := range o.objects(field, restMaxICEServers) {
		s := RESTICEServer{
			URL:              entry.text("url", ""),
			Username:         entry.text("username", ""),
			Credential:       entry.secret("credential"),
			StaticAuthSecret: entry.secret("staticAuthSecret"),
		}
		if wrong, want := s.check(); wrong != "" {
			entry.fail(wrong, nil, "%s", want)
		}
		servers = append(servers, s)
	}
	return servers
}

// Check applies the rules of IceServerProperties.java (rest §4.5); the error is a *RESTFieldError. Other than there, a
// name without dots is accepted without asking the DNS.
func (s RESTICEServer) Check() error {
	if wrong, want := s.check(); wrong != "" {
		return &RESTFieldError{Field: wrong, Want: want}
	}
	return nil
}

// check returns the field that is wrong and what belongs there, or "".
func (s RESTICEServer) check() (wrong, want string) {
	scheme, rest, _ := strings.Cut(s.URL, ":")
	turn := scheme == "turn" || scheme == "turns"
	if !turn && scheme != "stun" && scheme != "stuns" {
		return "url", "a URL that starts with stun:, stuns:, turn: or turns:"
	}
	authority, query, hasQuery := strings.Cut(rest, "?")
	if hasQuery && (!turn || query != "transport=udp" && query != "transport=tcp") {
		return "url", "nothing after ? but transport=udp or transport=tcp, and that for TURN only"
	}
	if !isAuthority(authority) {
		return "url", "HOST or HOST:PORT after the scheme; an IPv6 address in brackets"
	}
	switch {
	case !turn && s.Username+s.Credential+s.StaticAuthSecret != "":
		return "username", "no credentials for a STUN server"
	case turn && s.StaticAuthSecret != "" && s.Username+s.Credential != "":
		return "staticAuthSecret", "either it, or username and credential"
	case turn && s.StaticAuthSecret == "" && (s.Username == "" || s.Credential == ""):
		return "username", "username and credential, or staticAuthSecret, for a TURN server"
	}
	return "", ""
}

// isAuthority reports whether s is HOST[:PORT].
func isAuthority(s string) bool {
	var port string
	var hasPort bool
	if inner, ok := strings.CutPrefix(s, "["); ok {
		address, after, closed := strings.Cut(inner, "]")
		ip, err := netip.ParseAddr(address)
		if !closed || err != nil || !ip.Is6() || ip.Zone() != "" {
			return false
		}
		port, hasPort = strings.TrimPrefix(after, ":"), after != ""
		if hasPort && after[0] != ':' {
			return false
		}
	} else {
		var host string
		if host, port, hasPort = strings.Cut(s, ":"); len(host) > 253 || !restHost.MatchString(host) {
			return false
		}
	}
	if !hasPort {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '+'
}
