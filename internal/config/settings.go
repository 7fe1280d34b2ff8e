package config

import (
	"net/netip"
	"slices"
)

// Setting is one row of the table.
type Setting struct {
	Name    string // as in .env and in the environment
	Default string // "" is unset
	Doc     string
	Live    bool // a change is taken over without a restart
	Secret  bool // the value is never printed
	kind
}

// settings is the table, in the order of the reference page.
var settings = slices.Concat(serverSettings, eventSettings, edgeSettings)

var serverSettings = []Setting{
	{
		Name: "OPENVIDU_SECRET", Secret: true, Live: true, kind: secret(func(c *Config) *string { return &c.Secret }),
		Doc: "Password of the REST API (user `OPENVIDUAPP`) and of the dashboard. Unset: one is generated, kept in the data folder (file `secret`, mode 0600) and printed by the start that made it.",
	}, {
		Name: "DOMAIN_OR_PUBLIC_IP", kind: host(func(c *Config) *string { return &c.Domain }),
		Doc: "Domain name or address by which clients reach this machine: part of tokens and URLs, and an address for media (1:1 NAT). Unset: tokens carry the host a REST request was sent to, other URLs `localhost`.",
	}, {
		Name: "HTTPS_PORT", Default: "4443", kind: upTo(65535, func(c *Config) *int { return &c.HTTPSPort }),
		Doc: "The one port, TCP and UDP: HTTPS, websocket, TURN and media. 0 takes any free port.",
	}, {
		Name: "CERTIFICATE_TYPE", Default: "selfsigned", kind: oneOf(func(c *Config) *string { return &c.CertificateType }, "selfsigned", "owncert", "letsencrypt"),
		Doc: "`selfsigned` makes a certificate on first start and keeps it; `owncert` reads what is in the folder `owncert` of the data folder; `letsencrypt` asks an ACME authority for one for `DOMAIN_OR_PUBLIC_IP` and renews it.",
	}, {
		Name: "LETSENCRYPT_EMAIL", kind: text(func(c *Config) *string { return &c.ACME.Email }),
		Doc: "Address that the authority writes to, with `CERTIFICATE_TYPE=letsencrypt`.",
	}, {
		Name: "ACME_DIRECTORY", kind: text(func(c *Config) *string { return &c.ACME.Directory }),
		Doc: "URL of the ACME authority. Unset: Let's Encrypt.",
	}, {
		Name: "ACME_ROOTS", kind: text(func(c *Config) *string { return &c.ACME.Roots }),
		Doc: "PEM file with the roots that the authority's own HTTPS is trusted by, for one inside a company. Unset: those of the system.",
	}, {
		Name: "HTTP_PORT", kind: optionalPort(func(c *Config) *string { return &c.HTTPPort }),
		Doc: "TCP port, 80 as a rule, that sends browsers on to HTTPS; with `CERTIFICATE_TYPE=letsencrypt`, 80 answers the HTTP-01 challenge too. Unset: none; plain HTTP to `HTTPS_PORT` is redirected in any case.",
	}, {
		Name: "TRUSTED_PROXIES", kind: prefixes(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
		Doc: "Addresses and networks, separated by commas, of proxies and balancers whose `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`, `X-Real-IP` and PROXY protocol headers are believed. Unset: this machine's own, 127.0.0.0/8 and ::1.",
	}, {
		Name: "COTURN_PORT", kind: optionalPort(func(c *Config) *string { return &c.TURNPort }),
		Doc: "Port for TURN over UDP and TCP: of this server, or with `COTURN_IP` of the coturn there. Unset: TURN is served on `HTTPS_PORT` alone, over TCP and TLS, which suits every client.",
	}, {
		Name: "COTURN_IP", kind: turnHost(func(c *Config) *string { return &c.TURNHost }),
		Doc: "Host of an outside coturn that shares `COTURN_SHARED_SECRET_KEY`; clients are told of it instead of the built-in TURN. Unset: the built-in one.",
	}, {
		Name: "ADDRESS_DISCOVERY", Default: "auto", kind: oneOf(func(c *Config) *string { return &c.AddressDiscovery }, "auto", "off"),
		Doc: "How this machine finds its public address: `auto` asks the cloud's metadata service and `STUN_SERVERS`, and checks `DOMAIN_OR_PUBLIC_IP` against the answer; `off` asks nobody.",
	}, {
		Name: "STUN_SERVERS", Default: "stun.l.google.com:19302,stun.cloudflare.com:3478", kind: hostPorts(func(c *Config) *[]string { return &c.STUNServers }),
		Doc: "STUN servers, separated by commas, that tell us by which address the world sees us.",
	}, {
		Name: "OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH", Default: "1000", Live: true, kind: kbps(func(c *Config) *int { return &c.Bandwidth.MaxRecv }),
		Doc: "Most video in kbit/s taken from a publisher; 0 is unbounded.",
	}, {
		Name: "OPENVIDU_STREAMS_VIDEO_MIN_RECV_BANDWIDTH", Default: "300", Live: true, kind: kbps(func(c *Config) *int { return &c.Bandwidth.MinRecv }),
		Doc: "Least video in kbit/s that a publisher is allowed, however little one of its viewers may be sent.",
	}, {
		Name: "OPENVIDU_STREAMS_VIDEO_MAX_SEND_BANDWIDTH", Default: "1000", Live: true, kind: kbps(func(c *Config) *int { return &c.Bandwidth.MaxSend }),
		Doc: "Most video in kbit/s sent to a subscriber for one stream; 0 is unbounded.",
	}, {
		Name: "OPENVIDU_STREAMS_VIDEO_MIN_SEND_BANDWIDTH", Default: "300", Live: true, kind: kbps(func(c *Config) *int { return &c.Bandwidth.MinSend }),
		Doc: "Shown by `GET /config`, as in OpenVidu. Nothing follows from it: no line is sent more than it carries.",
	}, {
		Name: "OPENVIDU_STREAMS_FORCED_VIDEO_CODEC", Default: "MEDIA_SERVER_PREFERRED", Live: true, kind: oneOf(func(c *Config) *string { return &c.ForcedVideoCodec }, "MEDIA_SERVER_PREFERRED", "NONE", "VP8", "VP9", "H264"),
		Doc: "Video codec of sessions whose creation names none. `MEDIA_SERVER_PREFERRED` is VP8; `NONE` leaves the choice to the clients.",
	}, {
		Name: "OPENVIDU_STREAMS_ALLOW_TRANSCODING", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.AllowTranscoding }),
		Doc: "Whether a client without the forced codec may publish in another one, for sessions whose creation does not say.",
	}, {
		Name: "OPENVIDU_SESSIONS_GARBAGE_INTERVAL", Default: "900", Live: true, kind: upTo(1<<30, func(c *Config) *int { return &c.GarbageInterval }),
		Doc: "Seconds between two searches for sessions nobody ever joined; 0 turns them off.",
	}, {
		Name: "OPENVIDU_SESSIONS_GARBAGE_THRESHOLD", Default: "3600", Live: true, kind: upTo(1<<30, func(c *Config) *int { return &c.GarbageThreshold }),
		Doc: "Age in seconds from which such a session is removed.",
	}, {
		Name: "OPENVIDU_WEBRTC_ICE_SERVERS", Secret: true, Live: true, kind: iceServers(func(c *Config) *[]ICEServer { return &c.ICEServers }),
		Doc: "STUN and TURN servers clients use instead of the built-in one: an array such as `[\"url=turn:turn.example.com:3478,username=u,credential=p\",\"url=turns:turn.example.com,staticAuthSecret=s\"]`.",
	}, {
		Name: "OPENVIDU_ENTERPRISE_MEDIA_SERVER", Live: true, kind: oneOf(func(c *Config) *string { return &c.MediaServer }, "kurento", "mediasoup"),
		Doc: "The media server clients are told of, which decides who makes the offer. Unset: `mediasoup` for clients known to cope with it, `kurento` for all others.",
	}, {
		Name: "SUPPORT_DEPRECATED_API", Default: "true", Live: true, kind: boolean(func(c *Config) *bool { return &c.DeprecatedAPI }),
		Doc: "Serve the REST API under its paths before 2.16 too: `/api/…` and `/config…`.",
	}, {
		Name: "CALL_PAGE", Default: "local", Live: true, kind: oneOf(func(c *Config) *string { return &c.CallPage }, "off", "local", "all"),
		Doc: "Who may open the call page: nobody, browsers at loopback and private addresses, or everybody.",
	}, {
		Name: "COTURN_SHARED_SECRET_KEY", Secret: true, kind: atLeast(16, func(c *Config) *string { return &c.CoturnSecret }),
		Doc: "Key the TURN credentials are made from, of 16 characters at least. Unset: derived from `OPENVIDU_SECRET`, and changes with it; credentials that clients hold are good until they expire, 24 hours at most, over a restart if the secret they are of is in `OPENVIDU_SECRET_PREVIOUS`.",
	}, {
		Name: "METRICS_PORT", kind: loopbackPort(func(c *Config) *string { return &c.MetricsAddress }),
		Doc: "TCP port of `/metrics` (Prometheus) and `/debug/pprof/` (Go profiler), in the clear and without a password: on the loopback interface, unless an address is named as in `0.0.0.0:9090`. 0 takes any free port, which the log tells. Unset: off.",
	}, {
		Name: "NTP_SERVERS", Default: "time.cloudflare.com:123", kind: hostPorts(func(c *Config) *[]string { return &c.NTPServers }),
		Doc: "Time servers, separated by commas, that `tertulia doctor` and the health of a running node compare this machine's clock with. With `ADDRESS_DISCOVERY=off` a node asks only those that are set here.",
	}, {
		Name: "LOG_LEVEL", Default: "info", Live: true, kind: oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error"),
		Doc: "The least important lines that are logged.",
	}, {
		Name: "LOG_FORMAT", Default: "text", kind: oneOf(func(c *Config) *string { return &c.LogFormat }, "text", "json"),
		Doc: "How a log line is written.",
	},
}
