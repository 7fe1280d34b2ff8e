package diagnosis

import (
	"fmt"
	"strings"
)

const referenceHead = `# Diagnosis

<!-- Generated from internal/diagnosis/catalogue.go by: go test ./internal/diagnosis -run Reference -update -->

When media does not flow, or will not for long, the server says why: in its log, on the timeline of the session
(` + "`GET /openvidu/api/sessions/{id}/timeline`" + `) and in the diagnosis of the connection
(` + "`GET /openvidu/api/sessions/{id}/connection/{connectionId}/diagnosis`" + `). Each record has a code of this page, the side that must act,
the evidence with what was measured, and what to do. It is open until the cause is gone; then ` + "`ended`" + ` says when.

Severity is what people notice: **error**: somebody cannot see or hear somebody; **warning**: it will come to that, or it is bad;
**notice**: mended or made up for. A candidate that fails beside media that flows is nothing. Muted tracks are no fault.

Words in braces are filled in.

`

// scopeTitles are in the order of the page.
var scopeTitles = []struct {
	scope Scope
	title string
}{
	{InCall, "Faults of calls"},
	{OnHost, "Faults of the machine, found by `tertulia doctor`"},
	{OnPage, "Faults of pages, told by the pages we serve"},
	{InUse, "Faults of use, told by the requests that come"},
}

// Reference is the page docs/reference/diagnosis.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range scopeTitles {
		fmt.Fprintf(&b, "## %s\n\n| code | severity | side | |\n|---|---|---|---|\n", s.title)
		for _, f := range Catalogue {
			if f.Scope == s.scope {
				fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", f.Code, strings.ToLower(string(f.Code)), f.Severity, f.Side, f.Title)
			}
		}
		for _, f := range Catalogue {
			if f.Scope == s.scope {
				fmt.Fprintf(&b, "\n### `%s`\n\n%s.\n\n%s\n\n- Told by: %s\n- What to do: %s\n- To see it: %s\n",
					f.Code, strings.TrimSuffix(f.Title, "."), f.Meaning, f.Evidence, f.Fix, f.Reproduce)
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
