package frontdoor

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"tertulia/internal/fault"
)

// Rules are what OpenVidu left to its nginx: who may come where, what is shown beside us, which headers go out. They can
// be replaced while requests are served.
type Rules struct {
	Routes []Route
	// Dashboard and REST may see those pages and call that API; nil: everybody. Who may see the dashboard may call the API,
	// and this machine and its networks may do both.
	Dashboard, REST []netip.Prefix
	HSTS            string // of Strict-Transport-Security; "": none
	SameOrigin      bool   // no page of another site shows ours in a frame
	WWW             string // the domain whose www. is sent to it; "": none
	MaxBody         int64  // bytes of a request to a route; 0: 200 MiB
	Deprecated      bool   // the paths before 2.16 are ours
}

// SiteConfig is what NewSite needs.
type SiteConfig struct {
	Own http.Handler // what this server answers
	// Beside reports whether Own has a file at a path; such files stay when a route takes everything else. nil: none.
	Beside func(path string) bool
	// Local are the networks of this machine, and its public addresses; nil: loopback alone.
	Local func() []netip.Prefix
	Port  int // of HTTPS, for what is sent on
	Log   *slog.Logger
}

// Site serves what this server answers and what is shown beside it, by rules. Make it with NewSite, end it with Close.
type Site struct {
	SiteConfig
	rules atomic.Pointer[inForce]
	set   sync.Mutex
	busy  chan struct{} // a place for each request to another server
	often rate.Sometimes
}

// inForce are rules that were checked, and what they opened.
type inForce struct {
	Rules
	routes []*mounted // the longest path first
}

const (
	maxForwarded  = 2000 // requests and websockets with other servers at once
	defaultBody   = 200 << 20
	warningsEvery = time.Minute
)

// NewSite makes a site. Errors are of kind Invalid, and name the route that cannot be.
func NewSite(config SiteConfig, rules Rules) (*Site, error) {
	s := &Site{SiteConfig: config, busy: make(chan struct{}, maxForwarded), often: rate.Sometimes{First: 10, Interval: warningsEvery}}
	if config.Own == nil {
		return nil, fault.New(fault.Invalid, "frontdoor.SiteConfig lacks Own")
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s, s.Set(rules)
}

// Set replaces the rules, wholly or, if it fails, not at all. Requests that have begun end by the old ones.
func (s *Site) Set(rules Rules) error {
	if rules.MaxBody <= 0 {
		rules.MaxBody = defaultBody
	}
	next := &inForce{Rules: rules}
	for _, r := range rules.Routes {
		m, err := s.mount(r, next.routes)
		if err != nil {
			next.close()
			return err
		}
		next.routes = append(next.routes, m)
	}
	longestFirst(next.routes)
	s.set.Lock()
	defer s.set.Unlock()
	s.rules.Swap(next).close()
	return nil
}

// Close lets go of folders and of connections to other servers.
func (s *Site) Close() error {
	s.set.Lock()
	defer s.set.Unlock()
	s.rules.Swap(&inForce{Rules: s.rules.Load().Rules}).close()
	return nil
}

func (f *inForce) close() {
	if f == nil {
		return
	}
	for _, m := range f.routes {
		m.close()
	}
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rules := s.rules.Load()
	rules.headers(w, r)
	if rules.WWW != "" && strings.EqualFold(hostOf(r.Host), "www."+rules.WWW) {
		redirect(w, r, hostAt(rules.WWW, s.Port))
		return
	}
	r = s.present(rules, r)
	if isSocket(r) {
		s.allowed(rules, w, r, s.Own)
		return
	}
	if m := rules.find(r.URL.Path); m != nil && !(m.Path == "/" && s.beside(r.URL.Path)) {
		r.Body = http.MaxBytesReader(w, r.Body, rules.MaxBody)
		m.serve(w, r)
		return
	}
	s.allowed(rules, w, r, s.Own)
}

func (s *Site) beside(path string) bool { return s.Beside != nil && s.Beside(path) }

// headers are those that go with every answer.
func (f *inForce) headers(w http.ResponseWriter, r *http.Request) {
	if f.HSTS != "" && r.TLS != nil && !isLoopback(hostOf(r.Host)) { // RFC 6797 §7.2; it would bind all ports of localhost
		w.Header().Set("Strict-Transport-Security", f.HSTS)
	}
	if f.SameOrigin {
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	}
}

// present is a request at the path that a deprecated one has now, and at /openvidu for a websocket below any path, as
// nginx's `location ~ /openvidu$` had it.
func (s *Site) present(rules *inForce, r *http.Request) *http.Request {
	if isUpgrade(r) && strings.HasSuffix(r.URL.Path, "/openvidu") {
		return at(r, "/openvidu")
	}
	if m := rules.find(r.URL.Path); !rules.Deprecated || m != nil && m.Path != "/" {
		return r
	}
	for _, d := range deprecated {
		tail, below := strings.CutPrefix(r.URL.Path, d.old)
		if !below || tail != "" && !strings.HasSuffix(d.old, "/") && tail[0] != '/' {
			continue
		}
		s.often.Do(func() {
			s.Log.Warn("deprecated path: use the present one", "path", clip(r.URL.Path), "present", clip(d.now+tail))
		})
		return at(r, d.now+tail)
	}
	return r
}

// deprecated are the paths before 2.16 and what they are now (rest §1.6). Those of REST are known to api/rest.
var deprecated = []struct{ old, now string }{
	{"/cdr", "/openvidu/cdr"},
	{"/recordings/", "/openvidu/recordings/"},
	{"/layouts/custom/", "/openvidu/layouts/"},
	{"/info", "/openvidu/info"},
	{"/accept-certificate", "/openvidu/accept-certificate"},
}

// at is the same request for another path.
func at(r *http.Request, path string) *http.Request {
	moved := r.WithContext(r.Context())
	u := *r.URL
	u.Path, u.RawPath = path, ""
	moved.URL = &u
	return moved
}

// isSocket reports whether a request is for signalling, which nothing else may take.
func isSocket(r *http.Request) bool {
	return r.URL.Path == "/openvidu" || r.URL.Path == "/room" && isUpgrade(r)
}

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

const maxClip = 200 // bytes of a path that are logged

func clip(text string) string {
	if len(text) > maxClip {
		return strings.ToValidUTF8(text[:maxClip], "") + "…"
	}
	return text
}
