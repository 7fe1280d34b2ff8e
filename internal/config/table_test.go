package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

func setting(t *testing.T, name string) Setting {
	t.Helper()
	for _, s := range settings {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s", name)
	return Setting{}
}

// TestValues tries each kind of value through a setting of it.
func TestValues(t *testing.T) {
	for name, c := range map[string]struct{ right, wrong []string }{
		"OPENVIDU_SECRET":                           {[]string{"a", "MY_SECRET-1", "a b", "é=:/@\"$\\"}, []string{" a b", "zq ", " ", "a\x01b", "a\x7f", "\xff", strings.Repeat("a", 1001)}},
		"DOMAIN_OR_PUBLIC_IP":                       {[]string{"call.example.com", " 192.0.2.1 ", "[::1]", "host_1"}, []string{"https://a", "a:4443", "a/b", "[::1]:4443", "."}},
		"HTTPS_PORT":                                {[]string{"0", "443", " 65535 "}, []string{"-1", "65536", "4443.0", "x", "0x10", "99999999999999999999"}},
		"CERTIFICATE_TYPE":                          {[]string{"selfsigned", " owncert ", "letsencrypt"}, []string{"SELFSIGNED", "self signed"}},
		"OPENVIDU_STREAMS_FORCED_VIDEO_CODEC":       {[]string{"NONE", "VP9"}, []string{"vp9", "AV1"}},
		"OPENVIDU_STREAMS_ALLOW_TRANSCODING":        {[]string{"true", "FALSE", " True "}, []string{"yes", "1", "on"}},
		"OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH": {[]string{"0", "1000000"}, []string{"-1", "1000001", "1M"}},
		"OPENVIDU_SESSIONS_GARBAGE_INTERVAL":        {[]string{"0", "900"}, []string{"-1", "15m"}},
		"OPENVIDU_ENTERPRISE_MEDIA_SERVER":          {[]string{"kurento", "mediasoup"}, []string{"janus"}},
		"CALL_PAGE":                                 {[]string{"off", "local", "all"}, []string{"on", "true"}},
		"COTURN_SHARED_SECRET_KEY":                  {[]string{"anything at all = ok"}, []string{"fifteen letters"}},
		"METRICS_PORT":                              {[]string{"0", " 9090 ", "0.0.0.0:9090", "[::1]:0", "10.0.0.1:65535"}, []string{"65536", "-1", ":9090", "localhost:9090", "::1:9090", "10.0.0.1:", "10.0.0.1:http", "[::1]", "x"}},
		"HTTP_PORT":                                 {[]string{"0", " 80 "}, []string{"65536", "-1", "http"}},
		"TRUSTED_PROXIES":                           {[]string{"10.0.0.0/8", "::1, 192.0.2.7"}, []string{"10.0.0.0/33", "proxy", "10.0.0.1,"}},
		"STUN_SERVERS":                              {[]string{"a:1", "a:1, [::1]:3478"}, []string{"a", "a:b", ":1", "a:70000"}},
		"LOG_LEVEL":                                 {[]string{"debug", "error"}, []string{"trace", "INFO"}},
		"OPENVIDU_WEBHOOK_ENDPOINT":                 {[]string{"http://a", "https://u:p@[::1]:8/x?y=z"}, []string{"a.example", "ftp://a", "http://", "http://a:0", "http://a:99999", "https://a b", "http://u:s3cret@"}},
		"OPENVIDU_WEBHOOK_HEADERS":                  {[]string{"[]", `["A: b: c"]`, "[X-A: 1, X-B: 2]"}, []string{"A: b", "[Ab]", "[: b]", "[A:b]", `["A b: c"]`, "[\"A: b\x01\"]"}},
		"OPENVIDU_WEBHOOK_EVENTS":                   {[]string{"[]", "[sessionCreated, HANodeRegistered]", `["diagnosis"]`}, []string{"sessionCreated", "[sessionMade]"}},
		"OPENVIDU_PRO_ELASTICSEARCH_HOST":           {[]string{"http://e", "https://u:p@e:9200/path/"}, []string{"e:9200", "https://"}},
		"OPENVIDU_PRO_CLUSTER_ID":                   {[]string{"a", "my_Cluster-1.x"}, []string{"a b", "é", strings.Repeat("a", 129)}},
		"OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL":     {[]string{"1", "3600"}, []string{"0", "3601", "5s"}},
		"EVENTS_MAX":                                {[]string{"1000"}, []string{"999", "1e9"}},
		"OPENVIDU_SECRET_PREVIOUS":                  {[]string{"a,b", `["a,b","c"]`}, []string{"a,", "a\x01", "[a"}},
		"API_KEYS": {
			[]string{`["name=a,key=0123456789abcdef"]`, `["name=a,key=0123456789abcdef,scope=read","name=b,key=0123456789abcdeF,scope=sessions"]`},
			[]string{
				"name=a,key=0123456789abcdef", `["name=a,key=short"]`, `["key=0123456789abcdef"]`, `["name=a,key=0123456789abcdef,scope=some"]`,
				`["name=OPENVIDUAPP,key=0123456789abcdef"]`, `["name=a,key=0123456789abcdef","name=a,key=0123456789abcdeF"]`, `["name=a,pass=0123456789abcdef"]`,
			},
		},
		"EXTRA_ROUTES": {
			[]string{`["/=/srv/app"]`, "[/a=http://127.0.0.1:5442,/b/=folder]"},
			[]string{"/a=/b", "[a=/b]", "[/a]", "[/a=]", "[/a=/b,/a/=/c]", "[/a=ftp://b]", "[/{a}=/b]"},
		},
		"ALLOWED_ACCESS_TO_RESTAPI": {[]string{"all", "198.51.100.1, 198.51.100.0/24", "::1"}, []string{"everybody", "all,::1"}},
		"HTTPS_PROTOCOLS":           {[]string{"TLSv1.3", "TLSv1.2 TLSv1.3"}, []string{"TLSv1.1", "SSLv3", " "}},
		"HTTPS_CIPHERS":             {[]string{"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"}, []string{"a:b", "A::B"}},
		"HTTPS_HSTS":                {[]string{"off", "max-age=1; includeSubDomains"}, []string{"on", "max-age"}},
		"CLIENT_MAX_BODY_SIZE":      {[]string{"1", "200M", "1g"}, []string{"0", "M", "101G", "1T", "-1", "1MM"}},
	} {
		s := setting(t, name)
		for _, v := range c.right {
			if err := s.set(new(Config), v); err != nil {
				t.Errorf("%s=%q: %v", name, v, err)
			}
		}
		for _, v := range c.wrong {
			var before, after Config
			if err := s.set(&after, v); err == nil {
				t.Errorf("%s=%q was taken", name, v)
			} else if strings.Contains(err.Error(), v) && len(v) > 1 {
				t.Errorf("%s: the text quotes the value, which may be secret: %v", name, err)
			}
			if fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("%s=%q was refused and kept", name, v)
			}
		}
	}
}

// TestPortsAreOfLoopback unless they name an address.
func TestPortsAreOfLoopback(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "0": "127.0.0.1:0", " 9090 ": "127.0.0.1:9090", "0.0.0.0:9090": "0.0.0.0:9090", "[::1]:09090": "[::1]:9090",
	} {
		if c, err := load(t, "", nil, "--metrics-port="+given); err != nil || c.MetricsAddress != want {
			t.Errorf("METRICS_PORT=%s: %q, %v; want %q", given, c.MetricsAddress, err, want)
		}
	}
}

// TestEveryPlaceCanSetEverything: the same value as a flag, in .env and in the environment is the same setting; and a
// wrong one names its place, the setting and, unless it is secret, the value.
func TestEveryPlaceCanSetEverything(t *testing.T) {
	for _, s := range settings {
		const wrong = "\t?wrong?"
		if s.set(new(Config), wrong) == nil {
			continue // any text will do
		}
		for place, load := range map[string]func() error{
			s.Flag():      func() error { _, err := load(t, "", nil, s.Flag()+"="+wrong); return err },
			"/.env:1":     func() error { _, err := load(t, s.Name+"="+wrong, nil); return err },
			"environment": func() error { _, err := load(t, "", []string{s.Name + "=" + wrong}); return err },
		} {
			err := load()
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s by %s: %v", s.Name, place, err)
				continue
			}
			text := err.Error()
			if !strings.Contains(text, place+": "+s.Name+"=") || !strings.Contains(text, " → write "+s.want) {
				t.Errorf("%s by %s: %s", s.Name, place, text)
			}
			if shown := strings.Contains(text, wrong); shown == s.Secret {
				t.Errorf("%s by %s: secret %v, shown %v", s.Name, place, s.Secret, shown)
			}
		}
		if s.Default == "" {
			continue
		}
		for place, c := range map[string]Config{
			"flag":        must(load(t, "", nil, s.Flag()+"="+s.Default)),
			".env":        must(load(t, s.Name+"="+s.Default, nil)),
			"environment": must(load(t, "", []string{s.Name + "=" + s.Default})),
		} {
			d := must(load(t, "", nil))
			c.Data, c.Secret, c.CoturnSecret, c.Elastic.ClusterID, c.given, c.args, c.environ = d.Data, d.Secret, d.CoturnSecret, d.Elastic.ClusterID, d.given, d.args, d.environ
			if fmt.Sprintf("%+v", c) != fmt.Sprintf("%+v", d) {
				t.Errorf("%s: its default, given as %s, is another: %+v", s.Name, place, c)
			}
		}
	}
}

func must(c Config, err error) Config {
	if err != nil {
		panic(err)
	}
	return c
}

// TestEmptyIsAbsent in every place, so that a weaker place counts.
func TestEmptyIsAbsent(t *testing.T) {
	c, err := load(t, "HTTPS_PORT=\n", []string{"HTTPS_PORT=7"}, "--https-port=")
	if err != nil || c.HTTPSPort != 7 {
		t.Errorf("port %d, %v", c.HTTPSPort, err)
	}
	c, err = load(t, "HTTPS_PORT=\n", []string{"HTTPS_PORT="}, "--https-port=")
	if err != nil || c.HTTPSPort != 4443 {
		t.Errorf("port %d, %v", c.HTTPSPort, err)
	}
}

// TestIdleNamesAreKnownOnce, and none of them is a setting.
func TestIdleNamesAreKnownOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range slices.Concat(planned, without) {
		if row.reason == "" {
			t.Errorf("%v: no reason", row.names)
		}
		for _, name := range row.names {
			if seen[name] || isSetting(name) || strings.ToUpper(name) != name {
				t.Errorf("%s: twice, or a setting", name)
			}
			seen[name] = true
		}
	}
	if Without("KMS_DOCKER_ENV_X") == "" || Known("NOBODY_KNOWS") || Planned("HTTPS_PORT") != "" {
		t.Error("a prefix, a setting or an unknown name is taken for another")
	}
}

// TestUnknownNamesSuggest the setting that is meant, within two slips.
func TestUnknownNamesSuggest(t *testing.T) {
	for _, s := range settings {
		for _, slip := range []string{s.Name[1:], s.Name + "S", strings.Replace(s.Name, "_", "", 1), "X" + s.Name[1:]} {
			if Known(slip) {
				continue
			}
			_, err := load(t, slip+"=1", nil)
			if err == nil || !strings.Contains(err.Error(), ".env:1: "+slip+": unknown setting") || !strings.Contains(err.Error(), "did you mean ") {
				t.Errorf("%s: %v", slip, err)
			}
		}
	}
	_, err := load(t, "ENTIRELY_ELSE=1", nil)
	if err == nil || strings.Contains(err.Error(), "did you mean") || !strings.Contains(err.Error(), "docs/reference/configuration.md") {
		t.Errorf("got %v", err)
	}
}

// FuzzEdits: the distance is symmetric, zero for equal names alone, and at most what replacing all would cost.
func FuzzEdits(f *testing.F) {
	f.Add("HTTPS_PORT", "HTTPS_PROT")
	f.Add("", "AB")
	f.Add("ABC", "CBA")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 100 || len(b) > 100 {
			return
		}
		d := edits(a, b)
		if d != edits(b, a) || (d == 0) != (a == b) || d > max(len(a), len(b), 3) {
			t.Errorf("%q %q: %d and %d", a, b, d, edits(b, a))
		}
	})
}

// TestHelpAndPageNameEverySetting, and print no secret's value.
func TestHelpAndPageNameEverySetting(t *testing.T) {
	for _, s := range Settings() {
		if !strings.Contains(Usage(), "  "+s.Flag()+" ("+s.Type()+")\n") || !strings.Contains(Reference(), "## `"+s.Name+"`\n") {
			t.Errorf("%s is missing", s.Name)
		}
		if strings.Contains(s.Flag(), "_") || s.Flag() != strings.ToLower(s.Flag()) {
			t.Errorf("%s has the flag %s", s.Name, s.Flag())
		}
		if s.Secret && s.Default != "" {
			t.Errorf("%s: a secret with a default is none", s.Name)
		}
	}
	changed := Settings()
	changed[0].Name = "CHANGED"
	if settings[0].Name == "CHANGED" {
		t.Error("Settings lends its table")
	}
}

// TestSecretFiles: one that cannot be read, or whose folder takes none, stops the start with what to do.
func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "secret"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Load([]string{"--data", dir}, nil)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "set OPENVIDU_SECRET") {
		t.Errorf("a folder for a secret: %v", err)
	}
	if _, err := Load([]string{"--data", dir}, []string{"OPENVIDU_SECRET=given"}); err != nil {
		t.Errorf("with a secret that is set nobody needs the file: %v", err)
	}
	if err := writeSecret(filepath.Join(dir, "no", "folder"), []byte("s")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	kept := filepath.Join(t.TempDir(), "secret")
	for _, secret := range []string{"first", "second"} {
		if err := writeSecret(kept, []byte(secret)); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(kept); string(text) != secret+"\n" {
			t.Errorf("kept %q", text)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(kept), ".secret-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
