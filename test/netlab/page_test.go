package netlab

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// onlyTLS is a firewall that looks inside: STUN has its cookie 4 octets into what TURN sends, 6 into what ICE-TCP does (RFC
// 8489 §5, RFC 4571). TCP's header has 32 octets here, with its time stamps.
const onlyTLS = noUDP + "; meta l4proto tcp @th,288,32 0x2112a442 drop; meta l4proto tcp @th,304,32 0x2112a442 drop"

var warned = regexp.MustCompile(`(?m)^.*level=(WARN|ERROR).*$`)

// pageOpen lets visitors with public addresses in.
var pageOpen = settings{"CALL_PAGE": "all"}

// checked is what the page /dashboard/test shows at its end; see readCheck in test/lib/checkpage.js.
type checked struct {
	Verdict  struct{ Outcome, Code string }
	Findings []string
	Rows     map[string]struct {
		State     string
		RTT, Loss float64
		Via       string
	}
	Took   float64 // milliseconds
	Errors []string
}

// check runs the page in the node's browser.
func (s *server) check(b *browser, shot string) (c checked) {
	s.lab.t.Helper()
	b.must(&c, map[string]any{"verb": "check", "url": s.url(), "shot": shot})
	if len(c.Errors) > 0 || c.Took > 15_000 {
		s.lab.t.Errorf("the check took %.0f ms; errors %q", c.Took, c.Errors)
	}
	return c
}

// states asserts how each transport did; where it works, with a round trip and a loss that can be.
func (c checked) states(t *testing.T, udp, tcp, relay string) {
	t.Helper()
	for way, want := range map[string]string{"udp": udp, "tcp": tcp, "relay": relay} {
		got := c.Rows[way]
		if got.State != want {
			t.Errorf("%s: %s, want %s", way, got.State, want)
		}
		if want == "ok" && (got.RTT < 0 || got.RTT > 1000 || got.Loss < 0 || got.Loss > 5) {
			t.Errorf("%s: %v ms, %v %% lost", way, got.RTT, got.Loss)
		}
	}
}

func (c checked) says(t *testing.T, outcome, code string) {
	t.Helper()
	if c.Verdict.Outcome != outcome || c.Verdict.Code != code {
		t.Errorf("the verdict is %+v, want %s %s", c.Verdict, outcome, code)
	}
}

// TestFAQ_01c__TestPage: the page measures every transport by itself, and says what its user can expect.
func TestFAQ_01c__TestPage(t *testing.T) {
	for _, c := range []struct {
		name, wall      string
		udp, tcp, relay string
		outcome, code   string
	}{
		{"UDP dropped", noUDP, "fail", "ok", "ok", "ok", "CLIENT_UDP_BLOCKED"},
		{"open", "", "ok", "ok", "ok", "ok", ""},
		// TURN over TLS would pass, but no browser speaks that to a self-signed certificate.
		{"nothing but HTTPS", onlyTLS, "fail", "fail", "fail", "failed", "NET_UNREACHABLE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.wall != "" {
				t.Parallel() // it mostly waits for what does not come
			}
			lab := labBeside(t)
			server := lab.serve(lab.internet.host("srv"), pageOpen)
			home := lab.internet.router("home", portRestricted)
			home.firewall(c.wall)
			got := server.check(home.host("alice").browser(browserOptions{}), "netlab-"+strings.ReplaceAll(c.name, " ", "-"))
			got.states(t, c.udp, c.tcp, c.relay)
			got.says(t, c.outcome, c.code)
			// A transport that cannot work here is a result, and no participant in need.
			if said := warned.FindString(server.logged()); said != "" {
				t.Errorf("the server complains: %s", said)
			}
			if got.Rows["relay"].Via != "tcp" {
				t.Errorf("the relay is reached by %q; with a self-signed certificate that is TCP", got.Rows["relay"].Via)
			}
		})
	}
}

// TestFAQ_01c__TestPageOverTLS: with a certificate that browsers trust the relay is reached over TLS, and passes a firewall
// that lets nothing else through.
func TestFAQ_01c__TestPageOverTLS(t *testing.T) {
	lab := newLab(t)
	ca := newAuthority(t)
	server := lab.serveFrom(lab.internet.named().host("srv"), ca.owncert(t, serverName),
		settings{"CERTIFICATE_TYPE": "owncert", "CALL_PAGE": "all", "DOMAIN_OR_PUBLIC_IP": serverName}).at(serverName, 4443)
	home := lab.internet.router("home", portRestricted)
	home.firewall(onlyTLS)
	got := server.check(home.host("alice").browser(browserOptions{Env: ca.trusted(t)}), "netlab-only-tls")
	got.states(t, "fail", "fail", "ok")
	got.says(t, "ok", "CLIENT_UDP_BLOCKED")
	got.says(t, "ok", "CLIENT_UDP_BLOCKED")
	if got.Rows["relay"].Via != "tls" {
		t.Errorf("the relay is reached by %q, want TLS", got.Rows["relay"].Via)
	}
}

// TestFAQ_01c__TestPageMeasuresLoss: how much, in which direction, on the way that calls take.
func TestFAQ_01c__TestPageMeasuresLoss(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), pageOpen)
	home := lab.internet.router("home", portRestricted)
	alice := home.host("alice")
	home.firewall("ip saddr " + alice.ip.String() + " meta l4proto udp numgen random mod 100 < 25 drop")
	got := server.check(alice.browser(browserOptions{}), "netlab-lossy")
	if loss := got.Rows["udp"].Loss; loss < 5 || loss > 60 {
		t.Errorf("%v %% of UDP lost, a quarter was", loss)
	}
	if got.Verdict.Outcome != "limited" || !slices.Contains(append(got.Findings, got.Verdict.Code), "LOSS_UPLINK") {
		t.Errorf("the verdict is %+v, then %v", got.Verdict, got.Findings)
	}
}

// spy notes every question for a camera or microphone, also where the browser itself offers no way to ask.
const spy = `window.asked = [];
const getUserMedia = (wanted) => { window.asked.push(wanted); return Promise.reject(new DOMException('', 'NotAllowedError')); };
const devices = Object.assign(new EventTarget(), { getUserMedia, enumerateDevices: async () => [] });
if (!navigator.mediaDevices) Object.defineProperty(navigator, 'mediaDevices', { value: devices });`

// TestFAQ_11__InsecurePage: under an address of the network, by plain HTTP, browsers lend a page no camera; so it says why,
// and asks for none.
func TestFAQ_11__InsecurePage(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), pageOpen)
	host := lab.careless(server)
	b := lab.internet.host("home").browser(browserOptions{})
	for _, path := range []string{"/call/tea", "/dashboard/test"} {
		var got struct {
			Secure     bool
			Code, Link string
			Asked      []json.RawMessage
		}
		b.must(&got, map[string]any{"verb": "visit", "url": "http://" + host + path, "init": spy, "testid": "insecure", "shot": "insecure",
			"source": `({ secure: isSecureContext, code: document.querySelector('[data-testid="insecure"]').dataset.code,
				link: document.querySelector('[data-testid="go-secure"]').href, asked })`})
		if got.Secure || got.Code != "INSECURE_ORIGIN" || got.Link != "https://"+host+path || len(got.Asked) > 0 {
			t.Errorf("%s shows %+v", path, got)
		}
	}
	// Somebody who goes on anyway is not asked either.
	var asked []json.RawMessage
	b.must(&asked, map[string]any{"verb": "visit", "url": "http://" + host + "/call/tea", "init": spy, "testid": "insecure",
		"source": `(async () => {
			document.querySelector('[data-testid="go-without"]').click();
			const said = () => document.querySelector('[data-testid="device-trouble"]');
			while (!/secure pages only/.test(said()?.textContent)) await new Promise(requestAnimationFrame);
			return asked;
		})()`})
	if len(asked) > 0 {
		t.Errorf("asked for %s", asked)
	}
}

// careless serves the server's pages in the clear at the lab's own address, as a careless proxy does.
func (l *lab) careless(s *server) (host string) {
	l.t.Helper()
	target, err := url.Parse(s.url())
	if err != nil {
		l.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	listener, err := net.Listen("tcp", "203.0.113.254:0")
	if err != nil {
		l.t.Fatal(err)
	}
	door := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- door.Serve(listener) }()
	l.t.Cleanup(func() {
		_ = door.Close()
		<-done
	})
	return listener.Addr().String()
}

// TestFAQ_11__RedirectedPage: the server itself serves no page in the clear; behind its redirect the camera works.
func TestFAQ_11__RedirectedPage(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), pageOpen)
	plain := strings.Replace(server.url(), "https:", "http:", 1) + "/call/tea"
	client := lab.http(nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Get(plain)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if to := response.Header.Get("Location"); response.StatusCode/100 != 3 || to != server.url()+"/call/tea" {
		t.Errorf("%s to %q", response.Status, to)
	}
	var got struct {
		URL   string
		Width float64
	}
	// The browser is told to take the certificate, as a person does once.
	lab.internet.host("home").browser(browserOptions{}).must(&got, map[string]any{"verb": "visit", "url": plain, "testid": "preview",
		"source": `new Promise((done) => {
			const video = document.querySelector('[data-testid="preview"]');
			video.requestVideoFrameCallback(() => done({ url: location.href, width: video.videoWidth }));
		})`})
	if got.URL != server.url()+"/call/tea" || got.Width == 0 {
		t.Errorf("at the end %+v", got)
	}
}
