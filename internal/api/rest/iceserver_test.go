package rest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
)

func TestStaticSecretsBecomeCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands at 2000-01-01 00:00:00 UTC
		made := withCredentials([]openvidu.RESTICEServer{{URL: "stun:a"}, {URL: "turn:a", StaticAuthSecret: "s"}})
		if made[0] != (session.ICEServer{URL: "stun:a"}) {
			t.Errorf("the STUN server became %+v", made[0])
		}
		if !regexp.MustCompile(`^946771200:[A-Z0-9]{8}$`).MatchString(made[1].Username) {
			t.Errorf("username %s, want the second a day from now and 8 characters", made[1].Username)
		}
		mac := hmac.New(sha1.New, []byte("s"))
		mac.Write([]byte(made[1].Username))
		if made[1].Credential != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("credential %s", made[1].Credential)
		}
	})
}

func TestConfiguredServersAreForConnectionsThatNameNone(t *testing.T) {
	h, registry := server(t, func(c *Config) {
		c.ICEServers = []openvidu.RESTICEServer{{URL: "turn:global", StaticAuthSecret: "hush"}}
	})
	const path = "POST /openvidu/api/sessions/Call/connection"
	for _, body := range []string{"", `{"customIceServers":[]}`, `{"customIceServers":null}`} {
		w := do(h, path, body)
		if !strings.Contains(w.Body.String(), `"url":"turn:global","username":"`) || strings.Contains(w.Body.String(), "hush") {
			t.Errorf("%s: %s", body, w.Body)
		}
	}
	do(h, path, `{"customIceServers":[{"url":"stun:own"}]}`)
	own := registry.commands[3].(session.CreateConnection).ICEServers
	if len(own) != 1 || own[0].URL != "stun:own" {
		t.Errorf("its own: %v", own)
	}
	first, second := registry.commands[0].(session.CreateConnection).ICEServers[0], registry.commands[1].(session.CreateConnection).ICEServers[0]
	if first.Username == second.Username {
		t.Error("two connections share credentials")
	}
}
