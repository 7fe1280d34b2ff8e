package frontdoor

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

var (
	nobody  = []netip.Prefix{}
	balance = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:5::/48")}
)

// caller reports whom a handler takes a request to come from, and which of the proxies' headers it still sees.
var caller = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	left := ""
	for _, name := range forwardedHeaders {
		if r.Header.Get(name) != "" {
			left += " +" + name
		}
	}
	host, _, _ := strings.Cut(r.RemoteAddr, ":")
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		host = a.Addr().String()
	}
	_, _ = fmt.Fprintf(w, "%s %s://%s%s%s", host, scheme, r.Host, r.URL.RequestURI(), left)
})

func TestWhoIsCalling(t *testing.T) {
	for name, c := range map[string]struct {
		trust  trusted
		peer   string
		header string // lines
		want   string
	}{
		"no proxy":                   {nil, "203.0.113.5", "", "203.0.113.5 http://meet/a?b"},
		"a stranger's word":          {nil, "203.0.113.5", "X-Forwarded-For: 1.1.1.1\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil", "203.0.113.5 http://meet/a?b +X-Forwarded-For +X-Forwarded-Proto +X-Forwarded-Host"},
		"nginx here":                 {nil, "127.0.0.1", "X-Real-IP: 203.0.113.5\nX-Forwarded-For: 203.0.113.5\nX-Forwarded-Proto: https", "203.0.113.5 https://meet/a?b"},
		"nginx here, IPv6":           {nil, "[::1]", "X-Forwarded-For: 2001:db8::7", "2001:db8::7 http://meet/a?b"},
		"only X-Real-IP":             {nil, "127.0.0.1", "X-Real-IP: 203.0.113.5", "203.0.113.5 http://meet/a?b"},
		"nobody is trusted":          {nobody, "127.0.0.1", "X-Real-IP: 203.0.113.5", "127.0.0.1 http://meet/a?b +X-Real-Ip"},
		"a named one":                {balance, "10.1.2.3", "X-Forwarded-For: 203.0.113.5", "203.0.113.5 http://meet/a?b"},
		"a mapped one":               {balance, "[::ffff:10.1.2.3]", "X-Forwarded-For: 203.0.113.5", "203.0.113.5 http://meet/a?b"},
		"loopback, others named":     {balance, "127.0.0.1", "X-Forwarded-For: 203.0.113.5", "127.0.0.1 http://meet/a?b +X-Forwarded-For"},
		"an invented hop":            {balance, "10.1.2.3", "X-Forwarded-For: 9.9.9.9, 203.0.113.5", "203.0.113.5 http://meet/a?b"},
		"two of ours":                {balance, "10.1.2.3", "X-Forwarded-For: 9.9.9.9, 203.0.113.5\nX-Forwarded-For: 10.7.7.7", "203.0.113.5 http://meet/a?b"},
		"all are ours":               {balance, "10.1.2.3", "X-Forwarded-For: 10.8.8.8, 10.7.7.7", "10.8.8.8 http://meet/a?b"},
		"garbage":                    {balance, "10.1.2.3", "X-Forwarded-For: unknown", "10.1.2.3 http://meet/a?b"},
		"garbage before":             {balance, "10.1.2.3", "X-Forwarded-For: <script>, 10.7.7.7", "10.7.7.7 http://meet/a?b"},
		"with a port":                {balance, "10.1.2.3", "X-Forwarded-For: 203.0.113.5:4711", "203.0.113.5 http://meet/a?b"},
		"with a port, IPv6":          {balance, "[2001:db8:5::1]", `X-Forwarded-For: "[2001:db8::7]:4711"`, "2001:db8::7 http://meet/a?b"},
		"another host":               {balance, "10.1.2.3", "X-Forwarded-Host: call.example:8443", "10.1.2.3 http://call.example:8443/a?b"},
		"no host":                    {balance, "10.1.2.3", "X-Forwarded-Host: a b/@c", "10.1.2.3 http://meet/a?b"},
		"RFC 7239":                   {balance, "10.1.2.3", `Forwarded: for=9.9.9.9;proto=http, for="[2001:db8::7]:80";proto=https;host=call.example`, "2001:db8::7 https://call.example/a?b"},
		"RFC 7239 beside the others": {balance, "10.1.2.3", "Forwarded: for=9.9.9.9;host=evil\nX-Forwarded-For: 203.0.113.5", "203.0.113.5 http://meet/a?b"},
		"wss":                        {balance, "10.1.2.3", "X-Forwarded-Proto: wss", "10.1.2.3 https://meet/a?b"},
		"a kept prefix":              {balance, "10.1.2.3", "X-Forwarded-Prefix: /a", "10.1.2.3 http://meet/a?b"},
	} {
		r := httptest.NewRequest("GET", "/a?b", nil)
		r.Host, r.RemoteAddr = "meet", c.peer+":5000"
		for line := range strings.Lines(c.header) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Add(name, value)
		}
		before := len(r.Header)
		w := httptest.NewRecorder()
		c.trust.unproxied(caller).ServeHTTP(w, r)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if len(r.Header) != before || r.RemoteAddr != c.peer+":5000" {
			t.Errorf("%s: the request itself was changed", name)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for _, c := range []struct{ prefix, path, want string }{
		{"/calls", "/calls/openvidu/api/sessions?x=1", "/openvidu/api/sessions?x=1"},
		{"/calls/", "/calls/", "/"},
		{"/a/b", "/a/b/livez", "/livez"},
		{"/calls", "/openvidu/api", "/openvidu/api"}, // the proxy has taken it off
		{"/calls", "/callsign", "/callsign"},
		{"/../x", "/../x/livez", "/../x/livez"},
		{"calls", "/calls/livez", "/calls/livez"},
		{"//evil", "//evil/livez", "//evil/livez"},
	} {
		r := httptest.NewRequest("GET", "http://meet"+c.path, nil)
		r.RemoteAddr = "127.0.0.1:5000"
		r.Header.Set("X-Forwarded-Prefix", c.prefix)
		var got string
		trusted(nil).unproxied(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = r.URL.RequestURI()
		})).ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s below %s: %s, want %s", c.path, c.prefix, got, c.want)
		}
	}
}

// TestENT_10__TLSEndedInFront: what a trusted proxy has taken out of TLS is served as if it had come by TLS; what came
// to the proxy in the clear is redirected. Of proxies that are trusted by default it must be said.
func TestENT_10__TLSEndedInFront(t *testing.T) {
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for name, c := range map[string]struct {
		trust  []netip.Prefix
		header string
		want   string
	}{
		"named":                 {here, "", "200 127.0.0.1 https://meet.example/x"},
		"named, and says so":    {here, "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.5\r\n", "200 203.0.113.5 https://meet.example/x"},
		"named, by HTTP":        {here, "X-Forwarded-Proto: http\r\n", "301 https://meet.example/x"},
		"named, another host":   {here, "X-Forwarded-Proto: http\r\nX-Forwarded-Host: call.example\r\n", "301 https://call.example/x"},
		"default":               {asShipped, "", "301 https://meet.example/x"},
		"default, and says so":  {asShipped, "X-Forwarded-Proto: https\r\n", "200 127.0.0.1 https://meet.example/x"},
		"default, Forwarded":    {asShipped, "Forwarded: for=203.0.113.5;proto=https\r\n", "200 203.0.113.5 https://meet.example/x"},
		"nobody, but says so":   {nobody, "X-Forwarded-Proto: https\r\n", "301 https://meet.example/x"},
		"another, but says so":  {balance, "X-Forwarded-Proto: https\r\n", "301 https://meet.example/x"},
		"PROXY, named":          {here, "PROXY TCP4 203.0.113.5 192.0.2.1 4711 443", "200 203.0.113.5 https://meet.example/x"},
		"PROXY, default":        {asShipped, "PROXY TCP4 203.0.113.5 192.0.2.1 4711 443", "301 https://meet.example/x"},
		"PROXY, and its header": {here, "PROXY TCP4 203.0.113.5 192.0.2.1 4711 443 X-Real-IP: 9.9.9.9\r\n", "200 203.0.113.5 https://meet.example/x +X-Real-Ip"},
	} {
		t.Run(name, func(t *testing.T) {
			door := open(t, Config{HTTP: caller, TrustedProxies: c.trust})
			stream := door.dial()
			header := c.header
			if strings.HasPrefix(header, "PROXY ") {
				line := strings.SplitN(header, " ", 7)
				header = strings.TrimPrefix(header, strings.Join(line[:6], " "))
				header = strings.TrimPrefix(header, " ")
				_, _ = io.WriteString(stream, strings.Join(line[:6], " ")+"\r\n")
			}
			_, _ = io.WriteString(stream, "GET /x HTTP/1.1\r\nHost: meet.example\r\nConnection: close\r\n"+header+"\r\n")
			answer, err := io.ReadAll(stream)
			if err != nil {
				t.Fatal(err)
			}
			head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
			got := head[len("HTTP/1.1 "):][:3] + " " + body
			if _, location, ok := strings.Cut(head, "Location: "); ok {
				location, _, _ = strings.Cut(location, "\r\n")
				got = head[len("HTTP/1.1 "):][:3] + " " + location
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
