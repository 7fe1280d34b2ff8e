package rest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func attempt(h http.Handler, user, password, address string) int {
	r := newRequest("GET /openvidu/api/sessions", "")
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	r.RemoteAddr = address
	return send(h, r).Code
}

func TestCredentials(t *testing.T) {
	h, registry := server(t, nil)
	for _, test := range []struct {
		user, password string
		want           int
	}{
		{"OPENVIDUAPP", secret, 200}, {"OPENVIDUAPP", secret + "x", 401}, {"OPENVIDUAPP", "", 401}, {"openviduapp", secret, 401},
		{"other", secret, 401}, {"", "", 401}, {"OPENVIDUAPP" + secret, "", 401},
	} {
		if got := attempt(h, test.user, test.password, "192.0.2.1:1"); got != test.want {
			t.Errorf("%q: %d, want %d", test.user, got, test.want)
		}
	}
	r := newRequest("POST /openvidu/api/sessions", "{}")
	r.Header.Set("Authorization", "Bearer "+secret)
	w := send(h, r)
	if w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic realm=") || w.Body.Len() > 0 {
		t.Errorf("the challenge: %d %v %q", w.Code, w.Header(), w.Body)
	}
	if len(registry.created) > 0 {
		t.Error("a session was created without the secret")
	}
}

// Every route asks for the secret, and so do unmapped paths; only the public ones do not.
func TestWhatIsPublic(t *testing.T) {
	h, _ := server(t, nil)
	public := map[string]bool{"/config/openvidu-publicurl": true}
	for _, row := range routes {
		path := strings.NewReplacer("{", "", "}", "").Replace(row.pattern)
		w := send(h, newRequest(row.method+" "+prefix+path, ""))
		if got := w.Code != http.StatusUnauthorized; got != public[row.pattern] {
			t.Errorf("%s %s without secret: %d", row.method, row.pattern, w.Code)
		}
	}
	for target, want := range map[string]int{
		"GET /openvidu/api/unmapped": 401, "GET /config": 401, "HEAD /openvidu/api/config/openvidu-publicurl": 200,
		"GET /livez": 200, "GET /readyz": 200, "OPTIONS /openvidu/api/sessions": 401, "GET /openvidu/api/health": 401,
	} {
		if w := send(h, newRequest(target, "")); w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}

func TestWrongCredentialsAreLimitedAndRightOnesNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := server(t, nil)
		const address = "192.0.2.1:1234"
		for i := range failuresPerMinute {
			if got := attempt(h, "OPENVIDUAPP", "guess", address); got != 401 {
				t.Fatalf("guess %d: %d", i, got)
			}
		}
		if got := attempt(h, "OPENVIDUAPP", "guess", address); got != 429 {
			t.Errorf("one guess too many: %d", got)
		}
		if got := attempt(h, "OPENVIDUAPP", secret, address); got != 200 {
			t.Errorf("the right secret from that address: %d", got)
		}
		if got := attempt(h, "", "", address); got != 401 {
			t.Errorf("no credentials from that address: %d", got)
		}
		if got := attempt(h, "OPENVIDUAPP", "guess", "192.0.2.2:1234"); got != 401 {
			t.Errorf("a guess from another address: %d", got)
		}
		time.Sleep(3 * time.Second)
		if got := attempt(h, "OPENVIDUAPP", "guess", address); got != 401 {
			t.Errorf("a guess after Retry-After: %d", got)
		}
	})
}

func TestRateLimitAnswer(t *testing.T) {
	h, _ := server(t, nil)
	for range failuresPerMinute {
		attempt(h, "a", "b", "192.0.2.1:1")
	}
	r := newRequest("GET /openvidu/api/sessions", "")
	r.SetBasicAuth("a", "b")
	r.RemoteAddr = "192.0.2.1:1"
	if w := send(h, r); w.Header().Get("Retry-After") != "3" || !strings.Contains(w.Body.String(), "OPENVIDU_SECRET") {
		t.Errorf("got %v %s", w.Header(), w.Body)
	}
}

func TestAddressTableIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failures
		for i := range maxAddresses + failuresPerMinute {
			if !f.allow(fmt.Sprintf("10.%d.%d.1:1", i/256, i%256)) {
				t.Fatalf("address %d refused", i)
			}
		}
		if f.allow("192.0.2.1:1") {
			t.Error("new addresses do not share a bucket when the table is full")
		}
		if len(f.byAddress) != maxAddresses+1 {
			t.Errorf("%d buckets", len(f.byAddress))
		}
		time.Sleep(time.Hour)
		f.allow("192.0.2.1:1")
		if len(f.byAddress) != 1 {
			t.Errorf("an hour later: %d buckets", len(f.byAddress))
		}
	})
}

func TestAddressKey(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1/32", "[::ffff:192.0.2.1]:5": "192.0.2.1/32", "[2001:db8:1:2:3:4:5:6]:7": "2001:db8:1:2::/64", "[fe80::1%eth0]:7": "fe80::/64", "pipe": "invalid Prefix",
	} {
		if got := addressKey(remote).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}
