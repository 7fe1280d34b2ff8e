package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/tools/txtar"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

var update = flag.Bool("update", false, "write the golden files anew")

// exchange is one request of a golden file with the answer to it: the target, lines that begin with @, and the body. "@fault
// KIND" has the registry fail, "@server WORD…" changes the server (see goldenServer).
type exchange struct {
	file, name         string
	target, body       string
	fault, server, got string
	want               string
}

// exchanges reads all golden files.
func exchanges(t *testing.T) []*exchange {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	var list []*exchange
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range archive.Files {
			if name, ok := strings.CutSuffix(part.Name, " answer"); ok {
				if last := list[len(list)-1]; last.name == name {
					last.want = string(part.Data)
				}
				continue
			}
			target, rest, _ := strings.Cut(string(part.Data), "\n")
			e := &exchange{file: file, name: part.Name, target: target}
			for strings.HasPrefix(rest, "@") {
				var line string
				line, rest, _ = strings.Cut(rest, "\n")
				if value, ok := strings.CutPrefix(line, "@fault "); ok {
					e.fault = value
				} else if value, ok := strings.CutPrefix(line, "@server "); ok {
					e.server = value
				} else {
					t.Fatalf("%s, %s: %q", file, part.Name, line)
				}
			}
			e.body = strings.TrimSuffix(rest, "\n")
			list = append(list, e)
		}
	}
	return list
}

func (e *exchange) request() string {
	text := e.target + "\n"
	if e.fault != "" {
		text += "@fault " + e.fault + "\n"
	}
	if e.server != "" {
		text += "@server " + e.server + "\n"
	}
	if e.body != "" {
		text += e.body + "\n"
	}
	return text
}

// write stores requests and the answers that came.
func write(t *testing.T, list []*exchange) {
	archives := map[string]*txtar.Archive{}
	for _, e := range list {
		a := archives[e.file]
		if a == nil {
			a = &txtar.Archive{}
			archives[e.file] = a
		}
		a.Files = append(a.Files, txtar.File{Name: e.name, Data: []byte(e.request())}, txtar.File{Name: e.name + " answer", Data: []byte(e.got)})
	}
	for file, a := range archives {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goldenServer changes a server and its registry by the words of @server.
var goldenServer = map[string]func(*Config, *fakeRegistry){
	"old":     func(c *Config, _ *fakeRegistry) { c.Deprecated = true },
	"plain":   func(c *Config, _ *fakeRegistry) { c.PlainHTTP = true },
	"loading": func(_ *Config, f *fakeRegistry) { f.ready = make(chan struct{}) },
	"crowded": func(c *Config, _ *fakeRegistry) {
		c.Room = func() error { return fault.New(fault.NoCapacity, "FD_LIMIT: 180 of the 256 files") }
	},
	"slow": func(c *Config, _ *fakeRegistry) {
		c.Events = &fakeEvents{fail: fault.New(fault.Timeout, "the store did not answer in time")}
	},
	"reader": func(c *Config, _ *fakeRegistry) { // whose password may only look
		c.Credentials = func() []Credential {
			return []Credential{{User: User, Password: secret, Scope: ScopeRead, Name: "reader"}}
		}
	},
	"stranger": func(c *Config, _ *fakeRegistry) { c.Secret = "another" },
	"unstable": func(c *Config, _ *fakeRegistry) {
		c.Checks = func(context.Context) []openvidu.RESTCheck {
			return []openvidu.RESTCheck{{Name: "udp", Code: "SERVER_UDP_BLOCKED", Fix: "open the port", Bearable: true}}
		}
	},
	"down": func(c *Config, _ *fakeRegistry) {
		c.Checks = func(context.Context) []openvidu.RESTCheck {
			return []openvidu.RESTCheck{{Name: "store", Code: "STORE_FULL"}}
		}
	},
	"cluster": func(c *Config, _ *fakeRegistry) {
		c.Nodes = func() []openvidu.RESTMediaNode {
			lost := aNode("media_Lost1234")
			lost.Connected, lost.DisconnectionTime = false, 1700000000000
			return []openvidu.RESTMediaNode{aNode("media_Abcdefgh"), lost}
		}
	},
	"everything": func(c *Config, _ *fakeRegistry) {
		settings := c.Settings()
		settings.CDR, settings.CDRPath = true, "/var/lib/cdr/"
		settings.Recording, settings.RESTRecordingConfig = true, &openvidu.RESTRecordingConfig{
			Version: "2.32.1", Path: "/var/lib/recordings/", Notification: "publisher_moderator", CustomLayout: "/var/lib/layouts/", Autostop: 120,
			ComposedURL: "https://layout.example",
		}
		settings.Webhook, settings.RESTWebhookConfig = true, &openvidu.RESTWebhookConfig{
			Endpoint: "https://app.example/hook", Headers: []string{"X-Mine: 1"}, Events: []string{"sessionCreated"},
		}
		settings.RESTProConfig = &openvidu.RESTProConfig{
			Edition: "pro", ClusterID: "one", SessionInterval: 30, ServerInterval: 31, WebRTCInterval: 32, Elasticsearch: true,
			ElasticsearchHost: "http://e.example:9200", Kibana: true, KibanaHost: "http://k.example:5601", NetworkQuality: true,
			NetworkQualityInterval: 5, SpeechToText: "disabled", MediaServer: "mediasoup",
		}
		c.Settings = fixed(settings)
	},
}

// aNode is a media node that works.
func aNode(id string) openvidu.RESTMediaNode {
	ip, uri, environment := "192.0.2.1", "https://call.example:4443", "host"
	return openvidu.RESTMediaNode{
		ID: id, Object: "mediaNode", EnvironmentID: &environment, IP: &ip, URI: &uri, LaunchingTime: 1600000000000, Connected: true,
		ConnectionTime: 1600000000001, Load: 12.5, Status: "running", MediaServer: "kurento",
		KurentoInfo: &openvidu.RESTKurento{Memory: 65536, Version: "1.2", Modules: []openvidu.RESTKurentoModule{}},
	}
}

// ask sends the request of e to a server of its own, and notes the answer: status line, content type, body.
func (e *exchange) ask(t *testing.T) (status int, body []byte) {
	var fake *fakeRegistry
	h, registry := server(t, func(c *Config) {
		fake = c.Registry.(*fakeRegistry)
		c.Deprecated, c.Diagnosis, c.Events, c.NodeID = false, &journal{}, &fakeEvents{}, "media_Abcdefgh"
		c.Nodes = func() []openvidu.RESTMediaNode { return []openvidu.RESTMediaNode{aNode("media_Abcdefgh")} }
		c.Restart = func(_ context.Context, _ string, changes map[string]any) error {
			if _, given := changes["OPENVIDU_SECRET"]; given {
				return fault.New(fault.Invalid, "OPENVIDU_SECRET cannot be changed while the server runs: edit .env and start it anew")
			}
			return nil
		}
		c.Checks = func(context.Context) []openvidu.RESTCheck {
			return []openvidu.RESTCheck{{Name: "media", OK: true, Code: "MEDIA_UNPROVEN", Text: "no media has passed yet"}}
		}
		for word := range strings.FieldsSeq(e.server) {
			change := goldenServer[word]
			if change == nil {
				t.Fatalf("%s: no server %q", e.name, word)
			}
			change(c, fake)
		}
	})
	if e.fault != "" {
		registry.fail = fault.New(fault.Kind(e.fault), "reason")
	}
	registry.states = append(registry.states, session.State{ID: "Closing", Closing: "sessionClosedByServer"})
	registry.stats = []mediactl.EndpointStats{{
		Endpoint: "con_Pub", LocalSDP: "v=0\r\nm=audio 9\r\na=mid:0\r\na=ice-pwd:ours\r\na=candidate:1 1 udp 1 192.0.2.1 4443 typ host\r\n", RemoteSDP: "offer\na=ice-ufrag:u\na=ice-pwd:theirs",
		LocalCandidate: "udp 192.0.2.1 port 4443", RemoteCandidate: "udp 198.51.100.1:5000", Signalled: []mediactl.Candidate{{Candidate: "candidate:9", SDPMid: "0"}},
	}}
	w := do(h, e.target, e.body)
	body = bytes.Clone(w.Body.Bytes())
	var text bytes.Buffer
	if json.Indent(&text, body, "", "  ") != nil {
		text.Reset()
		text.Write(body)
	}
	e.got = strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, w.Header().Get("Content-Type"))) + "\n"
	if b := bytes.TrimSpace(text.Bytes()); len(b) > 0 {
		e.got += string(b) + "\n"
	}
	return w.Code, body
}

// TestGolden compares whole answers with testdata/golden. Time stands still at the start of 2000.
func TestGolden(t *testing.T) {
	list := exchanges(t)
	for _, e := range list {
		synctest.Test(t, func(t *testing.T) { e.ask(t) })
		if !*update && e.got != e.want {
			t.Errorf("%s, %s (-update rewrites it):\ngot  %s\nwant %s", e.file, e.name, e.got, e.want)
		}
	}
	if *update {
		write(t, list)
	}
}

var statusLine = regexp.MustCompile(`^\d+`)

// TestEveryStatusIsGolden: there is an exchange for every status of every row, and none for another.
func TestEveryStatusIsGolden(t *testing.T) {
	seen, shared := map[string]bool{}, map[string]bool{}
	for _, e := range exchanges(t) {
		method, target, _ := strings.Cut(e.target, " ")
		target, _, _ = strings.Cut(target, "?")
		if now, old := rewrite(target); old {
			target = now
		}
		row, _ := lookup(method, strings.TrimPrefix(target, prefix))
		if row == nil {
			continue
		}
		seen[row.method+" "+row.pattern+" "+statusLine.FindString(e.want)] = true
	}
	for i := range routes {
		row := &routes[i]
		name := row.method + " " + row.pattern + " "
		shared[name+"500"] = true
		for _, o := range row.common() {
			shared[fmt.Sprint(name, o.status)] = true
		}
		statuses := append([]int{row.success()}, row.also...)
		for _, o := range row.refusals() {
			statuses = append(statuses, o.status)
		}
		for _, status := range statuses {
			if key := fmt.Sprint(name, status); !seen[key] && key != "GET /openapi.json 200" { // which has a test of its own
				t.Errorf("no exchange of %s", key)
			} else {
				delete(seen, key)
			}
		}
	}
	for key := range seen {
		if !shared[key] && !strings.HasSuffix(key, " 404") && !strings.HasSuffix(key, " 403") {
			t.Errorf("the table knows nothing of %s", key)
		}
	}
}

// A pending connection has every key, most of them null: the Java client fails on missing ones.
func TestConnectionHasEveryKey(t *testing.T) {
	h, _ := server(t, nil)
	for _, id := range []string{"con_Wait", "con_Pub"} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(do(h, "GET /openvidu/api/sessions/Call/connection/"+id, "").Body.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"id", "connectionId", "object", "status", "sessionId", "createdAt", "activeAt", "location", "ip", "platform",
			"token", "type", "record", "role", "kurentoOptions", "customIceServers", "rtspUri", "adaptativeBitrate", "onlyPlayWithSubscribers",
			"networkCache", "serverData", "clientData", "publishers", "subscribers"} {
			if _, ok := fields[key]; !ok {
				t.Errorf("%s: no %q", id, key)
			}
			delete(fields, key)
		}
		if len(fields) > 0 {
			t.Errorf("%s: unexpected %v", id, fields)
		}
	}
}

func TestSessionsMadeInsideTheServerShowDefaults(t *testing.T) {
	h, registry := server(t, nil)
	registry.states = []session.State{{ID: "Bare"}}
	var got openvidu.RESTSession
	if err := json.Unmarshal(do(h, "GET /openvidu/api/sessions/Bare", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.MediaMode != "ROUTED" || got.RecordingMode != "MANUAL" || got.DefaultRecordingProperties.OutputMode != "COMPOSED" || got.ForcedVideoCodec != "MEDIA_SERVER_PREFERRED" {
		t.Errorf("got %+v", got)
	}
}
