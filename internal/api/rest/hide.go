package rest

import (
	"net/url"
	"regexp"
	"strings"

	"tertulia/internal/wire/openvidu"
)

const hidden = "(hidden)"

// secrets reports whether a scope may see what lets its reader act as somebody else: who may only look could change
// everything with it.
func (s Scope) secrets() bool { return s == ScopeAll || s == ScopeSessions }

// icePassword is one of RFC 8839 §5.4 in a description: with it packets can be sent as that client.
var icePassword = regexp.MustCompile(`(?m)^(a=ice-pwd:)[^\r\n]*`)

// hide takes out of a connection what lets its reader join, use a TURN server or send packets in its place. A credential
// stays a text: the Java client takes no TURN server without one.
func hide(view *openvidu.RESTConnection) {
	view.Token = nil
	for i := range view.CustomICEServers {
		if s := &view.CustomICEServers[i]; s.Credential != "" {
			s.Credential = hidden
		}
	}
	for _, p := range view.Publishers {
		hideStats(p.RESTStats)
	}
	for _, s := range view.Subscribers {
		hideStats(s.RESTStats)
	}
}

func hideStats(s *openvidu.RESTStats) {
	if s != nil {
		s.LocalSDP = icePassword.ReplaceAllString(s.LocalSDP, "${1}"+hidden)
		s.RemoteSDP = icePassword.ReplaceAllString(s.RemoteSDP, "${1}"+hidden)
	}
}

// hideWebhook takes out what would let its reader speak to the application as we do: what headers say, and all of the URL but
// its host, for receivers have their tokens in any part of it.
func hideWebhook(w openvidu.RESTWebhookConfig) *openvidu.RESTWebhookConfig {
	headers := make([]string, len(w.Headers))
	for i, h := range w.Headers {
		name, _, _ := strings.Cut(h, ": ")
		headers[i] = name + ": " + hidden
	}
	w.Headers = headers
	u, err := url.Parse(w.Endpoint)
	if err != nil {
		w.Endpoint = hidden
		return &w
	}
	w.Endpoint = u.Scheme + "://" + u.Host + "/" + hidden
	return &w
}
