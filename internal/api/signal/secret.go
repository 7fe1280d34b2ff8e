package signal

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"tertulia/internal/fault"
	"tertulia/internal/wire/openvidu"
)

// noSecretJoins is told whoever comes with a secret and no valid token, whether or not the secret is right.
func noSecretJoins() error {
	return fault.New(fault.Unauthorized, "this server lets nobody join with its secret (JOIN_BY_SECRET=false); have your server create a connection by REST (POST /openvidu/api/sessions/SESSION/connection) and join with its token")
}

// secretOf is the secret a client joins with, "" if it does not.
func secretOf(p *openvidu.JoinRoom) string {
	return cmp.Or(p.Secret, openvidu.ParseToken(p.Token).Secret)
}

var notInIDs = regexp.MustCompile(`[^a-zA-Z0-9_-]`)

// roomName makes a session id of what an application without a server side has people type; the same one each time, and
// another one for another name. What could be an id is its own.
func roomName(typed string) string {
	plain, err := url.PathUnescape(typed)
	if err != nil {
		plain = typed
	}
	id := notInIDs.ReplaceAllString(plain, "_")
	if id == plain && len(id) <= 256 {
		return id
	}
	sum := sha256.Sum256([]byte(plain))
	return fmt.Sprintf("%.200s-%x", id, sum[:5])
}

// knows compares a secret with the server's, in constant time; without one nobody knows it. Clients take it from a URL:
// 1.x as it stands there, 2.x after decodeURI, which leaves reserved characters encoded.
func (s *Server) knows(secret string) bool {
	said := []string{secret, reserved.Replace(secret)}
	if plain, err := url.PathUnescape(secret); err == nil {
		said = append(said, plain)
	}
	known := 0
	for _, ours := range append([]string{s.settings().Secret}, s.settings().OldSecrets...) {
		for _, theirs := range said {
			if ours != "" {
				known |= subtle.ConstantTimeCompare([]byte(theirs), []byte(ours))
			}
		}
	}
	return known == 1
}

var reserved = strings.NewReplacer("%3B", ";", "%2F", "/", "%3F", "?", "%3A", ":", "%40", "@", "%26", "&", "%3D", "=", "%2B", "+", "%24", "$", "%2C", ",", "%23", "#")
