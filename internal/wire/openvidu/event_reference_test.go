package openvidu

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEventsReferencePageIsCurrent compares docs/reference/events.md with the table.
func TestEventsReferencePageIsCurrent(t *testing.T) {
	page := filepath.Join("..", "..", "..", "docs", "reference", "events.md")
	var b strings.Builder
	b.WriteString(eventsHead)
	for _, e := range Events {
		where := "no"
		if e.Default {
			where = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Name, e.Edition, where, e.Doc)
	}
	b.WriteString("\n## As they travel\n\nTimes are Unix milliseconds, durations whole seconds.\n")
	examples := shown()
	for _, e := range Events {
		fmt.Fprintf(&b, "\n### %s\n\n```json\n", e.Name)
		for _, example := range examples[e.Name] {
			text, err := EncodeEvent(e.Name, example.event)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(text, '\n'))
		}
		b.WriteString("```\n")
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(page)
	if err != nil || string(committed) != b.String() {
		t.Errorf("docs/reference/events.md is stale (%v): go test ./internal/wire/openvidu -run Events -update", err)
	}
}

const eventsHead = `# Events

<!-- Generated from internal/wire/openvidu by: go test ./internal/wire/openvidu -run Events -update -->

What happens is told by webhook, in CDR files and by ` + "`GET /openvidu/api/events`" + `; all three carry the same objects, those of OpenVidu 2.

**Numbers.** Each event of a node has a number, one more than the event before. Events are kept on the disk, ` + "`EVENTS_MAX`" + ` of them at
most; the oldest are forgotten first. An event is on the disk some milliseconds after it happened. If the process is killed (not stopped)
within them, it is lost; if the disk takes nothing for so long that 200,000 events, or 64 MiB of them, wait in memory, the oldest of these are lost,
counted (` + "`tertulia_events_total{outcome=\"dropped\"}`" + `) and logged. Calls never wait for any of this.

**Webhook.** ` + "`OPENVIDU_WEBHOOK_ENDPOINT`" + ` gets one POST for each event that ` + "`OPENVIDU_WEBHOOK_EVENTS`" + ` names, one after the other, in the order of
the numbers, with ` + "`OPENVIDU_WEBHOOK_HEADERS`, `Content-Type: application/json`" + ` and two headers of ours:

| header | |
|---|---|
| ` + "`" + EventNumberHeader + "`" + ` | the number; there are gaps where an event was not asked for |
| ` + "`" + EventAttemptHeader + "`" + ` | 1, or more if the receiver may have had it before: compare the number |

| the receiver | what follows |
|---|---|
| answers 2xx | the next event |
| cannot be reached, or does not answer within 10 s | five tries at once, as OpenVidu; then one after 1, 2, 4 … 60 s, for as long as the event is kept |
| answers 408, 429, 502, 503 or 504 | it is not ready: one try after 1, 2, 4 … 60 s, for as long as the event is kept |
| answers another 5xx | two more tries, after 1 and 2 s; then it is logged, and the next event is sent |
| answers anything else | it is logged, and the next event is sent; redirects are not followed |

After a restart it goes on where it was; after a kill, up to a second of events may come again, with the same numbers. What happens while
the webhook is off is not sent later. Any certificate of the receiver is accepted, as OpenVidu does.

**CDR files.** With ` + "`OPENVIDU_CDR=true`, `OPENVIDU_CDR_PATH`" + ` gets ` + "`CDR.<day>_<time of the start>.log`" + `, one for each day and start, one line for each event,
` + "`{\"<name>\":{…}}`" + `, whatever the webhook asks for; ours are left out. 30 files and 20 GB are kept. A full disk costs nothing: lines are written once there is
room. ` + "`GET /openvidu/cdr`" + ` lists the files, ` + "`GET /openvidu/cdr/<file>.log`" + ` is one of them.

**Replay.** ` + "`GET /openvidu/api/events?after=N&limit=M`" + ` answers ` + "`{numberOfElements, content:[{number, event}], oldest, latest}`" + `: the events after number
N, whether the webhook asks for them or not. ` + "`oldest`" + ` above N+1 means that some were forgotten.

| event | of OpenVidu | sent by default | |
|---|---|---|---|
`
