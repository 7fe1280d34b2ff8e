package rest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

// turnLifetime is how long credentials made from a staticAuthSecret are good.
const turnLifetime = 24 * time.Hour

// CheckICEServers refuses, with fault.Invalid, servers of the settings by the rule for customIceServers of a request. It
// quotes nothing: there may be a password in it.
func CheckICEServers(servers []openvidu.RESTICEServer) error {
	for i, s := range servers {
		if wrong, ok := errors.AsType[*openvidu.RESTFieldError](s.Check()); ok {
			return fault.New(fault.Invalid, "OPENVIDU_WEBRTC_ICE_SERVERS entry %d: its %s cannot be used → write %s", i+1, wrong.Field, wrong.Want)
		}
	}
	return nil
}

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
