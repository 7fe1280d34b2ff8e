package openvidu

import (
	"net/url"
	"strings"
)

// TokenRef is what a token says: where REST made it to lead, or what a page with the server's secret wrote itself.
type TokenRef struct {
	Session      string
	Token        string // the tok_ id, or whatever a 1.x client made up
	Secret       string
	Recorder     bool
	SpeechToText bool
}

// ParseToken reads a token as it comes back in joinRoom: the URL wss://HOST?sessionId=…&token=… of REST, or with
// secret instead of token, or a bare token id (spec §2.2). It cannot fail: what is no URL is an id.
func ParseToken(token string) TokenRef {
	_, query, ok := strings.Cut(token, "?")
	if !ok {
		return TokenRef{Token: token}
	}
	value := func(name string) string {
		for part := range strings.SplitSeq(query, "&") {
			if v, ok := strings.CutPrefix(part, name+"="); ok {
				if plain, err := url.PathUnescape(v); err == nil {
					return plain
				}
				return v
			}
		}
		return ""
	}
	return TokenRef{
		Session: value("sessionId"), Token: value("token"), Secret: value("secret"),
		Recorder: value("recorder") != "", SpeechToText: value("stt") != "",
	}
}

// ParseSession takes the id out of the session parameter: 1.x clients send the URL wss://HOST:PORT/ID.
func ParseSession(session string) (id string, isURL bool) {
	scheme, rest, isURL := strings.Cut(session, "://")
	if !isURL || scheme == "" {
		return session, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest = strings.TrimRight(rest, "/")
	_, path, ok := strings.Cut(rest, "/")
	if !ok {
		return "", true
	}
	return path[strings.LastIndexByte(path, '/')+1:], true
}
