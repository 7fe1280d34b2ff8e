package rest

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/wire/openvidu"
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

A key of ` + "`API_KEYS`" + ` is another password, of a scope: ` + "`sessions`" + ` may do nothing about the server; ` + "`read`" + ` may change nothing, and sees nothing by which it
could join or act as somebody else: ` + "`token`" + ` is null, credentials of ` + "`customIceServers`" + `, ICE passwords in descriptions and headers of webhooks are
` + "`(hidden)`" + `, and so is all but the host of a webhook's URL.

In bodies, null is the same as absent, and unknown fields are ignored; a body has at most 1 MiB. Answers carry explicit nulls.

`

func referenceRoutes() string {
	var b strings.Builder
	b.WriteString("## Routes\n\nBelow `/openvidu/api`; with `SUPPORT_DEPRECATED_API` below `/api` and `/pro` too, and `/config…` at the root. " +
		"`GET /openvidu/api/openapi.json` is this page for programs.\n\n| method | path | | success | refusals |\n|---|---|---|---|---|\n")
	for i := range routes {
		r := &routes[i]
		notes, where := r.doc, r.pattern
		if r.old {
			where = "/api" + where
		}
		if r.public {
			notes += " Needs no authentication."
		}
		for _, f := range r.flags {
			notes += fmt.Sprintf(" `?%s=`: %s.", f.name, f.doc)
		}
		var refusals []string
		for _, o := range r.refusals() {
			refusals = append(refusals, fmt.Sprintf("%d %s", o.status, strings.Join(o.why, ", ")))
		}
		success := fmt.Sprint(r.success())
		for _, status := range r.also {
			success += fmt.Sprint(", ", status)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", r.method, where, notes, success, strings.Join(refusals, "; "))
	}
	b.WriteString("\nAt the root, without authentication: `GET /livez` (the process answers) and `GET /readyz` (requests can be sent here).\n\n")
	b.WriteString("With authentication, `GET /openvidu/cdr` lists the files of events, and `GET /openvidu/cdr/{file}.log` is one of them; with `SUPPORT_DEPRECATED_API` at `/cdr` too.\n\n")
	return b.String()
}

func referenceBodies() string {
	var b strings.Builder
	b.WriteString("## Bodies\n\n")
	for _, r := range routes {
		if r.takes == nil || r.takes.Free {
			continue
		}
		fmt.Fprintf(&b, "`%s %s`:\n\n| field | | default |\n|---|---|---|\n", r.method, r.pattern)
		writeFields(&b, "", r.takes.Fields)
		b.WriteString("\n")
	}
	return b.String()
}

func writeFields(b *strings.Builder, path string, fields []openvidu.RESTField) {
	for _, f := range fields {
		is := cmp.Or(strings.Join(f.Enum, "`, `"), f.Type)
		if f.Enum != nil {
			is = "`" + is + "`"
		}
		if f.Doc != "" {
			is = strings.TrimPrefix(is+": "+f.Doc, ": ")
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", path, f.Name, is, cmp.Or(f.Default, "must be there"))
		inside := "."
		if f.Type == "array" {
			inside = "[]."
		}
		writeFields(b, path+f.Name+inside, f.Fields)
	}
}

func referenceStatuses() string {
	var b strings.Builder
	b.WriteString("## Refusals\n\nA refusal with a body holds `{timestamp, status, error, message, path}`; the message names the field and the remedy. " +
		"A row may add to these, and any may be refused with 401, 403, 429, 413, 503 or 504. What is not listed is 500. Paths that do not exist are 403, as in OpenVidu 2.32.\n\n| status | when | body |\n|---|---|---|\n")
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
