package rest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"tertulia/internal/session"
	"tertulia/internal/wire/openvidu"
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
		r.Settings, r.http.Host = fixed(openvidu.RESTConfig{Domain: test.domain, HTTPSPort: test.port}), test.header
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

func TestTokenURL(t *testing.T) {
	// The role was changed after the token was made: the URL stays.
	c := &session.Connection{ID: "con_A", Token: "tok_A", CreatedAt: 1700000000000, TokenRole: session.Moderator, Role: session.Subscriber}
	const plain = "wss://call.example:4443?sessionId=S&token=tok_A&role=MODERATOR"
	turn := func(username, credential string) func(string, string, time.Time) (string, string) {
		return func(_, _ string, made time.Time) (string, string) {
			return strings.ReplaceAll(username, "TIME", strconv.FormatInt(made.Unix(), 10)), credential
		}
	}
	for _, test := range []struct {
		turn func(string, string, time.Time) (string, string)
		want string
	}{
		{nil, plain},
		{turn("", ""), plain},
		{turn("TIME:u", "c0ffee"), plain + "&coturnIp=call.example&turnUsername=1700000000:u&turnCredential=c0ffee"},
		{turn("u", "c0ffee="), plain},
	} {
		r := &request{api: &api{Config: Config{TURN: test.turn, Deprecated: true}}, http: newRequest("GET /", "")}
		r.Settings = fixed(openvidu.RESTConfig{Domain: "call.example", HTTPSPort: 4443})
		if got := r.tokenURL("S", c); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	off := &request{api: &api{Config: Config{TURN: turn("u", "c0ffee"), LogParams: "&sendBrowserLogs=debug"}}, http: newRequest("GET /", "")}
	off.Settings = fixed(openvidu.RESTConfig{Domain: "call.example", HTTPSPort: 443})
	if got, want := off.tokenURL("S", c), "wss://call.example?sessionId=S&token=tok_A&sendBrowserLogs=debug"; got != want {
		t.Errorf("with the deprecated API off: %s, want %s", got, want)
	}
}
