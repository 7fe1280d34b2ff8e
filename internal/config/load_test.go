package config

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

// folder makes a data folder with that .env.
func folder(t *testing.T, dotenv string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(dotenv), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func load(t *testing.T, dotenv string, environ []string, args ...string) (Config, error) {
	t.Helper()
	return Load(append([]string{"--data", folder(t, dotenv)}, args...), environ)
}

func TestDefaults(t *testing.T) {
	c, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Elastic.ClusterID == "" {
		t.Error("no cluster id was generated")
	}
	c.Data, c.Secret, c.CoturnSecret, c.Elastic.ClusterID, c.on, c.given, c.args, c.environ = "", "", "", "", switches{}, nil, nil, nil
	want := Config{
		SecretGenerated: true, HTTPSPort: 4443, CertificateType: "selfsigned",
		AddressDiscovery: "auto", STUNServers: []string{"stun.l.google.com:19302", "stun.cloudflare.com:3478"},
		Bandwidth:        Bandwidth{MaxRecv: 1000, MinRecv: 300, MaxSend: 1000, MinSend: 300},
		ForcedVideoCodec: "MEDIA_SERVER_PREFERRED", GarbageInterval: 900, GarbageThreshold: 3600,
		DeprecatedAPI: true, CallPage: "local", BrowserLogs: "disabled", StatsInterval: 30, NTPServers: []string{"time.cloudflare.com:123"},
		LogLevel: "info", LogFormat: "text",
		Webhook: Webhook{Events: strings.Split(defaultEvents, ",")}, EventsMax: 1_000_000,
		Elastic: Elastic{MaxDays: 7, SessionInterval: 5, ServerInterval: 10}, JoinSecret: true,
		Edge: Edge{TLSVersions: []string{"TLSv1.2", "TLSv1.3"}, HSTS: "max-age=63072000", MaxBody: 200 << 20},
	}
	if len(c.ICEServers) > 0 || len(c.Warnings) > 0 {
		t.Errorf("ICE servers %v, warnings %v", c.ICEServers, c.Warnings)
	}
	c.ICEServers, c.Warnings = nil, nil
	if got := c; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPrecedence(t *testing.T) {
	dotenv := "HTTPS_PORT=2\nLOG_LEVEL=\n"
	environ := []string{"HTTPS_PORT=3", "LOG_LEVEL=debug", "LOG_FORMAT=json", "SOMETHING_ELSE=1"}
	c, err := load(t, dotenv, environ, "--https-port=1")
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTPSPort != 1 || c.LogLevel != "debug" || c.LogFormat != "json" {
		t.Errorf("flags over .env over environment: port %d, level %q, format %q", c.HTTPSPort, c.LogLevel, c.LogFormat)
	}
	if c, err = load(t, dotenv, environ); err != nil || c.HTTPSPort != 2 {
		t.Errorf(".env over environment: port %d, %v", c.HTTPSPort, err)
	}
}

func TestEverySettingReachesTheConfig(t *testing.T) {
	values := map[string]string{
		"OPENVIDU_SECRET": "a longer secret: /@\"$\\é", "DOMAIN_OR_PUBLIC_IP": "call.example.com", "HTTPS_PORT": "0", "CERTIFICATE_TYPE": "owncert",
		"OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH": "1", "OPENVIDU_STREAMS_VIDEO_MIN_RECV_BANDWIDTH": "2",
		"OPENVIDU_STREAMS_VIDEO_MAX_SEND_BANDWIDTH": "3", "OPENVIDU_STREAMS_VIDEO_MIN_SEND_BANDWIDTH": "4",
		"OPENVIDU_STREAMS_FORCED_VIDEO_CODEC": "H264", "OPENVIDU_STREAMS_ALLOW_TRANSCODING": "TRUE",
		"OPENVIDU_SESSIONS_GARBAGE_INTERVAL": "5", "OPENVIDU_SESSIONS_GARBAGE_THRESHOLD": "6",
		"OPENVIDU_WEBRTC_ICE_SERVERS":      `["url=stun:a"]`,
		"OPENVIDU_ENTERPRISE_MEDIA_SERVER": "kurento", "SUPPORT_DEPRECATED_API": "false", "CALL_PAGE": "all",
		"COTURN_SHARED_SECRET_KEY": "0123456789abcdef", "METRICS_PORT": "9090", "LOG_LEVEL": "warn", "LOG_FORMAT": "json",
		"LETSENCRYPT_EMAIL": "me@example.com", "ACME_DIRECTORY": "https://ca.example/dir", "ACME_ROOTS": "/etc/ca.pem", "HTTP_PORT": "80",
		"TRUSTED_PROXIES": "10.0.0.1, 192.168.7.1/16,::1", "COTURN_PORT": "3478", "COTURN_IP": "turn.example.com",
		"OPENVIDU_BROWSER_LOGS": "debug_app", "OPENVIDU_PRO_STATS_WEBRTC_INTERVAL": "7", "NTP_SERVERS": "ntp.example.com:123",
		"ADDRESS_DISCOVERY": "off", "STUN_SERVERS": "stun.example.com:3478, [::1]:19302",
		"OPENVIDU_WEBHOOK": "true", "OPENVIDU_WEBHOOK_ENDPOINT": "https://app.example.com/hook?a=b", "OPENVIDU_WEBHOOK_HEADERS": `["Authorization: Bearer a,b"]`,
		"OPENVIDU_WEBHOOK_EVENTS": "[sessionCreated,diagnosis]", "EVENTS_MAX": "2000", "OPENVIDU_CDR": "true", "OPENVIDU_CDR_PATH": "told",
		"OPENVIDU_PRO_ELASTICSEARCH": "true", "OPENVIDU_PRO_ELASTICSEARCH_HOST": "https://u:p@elastic.example.com:443/es/", "OPENVIDU_PRO_KIBANA_HOST": "https://kibana.example.com/",
		"ELASTICSEARCH_USERNAME": "eu", "ELASTICSEARCH_PASSWORD": "ep", "OPENVIDU_PRO_ELASTICSEARCH_MAX_DAYS_DELETE": "8", "OPENVIDU_PRO_CLUSTER_ID": "tea",
		"OPENVIDU_PRO_STATS_SESSION_INTERVAL": "9", "OPENVIDU_PRO_STATS_SERVER_INTERVAL": "11", "OPENVIDU_PRO_NETWORK_QUALITY": "true", "OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL": "12",
		"OPENVIDU_SECRET_PREVIOUS": "one, two", "API_KEYS": `["name=k,key=0123456789abcdef,scope=read"]`, "JOIN_BY_SECRET": "false", "STRICT": "true",
		"GEO_DATABASE": "geo.mmdb", "EXTRA_ROUTES": `["/app/=site", "/=http://127.0.0.1:5442"]`, "ALLOWED_ACCESS_TO_DASHBOARD": "10.0.0.0/8", "ALLOWED_ACCESS_TO_RESTAPI": "ALL",
		"HTTPS_PROTOCOLS": "TLSv1.3", "HTTPS_CIPHERS": "A-B:C-D", "HTTPS_HSTS": "off", "XFRAME_SAMEORIGIN": "true", "REDIRECT_WWW": "true",
		"CLIENT_MAX_BODY_SIZE": "1k", "FORCE_PLAIN_HTTP": "true",
	}
	var dotenv strings.Builder
	for _, s := range settings {
		value, ok := values[s.Name]
		if !ok {
			t.Errorf("%s: add it to this test", s.Name)
		}
		dotenv.WriteString(s.Name + "=" + value + "\r\n")
	}
	dir := folder(t, dotenv.String())
	os.Mkdir(filepath.Join(dir, "owncert"), 0o700)
	os.WriteFile(filepath.Join(dir, "owncert", "certificate.cert"), nil, 0o600)
	os.WriteFile(filepath.Join(dir, "owncert", "certificate.key"), nil, 0o600)
	c, err := Load([]string{"--data", dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Data: dir, Secret: "a longer secret: /@\"$\\é", Domain: "call.example.com", CertificateType: "owncert",
		ACME: ACME{"me@example.com", "https://ca.example/dir", "/etc/ca.pem"}, HTTPPort: "80",
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("::1/128"),
		},
		TURNPort: "3478", TURNHost: "turn.example.com", AddressDiscovery: "off", STUNServers: []string{"stun.example.com:3478", "[::1]:19302"},
		Bandwidth: Bandwidth{1, 2, 3, 4}, ForcedVideoCodec: "H264", AllowTranscoding: true, GarbageInterval: 5, GarbageThreshold: 6,
		ICEServers: []ICEServer{{URL: "stun:a"}}, MediaServer: "kurento", CallPage: "all", CoturnSecret: "0123456789abcdef",
		MetricsAddress: "127.0.0.1:9090", BrowserLogs: "debug_app", StatsInterval: 7, NTPServers: []string{"ntp.example.com:123"},
		LogLevel: "warn", LogFormat: "json",
		NetworkQuality: 12, Webhook: Webhook{"https://app.example.com/hook?a=b", []string{"Authorization: Bearer a,b"}, []string{"sessionCreated", "diagnosis"}},
		CDR: CDR{filepath.Join(dir, "told") + "/"}, EventsMax: 2000,
		Elastic: Elastic{"https://elastic.example.com:443/es", "https://kibana.example.com", "eu", "ep", "tea", 8, 9, 11},
		Strict:  true, OldSecrets: []string{"one", "two"}, Keys: []Key{{"k", "0123456789abcdef", "read"}}, GeoDatabase: filepath.Join(dir, "geo.mmdb"),
		Edge: Edge{
			Routes:    []Route{{"/app", filepath.Join(dir, "site")}, {"/", "http://127.0.0.1:5442"}},
			Dashboard: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, TLSVersions: []string{"TLSv1.3"}, Ciphers: []string{"A-B", "C-D"},
			SameOrigin: true, RedirectWWW: true, MaxBody: 1024, PlainHTTP: true,
		},
	}
	c.on, c.given, c.args, c.environ = switches{}, nil, nil, nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestEveryErrorIsReportedWithPlaceValueAndRemedy(t *testing.T) {
	dotenv := `# a comment
HTTPS_PORT=70000
CERTIFICATE_TYPE=letsencryp
OPENVIDU_SECRET= has space
nonsense
=1
OPENVIDU_SECERT=x
OPENVIDU_RECORDING=true
OPENVIDU_WEBRTC_ICE_SERVERS=["url=turn:a,username=u"]
`
	dir := folder(t, dotenv)
	c, err := Load([]string{"--data", dir, "--call-page=maybe"}, []string{"SUPPORT_DEPRECATED_API=yes", "DOMAIN_OR_PUBLIC_IP=https://a.b"})
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v, want a fault.Invalid", err)
	}
	text := err.Error()
	for _, want := range []string{
		"/.env:2: HTTPS_PORT=70000: out of range → write a whole number from 0 to 65535, or remove it for the default, 4443",
		"/.env:3: CERTIFICATE_TYPE=letsencryp: unknown value → write one of selfsigned, owncert, letsencrypt",
		"/.env:4: OPENVIDU_SECRET=(hidden): a space at its start or end, which people do not see and programs cut off → write ",
		"/.env:5: there is no =",
		"/.env:6: there is no name before the =",
		"/.env:7: OPENVIDU_SECERT: unknown setting → remove the line, or put # before it; did you mean OPENVIDU_SECRET?",
		"/.env:9: OPENVIDU_WEBRTC_ICE_SERVERS=(hidden): entry 1: a TURN server takes username and credential",
		"--call-page: CALL_PAGE=maybe: unknown value → write one of off, local, all",
		"environment: SUPPORT_DEPRECATED_API=yes: not a boolean → write true or false",
		"environment: DOMAIN_OR_PUBLIC_IP=https://a.b: not a host",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s\nin: %s", want, text)
		}
	}
	if strings.Contains(text, "has space") {
		t.Error("a secret is printed")
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "/.env:8: OPENVIDU_RECORDING is not built yet") {
		t.Errorf("warnings: %q", c.Warnings)
	}
	if _, err := os.Stat(filepath.Join(dir, "secret")); err == nil {
		t.Error("a secret was generated although the start is refused")
	}
}

func TestPlannedNamesWarn(t *testing.T) {
	dotenv := "OPENVIDU_RECORDING=true\nKMS_URIS=\nKMS_DOCKER_ENV_GST_DEBUG=3\nAWS_INSTANCE_ID=i-1\nLOG_LEVEL=info\nLOG_LEVEL=warn\n"
	c, err := load(t, dotenv, []string{"OPENVIDU_WEBRTC_SIMULCAST=true", "AWS_DEFAULT_REGION=eu-west-1", "JAVA_OPTIONS=-Xmx1g"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{":1: OPENVIDU_RECORDING is not built yet and has no effect: it needs recording",
		":6: LOG_LEVEL is set again and replaces", "environment: OPENVIDU_WEBRTC_SIMULCAST is not built yet"}
	if without := strings.Join(c.Without, " "); without != "KMS_DOCKER_ENV_GST_DEBUG AWS_INSTANCE_ID" {
		t.Errorf("without effect: %s", without)
	}
	if len(c.Warnings) != len(want) {
		t.Fatalf("warnings: %q", c.Warnings)
	}
	for i, w := range want {
		if !strings.Contains(c.Warnings[i], w) {
			t.Errorf("warning %d is %q, want …%s…", i, c.Warnings[i], w)
		}
	}
	if c.LogLevel != "warn" {
		t.Errorf("of two lines the last counts, got %q", c.LogLevel)
	}
}

func TestArguments(t *testing.T) {
	if _, err := Load([]string{"--help"}, nil); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
	for _, args := range [][]string{{"--unknown"}, {"stray"}} {
		if _, err := Load(append([]string{"--data", t.TempDir()}, args...), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestUnreadableDotenv(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, ".env"), 0o700)
	if _, err := Load([]string{"--data", dir}, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("a folder for .env: %v", err)
	}
	if _, err := load(t, strings.Repeat("# comment\n", maxDotenv/8), nil); !fault.Is(err, fault.TooLarge) {
		t.Errorf("an oversize .env: %v", err)
	}
}

func TestPublicURL(t *testing.T) {
	for _, test := range []struct {
		domain string
		port   int
		want   string
	}{
		{"", 4443, "https://localhost:4443"}, {"a.example", 443, "https://a.example"},
		{"2001:db8::1", 443, "https://[2001:db8::1]"}, {"2001:db8::1", 4443, "https://[2001:db8::1]:4443"},
	} {
		if got := (&Config{Domain: test.domain}).PublicURL(test.port); got != test.want {
			t.Errorf("%q %d: got %s, want %s", test.domain, test.port, got, test.want)
		}
	}
}

// TestCoturnElsewhereNeedsAKey: a key that we made up is known to no other server.
func TestCoturnElsewhereNeedsAKey(t *testing.T) {
	for dotenv, want := range map[string]int{
		"COTURN_IP=203.0.113.7\n": 1, "COTURN_IP=203.0.113.7\nCOTURN_SHARED_SECRET_KEY=0123456789abcdef\n": 0,
		"COTURN_IP=auto-ipv4\n": 0, "COTURN_PORT=3478\n": 0,
	} {
		c, err := load(t, dotenv, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) != want || want == 1 && !strings.Contains(c.Warnings[0], "/.env:1: COTURN_IP names a coturn") {
			t.Errorf("%q warns %q", dotenv, c.Warnings)
		}
	}
}

func TestTheNameThatIsSentOn(t *testing.T) {
	for domain, want := range map[string]string{
		"a.example": "www.a.example", "a.example.": "www.a.example", "localhost": "www.localhost",
		"www.a.example": "", "192.0.2.1": "", "[2001:db8::1]": "", "": "",
	} {
		for _, on := range []string{"true", "false"} {
			c, err := load(t, "DOMAIN_OR_PUBLIC_IP="+domain+"\nREDIRECT_WWW="+on+"\n", nil)
			if on == "false" {
				want = ""
			}
			if got := c.Edge.WWW(c.Domain); err != nil || got != want {
				t.Errorf("%q, %s: %q, %v; want %q", domain, on, got, err, want)
			}
		}
	}
}
