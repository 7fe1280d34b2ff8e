package rest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

// TestReferencePageIsCurrent compares docs/reference/rest.md with the tables.
func TestReferencePageIsCurrent(t *testing.T) {
	page := filepath.Join("..", "..", "..", "docs", "reference", "rest.md")
	now := referenceHead + referenceRoutes() + referenceBodies() + referenceStatuses()
	if *update {
		if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(page)
	if err != nil || string(committed) != now {
		t.Errorf("docs/reference/rest.md is stale (%v): go test ./internal/api/rest -run Reference -update", err)
	}
}

const referenceHead = `# REST

<!-- Generated from internal/api/rest by: go test ./internal/api/rest -run Reference -update -->

The API of OpenVidu 2, for your application's server: ` + "`openvidu-node-client` and `openvidu-java-client`" + ` use it as it is. Basic
authentication, user ` + "`OPENVIDUAPP`, password `OPENVIDU_SECRET`" + `; JSON in and out.

    curl -ku OPENVIDUAPP:$SECRET https://localhost:4443/openvidu/api/sessions -H 'Content-Type: application/json' -d '{"customSessionId":"room"}'
    curl -ku OPENVIDUAPP:$SECRET https://localhost:4443/openvidu/api/sessions/room/connection -X POST

In bodies, null is the same as absent, and unknown fields are ignored; a body has at most 1 MiB. Answers carry explicit nulls.

`

func referenceRoutes() string {
	var b strings.Builder
	b.WriteString("## Routes\n\nBelow `/openvidu/api`; with `SUPPORT_DEPRECATED_API` below `/api` too, and `/config…` at the root.\n\n| method | path | |\n|---|---|---|\n")
	for _, r := range routes {
		notes := r.doc
		if r.public {
			notes += " Needs no authentication."
		}
		for _, kind := range slices.Sorted(maps.Keys(r.except)) {
			notes += fmt.Sprintf(" %s: %d.", sentence(kind), r.except[kind].status)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", r.method, r.pattern, notes)
	}
	b.WriteString("\nAt the root, without authentication: `GET /livez` (the process answers) and `GET /readyz` (requests can be sent here).\n\n")
	b.WriteString("With authentication, `GET /openvidu/cdr` lists the files of events, and `GET /openvidu/cdr/{file}.log` is one of them; with `SUPPORT_DEPRECATED_API` at `/cdr` too.\n\n")
	return b.String()
}

// sentence is a kind of fault for people: "Session not found".
func sentence(kind fault.Kind) string {
	words := strings.ReplaceAll(string(kind), "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// field is one field of a request body, with a value it refuses.
type field struct{ name, is, otherwise, wrong string }

// bodies are the fields of each body; [TestReferenceFields] tries them.
var bodies = []struct {
	target string
	given  string // what else the body needs
	fields []field
}{
	{"POST /sessions", ``, []field{
		{"customSessionId", "letters, digits, `_` and `-`, up to 256", "an id is made", `"a b"`},
		{"mediaMode", "`ROUTED`, `RELAYED`", "`ROUTED`", `"routed"`},
		{"recordingMode", "`MANUAL`, `ALWAYS`", "`MANUAL`", `7`},
		{"forcedVideoCodec", "`MEDIA_SERVER_PREFERRED`, `NONE`, `VP8`, `VP9`, `H264`", "the setting", `"AV9"`},
		{"allowTranscoding", "boolean", "the setting", `"true"`},
		{"defaultRecordingProperties", "object, kept and shown", "defaults", `[]`},
	}},
	{"POST /sessions/Call/connection", ``, []field{
		{"type", "`WEBRTC` (`IPCAM` is not built yet)", "`WEBRTC`", `"SIP"`},
		{"data", "text: the server's data about the participant", "empty", `{}`},
		{"role", "`SUBSCRIBER`, `PUBLISHER`, `MODERATOR`", "`PUBLISHER`", `"KING"`},
		{"record", "boolean", "true", `1`},
		{"kurentoOptions", "`{videoMaxRecvBandwidth, videoMinRecvBandwidth, videoMaxSendBandwidth, videoMinSendBandwidth, allowedFilters}`, kbit/s, as seen by the client; 0 is unbounded", "the settings", `[]`},
		{"customIceServers", "`[{url, username, credential}]` or `[{url, staticAuthSecret}]`", "the setting, else the built-in TURN server", `[{"url":"http://a"}]`},
	}},
	{"PATCH /sessions/Call/connection/con_Pub", ``, []field{
		{"role", "as above", "unchanged", `"KING"`},
		{"record", "boolean", "unchanged", `"no"`},
	}},
	{"POST /signal", `"session":"Call",`, []field{
		{"to", "connection ids", "everybody", `"con_Pub"`},
		{"type", "text", "none", `7`},
		{"data", "text", "none", `{}`},
	}},
}

func referenceBodies() string {
	var b strings.Builder
	b.WriteString("## Bodies\n\n")
	for _, body := range bodies {
		target := strings.NewReplacer("Call", "{session}", "con_Pub", "{connection}").Replace(body.target)
		fmt.Fprintf(&b, "`%s`", target)
		if body.given != "" {
			b.WriteString(", which needs `session`")
		}
		b.WriteString(":\n\n| field | | default |\n|---|---|---|\n")
		for _, f := range body.fields {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, f.is, f.otherwise)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestReferenceFields: every field of the page is read, and a value that does not suit it is refused under its name.
func TestReferenceFields(t *testing.T) {
	for _, body := range bodies {
		method, path, _ := strings.Cut(body.target, " ")
		for _, f := range body.fields {
			h, registry := server(t, nil)
			w := do(h, method+" "+prefix+path, fmt.Sprintf("{%s%q:%s}", body.given, f.name, f.wrong))
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `\"`+f.name) || len(registry.commands) > 0 {
				t.Errorf("%s with %s=%s: %d %s", body.target, f.name, f.wrong, w.Code, w.Body)
			}
			if w := do(h, method+" "+prefix+path, fmt.Sprintf("{%s%q:null}", body.given, f.name)); w.Code != http.StatusOK {
				t.Errorf("%s with %s=null: %d %s", body.target, f.name, w.Code, w.Body)
			}
		}
	}
}

func referenceStatuses() string {
	var b strings.Builder
	b.WriteString("## Refusals\n\nA refusal with a body holds `{timestamp, status, error, message, path}`; the message names the field and the remedy. " +
		"What is not listed is 500. Paths that do not exist are 403, as in OpenVidu 2.32.\n\n| status | when | body |\n|---|---|---|\n")
	kinds := map[answer][]string{}
	for kind, a := range answers {
		kinds[a] = append(kinds[a], strings.ReplaceAll(string(kind), "_", " "))
	}
	rows := slices.SortedFunc(maps.Keys(kinds), func(a, b answer) int {
		return cmp.Or(cmp.Compare(a.status, b.status), strings.Compare(has(a.body), has(b.body)))
	})
	for _, r := range rows {
		slices.Sort(kinds[r])
		fmt.Fprintf(&b, "| %d | %s | %s |\n", r.status, strings.Join(kinds[r], ", "), has(r.body))
	}
	return b.String()
}

func has(body bool) string {
	if body {
		return "yes"
	}
	return "no"
}

// TestEveryRouteIsDocumented: a row says what it does, and stands once.
func TestEveryRouteIsDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range routes {
		name := r.method + " " + r.pattern
		if r.doc == "" || r.run == nil || seen[name] {
			t.Errorf("%s: no text, no operation, or there twice", name)
		}
		seen[name] = true
	}
}
