package rest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"time"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// turnLifetime is how long credentials made from a staticAuthSecret are good.
const turnLifetime = 24 * time.Hour

// withCredentials turns the static secrets of ICE servers into credentials of one connection (rest §4.5).
func withCredentials(servers []openvidu.RESTICEServer) []session.ICEServer {
	made := make([]session.ICEServer, len(servers))
	for i, s := range servers {
		made[i] = session.ICEServer{URL: s.URL, Username: s.Username, Credential: s.Credential}
		if s.StaticAuthSecret != "" {
			username := fmt.Sprintf("%d:%s", time.Now().Add(turnLifetime).Unix(), rand.Text()[:8])
			mac := hmac.New(sha1.New, []byte(s.StaticAuthSecret))
			mac.Write([]byte(username))
			made[i].Username, made[i].Credential = username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}
	}
	return made
}
