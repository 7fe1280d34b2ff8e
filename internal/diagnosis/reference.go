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
	quality(&b)
	return strings.TrimSuffix(b.String(), "\n")
}

const qualityHead = `## Network quality

With ` + "`OPENVIDU_PRO_NETWORK_QUALITY=true`" + ` every publisher's uplink is judged each ` + "`OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL`" + ` seconds by what came
of its media since the last time, and everybody is told when the level changes (` + "`networkQualityLevelChanged`" + `). The level is the best one
all of whose terms are met:

| level | | loss below | jitter below | round trip below | of its usual frame rate at least |
|---|---|---|---|---|---|
`

const qualityFoot = `| 0 | broken | nothing comes, though something should; or the client's checks have stopped for 12 s; or it does not connect within 10 s | | | |

Of readings that are less than 2 s apart every second counts, or third. Loss is counted before retransmission. Of audio and video the smaller jitter counts. The round trip is known where packets were lost and came again. The usual
frame rate is that which a quarter of the latest 12 readings are above; a screen's does not count. A level below 5 is one less, but not 0, where the video takes less than
a quarter of what its size, its frame rate and its limit let expect. A level is left when two readings in a row say so, to the side of the one that
says less; a fall of two levels, or to 0, counts at once. While nothing is to be expected, because all is muted, the level stays.
`

// quality writes the table that uplinks are judged by.
func quality(b *strings.Builder) {
	b.WriteString(qualityHead)
	last := len(Levels) - 1
	for _, l := range Levels[:last] {
		fmt.Fprintf(b, "| %d | %s | %.0f %% | %d ms | %d ms | %.0f %% |\n", l.Level, l.Name, 100*l.Loss, l.Jitter, l.RTT, 100*l.Pictures)
	}
	fmt.Fprintf(b, "| %d | %s | else, as long as something comes | | | |\n", Levels[last].Level, Levels[last].Name)
	b.WriteString(qualityFoot)
}
