package rest

import (
	"strings"
	"testing"

	"tertulia/internal/session"
)

func TestHostOfURLs(t *testing.T) {
	for _, test := range []struct {
		domain string
		port   int
		header string
		want   string
	}{
		{"call.example", 443, "ignored:1", "call.example"},
		{"call.example", 4443, "ignored:1", "call.example:4443"},
		{"2001:db8::1", 443, "", "[2001:db8::1]"},
		{"2001:db8::1", 4443, "", "[2001:db8::1]:4443"},
		{"", 4443, "192.168.1.5:8443", "192.168.1.5:8443"},
		{"", 4443, "lan.example", "lan.example"},
		{"", 4443, "lan.example:443", "lan.example"},
		{"", 4443, "[fd00::5]:4443", "[fd00::5]:4443"},
		{"", 4443, "[fd00::5]", "[fd00::5]"},
		{"", 4443, "", "localhost:4443"},
		{"", 4443, "a?b=c", "localhost:4443"},
		{"", 4443, "a&b:1", "localhost:4443"},
		{"", 4443, "a:99999", "localhost:4443"},
		{"", 4443, "a:0", "localhost:4443"},
		{"", 4443, "[fe80::1%25eth0]:1", "localhost:4443"},
	} {
		r := &request{api: &api{}, http: newRequest("GET /", "")}
		r.Settings.Domain, r.Settings.HTTPSPort, r.http.Host = test.domain, test.port, test.header
		if got := r.host().String(); got != test.want {
			t.Errorf("%q, %d, Host %q: got %s, want %s", test.domain, test.port, test.header, got, test.want)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, seed := range []string{"a", "a:1", "[::1]:2", "[", "a&b", ":", "[]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if h, ok := parseHost(header); ok && strings.ContainsAny(h.String(), "/?&=#@% \"") {
			t.Errorf("%q became %q", header, h)
		}
	})
}

// turn hands out one fixed credential.
type turn []session.ICEServer

func (s turn) TURN(string, string) []session.ICEServer { return s }

func TestTokenURL(t *testing.T) {
	c := &session.Connection{ID: "con_A", Token: "tok_A", Role: session.Moderator}
	const plain = "wss://call.example:4443?sessionId=S&token=tok_A&role=MODERATOR"
	for _, test := range []struct {
		secrets session.Secrets
		want    string
	}{
		{nil, plain},
		{turn(nil), plain},
		{turn{{URL: "stun:a"}, {URL: "turn:a", Username: "17:u", Credential: "c0ffee"}}, plain + "&coturnIp=call.example&turnUsername=17:u&turnCredential=c0ffee"},
		{turn{{URL: "turn:a", Username: "u", Credential: "c0ffee="}}, plain},
	} {
		r := &request{api: &api{Config: Config{TURN: test.secrets}}, http: newRequest("GET /", "")}
		r.Settings.Domain, r.Settings.HTTPSPort = "call.example", 4443
		if got := r.tokenURL("S", c); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
