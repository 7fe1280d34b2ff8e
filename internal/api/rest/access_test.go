package rest

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

func all(password string) Credential {
	return Credential{User: User, Password: password, Scope: ScopeAll}
}

// Secrets change under calls that never stop: who uses the old one has until it is taken away, and no call fails.
func TestFAQ_04__RotationWithoutAFailedCall(t *testing.T) {
	var accepted atomic.Pointer[[]Credential]
	accept := func(list ...Credential) { accepted.Store(&list) }
	h, _ := server(t, func(c *Config) { c.Credentials = func() []Credential { return *accepted.Load() } })
	var used atomic.Pointer[string] // what the applications are configured with
	use := func(secret string) { used.Store(&secret) }
	accept(all("old"))
	use("old")

	var calls [4]atomic.Int64 // of each caller
	var failed atomic.Int64
	over := make(chan struct{})
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if got := attempt(h, "OPENVIDUAPP", *used.Load(), "192.0.2.1:1"); got != http.StatusOK {
					failed.Add(1)
				}
				calls[i].Add(1)
			}
		})
	}
	// each caller has ended what it began, and one call more
	each := func() {
		var before [len(calls)]int64
		for i := range calls {
			before[i] = calls[i].Load()
		}
		for i := range calls {
			for calls[i].Load() < before[i]+2 {
				runtime.Gosched()
			}
		}
	}
	for range 10 {
		for _, next := range []struct{ now, before string }{{"new", "old"}, {"old", "new"}} {
			accept(all(next.now), all(next.before)) // both, from here on
			use(next.now)
			each()
			accept(all(next.now))
			each()
		}
	}
	close(over)
	callers.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d calls failed", failed.Load())
	}
	if got := attempt(h, "OPENVIDUAPP", "new", "192.0.2.1:1"); got != http.StatusUnauthorized {
		t.Errorf("the secret that was taken away: %d", got)
	}
}

func TestFAQ_04__KeysDoWhatTheirScopeSays(t *testing.T) {
	h, _ := server(t, func(c *Config) {
		c.Credentials = func() []Credential {
			return []Credential{
				all(secret), {User: User}, // a secret that is empty is none
				{User: User, Password: "k-sessions", Scope: ScopeSessions, Name: "web"},
				{User: "web", Password: "k-sessions", Scope: ScopeSessions, Name: "web"},
				{User: "monitor", Password: "k-read", Scope: ScopeRead, Name: "monitor"},
				{User: "typo", Password: "k-typo", Scope: "everything", Name: "typo"},
			}
		}
	})
	for _, test := range []struct {
		user, password, target string
		want                   int
	}{
		{"OPENVIDUAPP", secret, "GET /openvidu/api/config", 200},
		{"OPENVIDUAPP", "k-sessions", "GET /openvidu/api/sessions", 200},
		{"web", "k-sessions", "GET /openvidu/api/sessions", 200},
		{"web", "k-sessions", "POST /openvidu/api/sessions/Call/connection", 200},
		{"web", "k-sessions", "DELETE /openvidu/api/sessions/Call", 204},
		{"web", "k-sessions", "GET /openvidu/api/config", 403},
		{"web", "k-sessions", "GET /openvidu/api/health", 403},
		{"web", "k-sessions", "GET /openvidu/api/sessionsx", 403},
		{"web", "k-sessions", "GET /openvidu/api/config/openvidu-publicurl", 200},
		{"monitor", "k-read", "GET /openvidu/api/sessions", 200},
		{"monitor", "k-read", "HEAD /openvidu/api/config", 200},
		{"monitor", "k-read", "POST /openvidu/api/sessions", 403},
		{"monitor", "k-read", "DELETE /openvidu/api/sessions/Call", 403},
		{"OPENVIDUAPP", "k-read", "GET /openvidu/api/sessions", 401}, // of another user
		{"monitor", "k-sessions", "GET /openvidu/api/sessions", 401},
		{"typo", "k-typo", "GET /openvidu/api/sessions", 403},
		{"OPENVIDUAPP", "", "GET /openvidu/api/sessions", 401},
	} {
		r := newRequest(test.target, "")
		r.SetBasicAuth(test.user, test.password)
		w := send(h, r)
		if w.Code != test.want {
			t.Errorf("%s with %q: %d %s, want %d", test.target, test.password, w.Code, w.Body, test.want)
		}
		if w.Code == 403 && strings.Contains(w.Body.String(), test.password) {
			t.Errorf("the answer tells the key: %s", w.Body)
		}
	}
	r := newRequest("POST /openvidu/api/sessions", "{}")
	r.SetBasicAuth("monitor", "k-read")
	if w := send(h, r); !strings.Contains(w.Body.String(), `\"monitor\" has the scope \"read\"`) {
		t.Errorf("no reason is told: %s", w.Body)
	}
}

func TestFAQ_04__ASecretThatComesFromAPageIsNoticed(t *testing.T) {
	const own, host = "https://call.example", "call.example"
	tests := map[string]struct {
		header map[string]string
		origin string // that is told; "": nothing is
		page   string
	}{
		"a server":               {header: map[string]string{}},
		"a foreign page":         {map[string]string{"Origin": "https://app.example", "Referer": "https://app.example/room.html?name=x"}, "https://app.example", "https://app.example/room.html"},
		"a page that hides":      {map[string]string{"Origin": "https://app.example"}, "https://app.example", ""},
		"a file":                 {map[string]string{"Origin": "null"}, "null", ""},
		"a page of our own":      {map[string]string{"Origin": own, "Referer": own + "/demo/"}, own, own + "/demo/"},
		"its GET, without one":   {map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Referer": own + "/demo/"}, own, own + "/demo/"},
		"a GET of who knows":     {map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, "null", ""},
		"Node's fetch":           {header: map[string]string{"Sec-Fetch-Mode": "cors", "Accept-Language": "*"}},
		"typed in":               {header: map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}},
		"the dashboard":          {header: map[string]string{"Origin": own, "Referer": own + "/dashboard/"}},
		"the inspector":          {header: map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Referer": own + "/inspector/sessions"}},
		"another's dashboard":    {map[string]string{"Origin": "https://app.example", "Referer": "https://app.example/dashboard/"}, "https://app.example", "https://app.example/dashboard/"},
		"one that says it is":    {map[string]string{"Origin": "https://app.example", "Referer": own + "/dashboard/"}, "https://app.example", own + "/dashboard/"},
		"a dashboard look-alike": {map[string]string{"Origin": own, "Referer": own + "/dashboardx"}, own, own + "/dashboardx"},
	}
	for name, test := range tests {
		for _, strict := range []bool{false, true} {
			var told []SecretUse
			h, _ := server(t, func(c *Config) {
				c.Strict = func() bool { return strict }
				c.SecretSeen = func(u SecretUse) { told = append(told, u) }
			})
			r := newRequest("GET /openvidu/api/sessions", "")
			r.Host, r.RemoteAddr = host, "192.0.2.1:1"
			for k, v := range test.header {
				r.Header.Set(k, v)
			}
			r.SetBasicAuth("OPENVIDUAPP", secret)
			w := send(h, r)
			want := http.StatusOK
			if strict && test.origin != "" {
				want = http.StatusForbidden
			}
			if w.Code != want {
				t.Errorf("%s, strict %v: %d %s, want %d", name, strict, w.Code, w.Body, want)
			}
			if test.origin == "" {
				if len(told) > 0 {
					t.Errorf("%s: told %v", name, told)
				}
				continue
			}
			if len(told) != 1 || told[0] != (SecretUse{test.origin, test.page, "192.0.2.1:1", "GET /openvidu/api/sessions"}) {
				t.Errorf("%s: told %+v", name, told)
			}
		}
	}
}

// A wrong secret tells nothing of ours.
func TestFAQ_04__AWrongSecretOfAPageIsNoLeak(t *testing.T) {
	h, _ := server(t, func(c *Config) { c.SecretSeen = func(u SecretUse) { t.Errorf("told %v", u) } })
	r := newRequest("GET /openvidu/api/sessions", "")
	r.SetBasicAuth("OPENVIDUAPP", "guess")
	r.Header.Set("Origin", "https://app.example")
	if w := send(h, r); w.Code != http.StatusUnauthorized {
		t.Errorf("answered %d", w.Code)
	}
}

// A key that may only look sees where a webhook goes and which headers it has, and no password in them.
func TestSecretsOfWebhooksAreHidden(t *testing.T) {
	keys := []Credential{all(secret), {User: User, Password: "reader", Scope: ScopeRead, Name: "r"}}
	hook := &openvidu.RESTWebhookConfig{Endpoint: "https://u:pass@app.example/hook/T0KEN?token=abc", Headers: []string{"Authorization: Bearer abc"}, Events: []string{}}
	h, _ := server(t, func(c *Config) {
		c.Credentials = func() []Credential { return keys }
		c.Settings = fixed(openvidu.RESTConfig{Webhook: true, RESTWebhookConfig: hook})
	})
	for password, wants := range map[string][]string{
		"reader": {`["Authorization: (hidden)"]`, `"https://app.example/(hidden)"`},
		secret:   {`["Authorization: Bearer abc"]`, `"https://u:pass@app.example/hook/T0KEN?token=abc"`},
	} {
		r := newRequest("GET /openvidu/api/config", "")
		r.SetBasicAuth(User, password)
		w := send(h, r)
		for _, want := range wants {
			if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d %s, want %s", password, w.Code, w.Body, want)
			}
		}
	}
}

// Every answer that may show connections, asked by every kind of key: who may only look could join with a token, and so
// change everything.
func TestFAQ_04__AReaderSeesNoTokenOrCredential(t *testing.T) {
	keys := []Credential{all(secret), {User: User, Password: "k-sessions", Scope: ScopeSessions, Name: "web"}, {User: User, Password: "k-read", Scope: ScopeRead, Name: "r"}}
	h, registry := server(t, func(c *Config) {
		c.Credentials = func() []Credential { return keys }
		c.NodeID = "media_Abcdefgh"
		c.Nodes = func() []openvidu.RESTMediaNode { return []openvidu.RESTMediaNode{aNode("media_Abcdefgh")} }
		c.TURN = func(string, string, time.Time) (username, credential string) { return "u", "turn-pass" }
	})
	registry.states[0].Connections[2].ICEServers[0].Credential = "p-credential"
	sdp := "v=0\r\na=ice-ufrag:abc\r\na=ice-pwd:p-ice\r\nm=audio 9\r\na=ice-pwd:p-ice\r\n"
	for _, name := range []string{"con_Pub", "con_Sub_str_CAM_Abcd_con_Pub"} {
		registry.stats = append(registry.stats, mediactl.EndpointStats{Endpoint: name, LocalSDP: sdp, RemoteSDP: sdp})
	}
	const all = "?pendingConnections=true&webRtcStats=true&sessions=true&extra-info=true"
	shown := map[string]int{} // secrets that were seen, by key
	for i := range routes {
		row := &routes[i]
		if row.method != http.MethodGet || row.public || row.old {
			continue
		}
		for _, connection := range []string{"con_Pub", "con_Sub", "con_Wait"} {
			path := strings.NewReplacer("{session}", "Call", "{connection}", connection, "{node}", "media_Abcdefgh", "{recording}", "x").Replace(row.pattern)
			for _, key := range keys {
				r := newRequest("GET "+prefix+path+all, "")
				r.SetBasicAuth(User, key.Password)
				text := send(h, r).Body.String()
				for _, credential := range []string{"tok_", "p-credential", "p-ice", "turn-pass"} {
					seen := strings.Count(text, credential)
					shown[key.Password] += seen
					if key.Scope == ScopeRead && seen > 0 {
						t.Errorf("GET %s shows a reader %s: %s", path, credential, text)
					}
				}
			}
		}
	}
	if shown[secret] == 0 || shown["k-sessions"] == 0 {
		t.Errorf("those who may change calls see no token either: %v", shown)
	}
}
