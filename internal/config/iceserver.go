package config

import (
	"fmt"
	"strings"
)

// maxICEServers bounds the list: every joining client is sent all of it.
const maxICEServers = 50

func iceServers(field func(*Config) *[]ICEServer) kind {
	const want = `an array of "url=…" or "url=…,username=…,credential=…" or "url=…,staticAuthSecret=…", each in quotes`
	return kind{"array", want, func(c *Config, v string) error {
		entries, err := parseList(v)
		if err != nil {
			return err
		}
		if len(entries) > maxICEServers {
			return invalid(fmt.Sprintf("more than %d entries", maxICEServers))
		}
		servers := make([]ICEServer, 0, len(entries))
		for i, entry := range entries {
			server, err := parseICEServer(entry)
			if err != nil {
				return invalid(fmt.Sprintf("entry %d: %v", i+1, err))
			}
			servers = append(servers, server)
		}
		*field(c) = servers
		return nil
	}}
}

// parseICEServer takes "key=value,key=value" apart. It quotes no value: it may be a credential.
func parseICEServer(entry string) (ICEServer, error) {
	var s ICEServer
	for pair := range strings.SplitSeq(entry, ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			return s, invalid("each part is key=value")
		}
		switch strings.TrimSpace(key) {
		case "url":
			s.URL = value
		case "username":
			s.Username = value
		case "credential":
			s.Credential = value
		case "staticAuthSecret":
			s.StaticAuthSecret = value
		default:
			return s, invalid("the keys are url, username, credential and staticAuthSecret")
		}
	}
	switch scheme, _, _ := strings.Cut(s.URL, ":"); scheme {
	case "stun", "stuns":
		if s.Username+s.Credential+s.StaticAuthSecret != "" {
			return s, invalid("a STUN server takes no credentials")
		}
	case "turn", "turns":
		if (s.Username == "") != (s.Credential == "") || (s.Credential == "") == (s.StaticAuthSecret == "") {
			return s, invalid("a TURN server takes username and credential, or staticAuthSecret alone")
		}
	default:
		return s, invalid("the url starts with stun:, stuns:, turn: or turns:")
	}
	return s, nil
}

// parseList reads OpenVidu's lenient arrays: [a,"b, c",'d']. Quotes are optional where an element has no comma; [] and
// [""] are empty.
func parseList(v string) ([]string, error) {
	v = strings.TrimSpace(v)
	if len(v) < 2 || v[0] != '[' || v[len(v)-1] != ']' {
		return nil, invalid("an array stands in [ and ]")
	}
	var list []string
	for rest := strings.TrimSpace(v[1 : len(v)-1]); rest != ""; {
		element, after, err := nextElement(rest)
		if err != nil {
			return nil, err
		}
		if element != "" {
			list = append(list, element)
		}
		rest = after
	}
	return list, nil
}

// nextElement cuts the first element off a non-empty list; a backslash in quotes takes the next byte as it is.
func nextElement(s string) (element, rest string, err error) {
	quote := s[0]
	if quote != '"' && quote != '\'' {
		element, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(element), strings.TrimSpace(rest), nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == quote:
			after := strings.TrimSpace(s[i+1:])
			if after != "" && after[0] != ',' {
				return "", "", invalid("a comma is missing after a quoted element")
			}
			return b.String(), strings.TrimSpace(strings.TrimPrefix(after, ",")), nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", invalid("a quote is not closed")
}
