package frontdoor

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"tertulia/internal/fault"
)

// Route shows a folder or another server below a path of ours.
type Route struct {
	Path   string // "/app"; "/" is what nothing else takes
	Target string // a folder, or the URL of a server
}

// ownPaths are ours whatever the routes say.
var ownPaths = []string{"/openvidu", "/dashboard", "/inspector", "/call", "/livez", "/readyz"}

// oldPaths are ours while the deprecated API is on, unless a route names one of them itself.
var oldPaths = append([]string{"/recordings", "/layouts/custom", "/cdr", "/info", "/accept-certificate"}, oldRESTPaths...)

// mounted is a route that is served.
type mounted struct {
	Route
	serve http.HandlerFunc
	close func()
}

// find returns the route that takes a path, nil if it is ours.
func (f *inForce) find(path string) *mounted {
	if len(f.routes) == 0 || isBelow(path, ownPaths) {
		return nil
	}
	for _, m := range f.routes {
		if m.Path != "/" && isBelow(path, []string{m.Path}) || m.Path == "/" && !(f.Deprecated && isBelow(path, oldPaths)) {
			return m
		}
	}
	return nil
}

func longestFirst(list []*mounted) {
	slices.SortFunc(list, func(a, b *mounted) int { return cmp.Compare(len(b.Path), len(a.Path)) })
}

// mount opens a route beside others.
func (s *Site) mount(r Route, others []*mounted) (*mounted, error) {
	switch {
	case !strings.HasPrefix(r.Path, "/") || path.Clean(r.Path) != r.Path:
		return nil, fault.New(fault.Invalid, "EXTRA_ROUTES: %q is no path → begin with / and do not end with one", r.Path)
	case isBelow(r.Path, ownPaths):
		return nil, fault.New(fault.Invalid, "EXTRA_ROUTES: %q belongs to this server → take another path", r.Path)
	case slices.ContainsFunc(others, func(m *mounted) bool { return m.Path == r.Path }):
		return nil, fault.New(fault.Invalid, "EXTRA_ROUTES: %q is there twice → leave one", r.Path)
	}
	if target, err := url.Parse(r.Target); err == nil && (target.Scheme == "http" || target.Scheme == "https") {
		if target.Host == "" {
			return nil, fault.New(fault.Invalid, "EXTRA_ROUTES: %q: the URL names no host", r.Path)
		}
		return s.forward(r, target), nil
	}
	return folder(r)
}

// below takes a route's path off. Its own path without a slash at the end is sent to the one with, so that relative
// links work; that is false then.
func below(w http.ResponseWriter, r *http.Request, prefix string) (*http.Request, bool) {
	if prefix == "/" {
		return r, true
	}
	if r.URL.Path == prefix {
		target := url.URL{Path: prefix + "/", RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, target.String(), http.StatusMovedPermanently)
		return nil, false
	}
	moved := at(r, strings.TrimPrefix(r.URL.Path, prefix))
	moved.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, prefix)
	return moved, true
}

// folder serves files. It lists no directory, leaves hidden files out, and follows no link that leads out.
func folder(route Route) (*mounted, error) {
	root, err := os.OpenRoot(route.Target)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "EXTRA_ROUTES: %q: the folder cannot be read → name one that is there, or the URL of a server", route.Path)
	}
	files := http.FileServer(http.FS(shown{root.FS()}))
	return &mounted{Route: route, close: func() { _ = root.Close() }, serve: func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this is a folder of files: GET and HEAD alone", http.StatusMethodNotAllowed)
			return
		}
		if r, ok := below(w, r, route.Path); ok {
			w.Header().Set("Cache-Control", "no-cache") // a page that was changed is seen at once; 304 where it was not
			files.ServeHTTP(w, r)
		}
	}}, nil
}

// shown are the files of a folder that may be seen: whatever else is asked for is not there.
type shown struct{ fs.FS }

// Open implements fs.FS.
func (s shown) Open(name string) (fs.File, error) {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && name != "." && part != ".well-known" {
			return nil, fs.ErrNotExist
		}
	}
	found, err := fs.Stat(s.FS, name) // before it is opened: to open a pipe would wait for who writes
	if err == nil && found.IsDir() {
		_, err = fs.Stat(s.FS, path.Join(name, "index.html"))
	} else if err == nil && !found.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fs.ErrNotExist
	}
	return s.FS.Open(name)
}

// What another server is given.
const (
	dialWithin   = 5 * time.Second
	answerWithin = time.Minute // as nginx's proxy_read_timeout
	idleKept     = 64
	headerBytes  = 64 << 10 // of an answer
)

// forward passes requests on to another server, websockets too.
func (s *Site) forward(route Route, target *url.URL) *mounted {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialWithin}).DialContext,
		TLSHandshakeTimeout:   dialWithin,
		ResponseHeaderTimeout: answerWithin,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       answerWithin, MaxIdleConnsPerHost: idleKept, MaxResponseHeaderBytes: headerBytes,
	}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.SetXForwarded()
			p.Out.Host = p.In.Host
			p.Out.Header.Del("Forwarded")
			p.Out.Header.Set("X-Real-Ip", p.Out.Header.Get("X-Forwarded-For"))
			p.Out.Header.Del("X-Forwarded-Prefix")
			if route.Path != "/" {
				p.Out.Header.Set("X-Forwarded-Prefix", route.Path)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			rules := s.rules.Load() // what we say of ourselves is said once
			if rules.HSTS != "" {
				r.Header.Del("Strict-Transport-Security")
			}
			if rules.SameOrigin {
				r.Header.Del("X-Frame-Options")
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { s.failed(w, r, route, err) },
		ErrorLog:     nil,
	}
	return &mounted{Route: route, close: transport.CloseIdleConnections, serve: func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.busy <- struct{}{}:
			defer func() { <-s.busy }()
		default:
			w.Header().Set("Retry-After", "5")
			http.Error(w, "too many requests to "+route.Path+" at once", http.StatusServiceUnavailable)
			return
		}
		if r, ok := below(w, r, route.Path); ok {
			proxy.ServeHTTP(w, r)
		}
	}}
}

// failed tells why another server's answer cannot be passed on.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, route Route, err error) {
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		http.Error(w, "the body is larger than CLIENT_MAX_BODY_SIZE", http.StatusRequestEntityTooLarge)
		return
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is left to tell
	}
	s.often.Do(func() {
		s.Log.Warn("a server of EXTRA_ROUTES does not answer", "path", route.Path, "error", err)
	})
	status := http.StatusBadGateway
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	http.Error(w, "the server behind "+route.Path+" does not answer", status)
}
