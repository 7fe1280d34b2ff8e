package config

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Config is every setting, valid, with defaults filled in. The comments name the setting each field comes from;
// settings.go says what it means.
type Config struct {
	Data     string   // --data: the data folder, which exists
	Warnings []string // to be logged: settings that are known but not built yet, and the like
	Without  []string // names of OpenVidu that somebody set and that have no effect here; see the function

	Secret          string // OPENVIDU_SECRET
	SecretGenerated bool   // it was made by this very start: print it once
	Domain          string // DOMAIN_OR_PUBLIC_IP, "" if unset; an IPv6 address has no brackets
	HTTPSPort       int    // HTTPS_PORT; 0: any free port
	CertificateType string // CERTIFICATE_TYPE: selfsigned, owncert or letsencrypt

	ACME           ACME
	HTTPPort       string         // HTTP_PORT; "": none
	TrustedProxies []netip.Prefix // TRUSTED_PROXIES; nil: loopback

	TURNPort         string   // COTURN_PORT; "": none
	TURNHost         string   // COTURN_IP: an outside coturn; "": the built-in TURN
	AddressDiscovery string   // ADDRESS_DISCOVERY: auto or off
	STUNServers      []string // STUN_SERVERS, "host:port"

	Bandwidth        Bandwidth
	ForcedVideoCodec string // OPENVIDU_STREAMS_FORCED_VIDEO_CODEC
	AllowTranscoding bool   // OPENVIDU_STREAMS_ALLOW_TRANSCODING
	GarbageInterval  int    // OPENVIDU_SESSIONS_GARBAGE_INTERVAL, seconds; 0: none
	GarbageThreshold int    // OPENVIDU_SESSIONS_GARBAGE_THRESHOLD, seconds
	ICEServers       []ICEServer
	MediaServer      string   // OPENVIDU_ENTERPRISE_MEDIA_SERVER: kurento, mediasoup, or "" to choose by client
	DeprecatedAPI    bool     // SUPPORT_DEPRECATED_API
	CallPage         string   // CALL_PAGE: off, local or all
	CoturnSecret     string   // COTURN_SHARED_SECRET_KEY, never empty
	MetricsAddress   string   // METRICS_PORT: "127.0.0.1:9090"; "": off
	BrowserLogs      string   // OPENVIDU_BROWSER_LOGS: disabled, debug or debug_app
	StatsInterval    int      // OPENVIDU_PRO_STATS_WEBRTC_INTERVAL, seconds; 0: none
	NTPServers       []string // NTP_SERVERS, "host:port"; doctor's
	NetworkQuality   int      // seconds between two judgements: OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL; 0: OPENVIDU_PRO_NETWORK_QUALITY is false

	Webhook   Webhook
	CDR       CDR
	Elastic   Elastic
	EventsMax int // EVENTS_MAX: how many events are kept for webhooks that are down and for GET /events

	Strict      bool     // STRICT
	JoinSecret  bool     // JOIN_BY_SECRET: a client that knows the secret may join without a token
	OldSecrets  []string // OPENVIDU_SECRET_PREVIOUS: accepted as well
	Keys        []Key    // API_KEYS
	GeoDatabase string   // GEO_DATABASE: file; "": none
	Edge        Edge

	LogLevel  string // LOG_LEVEL: debug, info, warn or error
	LogFormat string // LOG_FORMAT: text or json

	args, environ []string // that Load was given

	on    switches         // what settings say that have no field of their own
	given map[string]given // by setting: what somebody set; see Place and Value
}

// Place says where a setting has its value from: "/d/.env:3", "environment" or "--https-port"; "" for a default.
func (c *Config) Place(setting string) string { return c.given[setting].origin }

// Value is what a setting was given, or its default, as text; "(hidden)" for a secret that has a value.
func (c *Config) Value(s Setting) string {
	value := s.Default
	if g, ok := c.given[s.Name]; ok {
		value = g.value
	}
	return s.shown(value)
}

const hidden = "(hidden)"

// A URL's credentials, and its query, in which receivers of webhooks have their tokens.
var (
	userinfo = regexp.MustCompile(`://([^/\s"',@]*)@`)
	query    = regexp.MustCompile(`(://[^\s"',?]*)\?([^\s"']+)`)
)

// shown is a value of the setting without what nobody should see.
func (s Setting) shown(value string) string {
	if s.Secret && value != "" {
		return hidden
	}
	return query.ReplaceAllString(userinfo.ReplaceAllString(value, "://"+hidden+"@"), "${1}?"+hidden)
}

// Secrets are all texts of this configuration that must not be seen, ours and those for other servers.
func (c *Config) Secrets() []string {
	list := []string{c.Secret, c.CoturnSecret}
	for _, s := range settings {
		g := c.given[s.Name]
		if s.Secret {
			list = append(list, g.value)
		}
		for _, match := range userinfo.FindAllStringSubmatch(g.value, -1) {
			_, password, _ := strings.Cut(match[1], ":")
			list = append(list, match[1], password)
		}
		for _, match := range query.FindAllStringSubmatch(g.value, -1) {
			list = append(list, match[2])
		}
	}
	list = append(list, c.OldSecrets...)
	for _, k := range c.Keys {
		list = append(list, k.Key)
	}
	for _, h := range c.Webhook.Headers {
		_, value, _ := strings.Cut(h, ": ")
		list = append(list, value)
	}
	for _, s := range c.ICEServers {
		list = append(list, s.Username, s.Credential, s.StaticAuthSecret)
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// switches are read into other fields by finish.
type switches struct {
	webhook, cdr, elastic, quality bool
	cdrPath                        string
	qualityEvery                   int
}

// Webhook is OPENVIDU_WEBHOOK and OPENVIDU_WEBHOOK_…; Endpoint is "" if it is off.
type Webhook struct {
	Endpoint string
	Headers  []string // "Name: value"
	Events   []string // names of spec/openvidu-events §2
}

// CDR is OPENVIDU_CDR_PATH, "" if OPENVIDU_CDR is off.
type CDR struct{ Path string }

// Elastic is OPENVIDU_PRO_ELASTICSEARCH…; URL is "" if it is off. Intervals are seconds, 0 for none.
type Elastic struct {
	URL, Kibana, Username, Password string
	ClusterID                       string // OPENVIDU_PRO_CLUSTER_ID, in every document
	MaxDays                         int    // OPENVIDU_PRO_ELASTICSEARCH_MAX_DAYS_DELETE
	SessionInterval                 int    // OPENVIDU_PRO_STATS_SESSION_INTERVAL
	ServerInterval                  int    // OPENVIDU_PRO_STATS_SERVER_INTERVAL
}

// Key is one entry of API_KEYS: another password of the REST API, which may do less than OPENVIDU_SECRET.
type Key struct {
	Name, Key string
	Scope     string // "all", "sessions" (everything about sessions, nothing about the server) or "read"
}

// Edge is what the original left to its nginx.
type Edge struct {
	Routes      []Route        // EXTRA_ROUTES
	Dashboard   []netip.Prefix // ALLOWED_ACCESS_TO_DASHBOARD; nil: all
	REST        []netip.Prefix // ALLOWED_ACCESS_TO_RESTAPI; nil: all
	TLSVersions []string       // HTTPS_PROTOCOLS
	Ciphers     []string       // HTTPS_CIPHERS, OpenSSL names; nil: Go's choice
	HSTS        string         // HTTPS_HSTS; "": no header
	SameOrigin  bool           // XFRAME_SAMEORIGIN
	RedirectWWW bool           // REDIRECT_WWW
	MaxBody     int64          // CLIENT_MAX_BODY_SIZE, bytes
	PlainHTTP   bool           // FORCE_PLAIN_HTTP: URLs and tokens say http and ws
}

// WWW is the name whose browsers REDIRECT_WWW sends on to a domain; "" if that is off, or the domain is no name or has a
// www. itself.
func (e Edge) WWW(domain string) string {
	domain = strings.TrimSuffix(domain, ".")
	if _, err := netip.ParseAddr(domain); err == nil || domain == "" || !e.RedirectWWW || strings.HasPrefix(strings.ToLower(domain), "www.") {
		return ""
	}
	return "www." + domain
}

// Route is one entry of EXTRA_ROUTES: a folder or a server shown below a path of ours.
type Route struct {
	Path   string // "/app"; "/" is what nothing else takes
	Target string // a folder, or the URL of a server
}

// ACME is LETSENCRYPT_EMAIL, ACME_DIRECTORY and ACME_ROOTS.
type ACME struct{ Email, Directory, Roots string }

// Bandwidth bounds video in kbit/s, OPENVIDU_STREAMS_VIDEO_…_BANDWIDTH; 0 is unbounded. Recv is what the server
// receives (publishers), Send what it sends (subscribers).
type Bandwidth struct{ MaxRecv, MinRecv, MaxSend, MinSend int }

// ICEServer is one entry of OPENVIDU_WEBRTC_ICE_SERVERS, taken apart; api/rest checks the URL by the same rule as a
// customIceServers entry of a request.
type ICEServer struct{ URL, Username, Credential, StaticAuthSecret string }

// Host is the host name of our URLs: DOMAIN_OR_PUBLIC_IP, or localhost if that is unset.
func (c *Config) Host() string {
	if c.Domain == "" {
		return "localhost"
	}
	return c.Domain
}

// PublicURL is "https://HOST[:PORT]" for the port that is really open; HTTPS_PORT itself may be 0.
func (c *Config) PublicURL(port int) string {
	if port == 443 {
		if strings.Contains(c.Host(), ":") {
			return "https://[" + c.Host() + "]"
		}
		return "https://" + c.Host()
	}
	return "https://" + net.JoinHostPort(c.Host(), strconv.Itoa(port))
}
