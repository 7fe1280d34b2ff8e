package config

import "net/netip"

// edgeSettings are those of the doors: who may do what, and what the original left to its nginx.
var edgeSettings = []Setting{
	{
		Name: "OPENVIDU_SECRET_PREVIOUS", Secret: true, Live: true, kind: secrets(func(c *Config) *[]string { return &c.OldSecrets }),
		Doc: "Secrets that are accepted beside `OPENVIDU_SECRET` while applications change to the new one, separated by commas, or an array with quotes.",
	}, {
		Name: "API_KEYS", Secret: true, Live: true, kind: apiKeys(func(c *Config) *[]Key { return &c.Keys }),
		Doc: "More passwords of the REST API that may do less: an array such as `[\"name=billing,key=0123456789abcdef,scope=read\"]`. The user is `OPENVIDUAPP` or the key's name; the scope is `all`, `sessions` (nothing about the server) or `read` (change nothing, and see no token or other credential).",
	}, {
		Name: "JOIN_BY_SECRET", Default: "true", Live: true, kind: boolean(func(c *Config) *bool { return &c.JoinSecret }),
		Doc: "Whether a client that knows the secret may join without a token, as in OpenVidu 1.x.",
	}, {
		Name: "STRICT", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.Strict }),
		Doc: "Refuse what OpenVidu allows and nobody should do: a secret of less than 16 characters, the secret in a browser.",
	}, {
		Name: "GEO_DATABASE", kind: text(func(c *Config) *string { return &c.GeoDatabase }),
		Doc: "MaxMind database (.mmdb) that tells where participants are. A relative file is inside the data folder. Unset: `unknown`, as in OpenVidu.",
	}, {
		Name: "EXTRA_ROUTES", Live: true, kind: extraRoutes(func(c *Config) *[]Route { return &c.Edge.Routes }),
		Doc: "Folders and servers shown below paths of ours: an array such as `[\"/app=/srv/app\",\"/=http://127.0.0.1:5442\"]`. Our own paths win. A folder's name is absolute, or inside the data folder, which it must not hold. `POST /openvidu/api/restart` takes routes away and adds none: `tertulia config set` does, without a restart too.",
	}, {
		Name: "ALLOWED_ACCESS_TO_DASHBOARD", Default: "all", Live: true, kind: accessList(func(c *Config) *[]netip.Prefix { return &c.Edge.Dashboard }),
		Doc: "From which addresses and networks the dashboard may be opened, separated by commas; they may use the REST API too.",
	}, {
		Name: "ALLOWED_ACCESS_TO_RESTAPI", Default: "all", Live: true, kind: accessList(func(c *Config) *[]netip.Prefix { return &c.Edge.REST }),
		Doc: "From which addresses and networks the REST API may be used, separated by commas. This machine itself always may.",
	}, {
		Name: "HTTPS_PROTOCOLS", Default: "TLSv1.2 TLSv1.3", kind: words(func(c *Config) *[]string { return &c.Edge.TLSVersions }, "TLSv1.2", "TLSv1.3"),
		Doc: "TLS versions that are offered. Older ones than 1.2 are refused: browsers have given them up.",
	}, {
		Name: "HTTPS_CIPHERS", kind: ciphers(func(c *Config) *[]string { return &c.Edge.Ciphers }),
		Doc: "Cipher suites of TLS 1.2 by their OpenSSL names, separated by colons. Unset: those Go thinks safe. TLS 1.3 has no choice.",
	}, {
		Name: "HTTPS_HSTS", Default: "max-age=63072000", Live: true, kind: hsts(func(c *Config) *string { return &c.Edge.HSTS }),
		Doc: "Header Strict-Transport-Security of every answer by HTTPS, but to localhost; `off` for none.",
	}, {
		Name: "XFRAME_SAMEORIGIN", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.Edge.SameOrigin }),
		Doc: "Let only pages of our own origin show ours in a frame.",
	}, {
		Name: "REDIRECT_WWW", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.Edge.RedirectWWW }),
		Doc: "Send browsers that come to www.`DOMAIN_OR_PUBLIC_IP`, which is a name, on to `DOMAIN_OR_PUBLIC_IP`. A self-signed certificate is for both names, and Let's Encrypt is asked for one for each; one of yours has to be for both.",
	}, {
		Name: "CLIENT_MAX_BODY_SIZE", Default: "200M", Live: true, kind: size(func(c *Config) *int64 { return &c.Edge.MaxBody }),
		Doc: "Largest body of a request to `EXTRA_ROUTES`: bytes, or with K, M or G. Our own API has smaller limits.",
	}, {
		Name: "FORCE_PLAIN_HTTP", Default: "false", kind: boolean(func(c *Config) *bool { return &c.Edge.PlainHTTP }),
		Doc: "URLs and tokens say http and ws, and plain HTTP is served instead of redirected: for development. Browsers give a camera to http://localhost only.",
	},
}
