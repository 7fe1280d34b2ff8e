package app

import (
	"cmp"
	"crypto/tls"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tertulia/internal/api/dashboard"
	"tertulia/internal/api/frontdoor"
	"tertulia/internal/api/rest"
	"tertulia/internal/api/signal"
	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/event"
	"tertulia/internal/geo"
	"tertulia/web"
)

// edge is what stands before everything that is served: whose calls are taken, who may come where, what is shown beside
// us. Its settings are those of now: adopt takes others over.
type edge struct {
	log    *slog.Logger
	port   int
	now    atomic.Pointer[config.Config]
	site   *frontdoor.Site // set by serve
	places *geo.Database   // nil: none
	info   *dashboard.Feed
	tell   func(code diagnosis.Code, fill map[string]string, evidence ...string)
	public func() []netip.Addr

	mu      sync.Mutex
	origins map[string]time.Time // of pages that have sent a secret: when that was told
	local   []netip.Prefix
	read    time.Time // when local was
}

func newEdge(c config.Config, port int, public func() []netip.Addr, watch *diagnosis.Watch, running *parts, log *slog.Logger) (*edge, error) {
	e := &edge{log: log, port: port, tell: watch.Tell, public: public, origins: map[string]time.Time{}}
	e.now.Store(&c)
	e.info = dashboard.NewFeed(e.watches, log)
	if c.GeoDatabase != "" {
		places, err := geo.Open(c.GeoDatabase, log)
		if err != nil {
			return nil, err
		}
		e.places = places
		running.start("places", places.Run)
	}
	return e, nil
}

// adopt takes the settings over that can change while calls go on (secrets, keys, STRICT, routes, lists, headers), all or
// none.
func (e *edge) adopt(c config.Config) error {
	if err := e.site.Set(rules(c)); err != nil {
		return err
	}
	e.now.Store(&c)
	return nil
}

func rules(c config.Config) frontdoor.Rules {
	r := frontdoor.Rules{
		Dashboard: c.Edge.Dashboard, REST: c.Edge.REST, HSTS: c.Edge.HSTS, SameOrigin: c.Edge.SameOrigin,
		MaxBody: c.Edge.MaxBody, Deprecated: c.DeprecatedAPI,
	}
	r.WWW = strings.TrimPrefix(c.Edge.WWW(c.Domain), "www.")
	for _, route := range c.Edge.Routes {
		r.Routes = append(r.Routes, frontdoor.Route(route))
	}
	return r
}

// serve puts the rules before what this server answers.
func (e *edge) serve(own http.Handler, running *parts) (http.Handler, error) {
	site, err := frontdoor.NewSite(frontdoor.SiteConfig{Own: own, Beside: ownFile, Local: e.networks, Port: e.port, Log: e.log}, rules(*e.now.Load()))
	if err != nil {
		return nil, err
	}
	e.site = site
	running.hold("routes", site.Close)
	return site, nil
}

// ownFile reports whether the call page has a file at a path; an application at / has files there, too.
func ownFile(path string) bool {
	name, below := strings.CutPrefix(path, "/assets/")
	if !below || !fs.ValidPath(name) {
		return false
	}
	found, err := fs.Stat(web.Assets(), "assets/"+name)
	return err == nil && found.Mode().IsRegular()
}

// networks are the private ones of this machine's interfaces, its other addresses, and those it is seen by.
func (e *edge) networks() []netip.Prefix {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.read.IsZero() && time.Since(e.read) < networksEvery {
		return e.local
	}
	e.local, e.read = nil, time.Now()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		e.log.Warn("the networks of this machine cannot be read: access lists hold without them", "error", err)
	}
	e.local = localOf(addresses)
	for _, a := range e.public() {
		e.local = append(e.local, netip.PrefixFrom(a, a.BitLen()))
	}
	return e.local
}

// localOf are the networks that addresses of interfaces are in. Of a public one it is the address alone: a provider puts
// other customers' machines into the rest.
func localOf(addresses []net.Addr) (list []netip.Prefix) {
	for _, a := range addresses {
		network, err := netip.ParsePrefix(a.String())
		switch own := network.Addr().Unmap(); {
		case err != nil || own.IsLinkLocalUnicast():
		case own.IsPrivate() || own.IsLoopback():
			list = append(list, network.Masked())
		default:
			list = append(list, netip.PrefixFrom(own, own.BitLen()))
		}
	}
	return list
}

const networksEvery = 30 * time.Second

// tls narrows what the one port speaks.
func (e *edge) tls(c *tls.Config) (*tls.Config, error) {
	settings := e.now.Load().Edge
	return c, frontdoor.SetTLS(c, settings.TLSVersions, settings.Ciphers)
}

// plain says for which hosts HTTP is served without TLS; nil: for loopback alone.
func (e *edge) plain() func(host string) bool {
	if e.now.Load().Edge.PlainHTTP {
		return func(string) bool { return true }
	}
	return nil
}

// credentials are what the REST API accepts now: the secret, those before it, and the keys, each by OpenVidu's user and by
// its own name.
func (e *edge) credentials() []rest.Credential {
	c := e.now.Load()
	list := []rest.Credential{{User: rest.User, Password: c.Secret, Scope: rest.ScopeAll}}
	for _, old := range c.OldSecrets {
		list = append(list, rest.Credential{User: rest.User, Password: old, Scope: rest.ScopeAll})
	}
	for _, k := range c.Keys {
		for _, user := range []string{rest.User, k.Name} {
			list = append(list, rest.Credential{User: user, Password: k.Key, Scope: rest.Scope(k.Scope), Name: k.Name})
		}
	}
	return list
}

// joining is how clients without a token may join now.
func (e *edge) joining() signal.Settings {
	c := e.now.Load()
	return signal.Settings{
		Secret: c.Secret, MediaServer: &c.MediaServer, OldSecrets: c.OldSecrets, NoSecretJoins: !c.JoinSecret, Strict: c.Strict,
	}
}

func (e *edge) strict() bool { return e.now.Load().Strict }

// secretSeen and joinedBySecret tell of a secret in a page, once per origin and hour.
func (e *edge) secretSeen(u rest.SecretUse) {
	e.exposed(u.Origin, u.What+" from "+u.Address+", sent by "+cmp.Or(u.Referer, "a page that does not say where it is"))
}

func (e *edge) joinedBySecret(origin string, from netip.Addr) {
	e.exposed(origin, "a join with the secret from "+from.String())
}

const (
	toldEvery  = time.Hour
	maxOrigins = 1000 // whose time is known; the others are one
)

func (e *edge) exposed(origin, evidence string) {
	now := time.Now()
	e.mu.Lock()
	if len(e.origins) >= maxOrigins {
		for known, at := range e.origins {
			if now.Sub(at) >= toldEvery {
				delete(e.origins, known)
			}
		}
	}
	key := origin
	if _, known := e.origins[key]; !known && len(e.origins) >= maxOrigins {
		key = ""
	}
	at, known := e.origins[key]
	again := known && now.Sub(at) < toldEvery
	if !again {
		e.origins[key] = now
	}
	e.mu.Unlock()
	if !again {
		e.tell(diagnosis.SecretInBrowser, map[string]string{"origin": origin}, evidence)
	}
}

// locate is signal's: where an address is, "" unknown.
func (e *edge) locate(a netip.Addr) string { return e.places.Locate(a) }

// watches says who may see the feed of what happens: who is on the list of the dashboard, or may read the API.
func (e *edge) watches(r *http.Request) bool {
	if e.site.Admits(r) {
		return true
	}
	user, password, given := r.BasicAuth()
	who := rest.Find(e.credentials(), user, password)
	return given && who != nil && (who.Scope == rest.ScopeAll || who.Scope == rest.ScopeRead)
}

// event writes what happens to those who watch.
func (e *edge) event(ev event.Event) {
	line := ev.Body.Kind() + " " + ev.Session
	if ev.Connection != "" {
		line += " " + ev.Connection
	}
	e.info.Tell(line)
}
