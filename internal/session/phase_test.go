package session

import (
	"os"
	"strings"
	"testing"

	"tertulia/internal/fault"
)

// situations bring a world to where a row of the table stands: con_1 publishes, con_2 subscribes.
var situations = map[string][]string{
	"none":        nil,
	"publishing":  {"con_1 publish Offer=o"},
	"published":   {"con_1 publish Offer=o", "media con_1 ok"},
	"lost":        {"con_1 publish Offer=o", "media con_1 ok", "restart"},
	"waiting":     {"con_1 publish Offer=o", "con_2 subscribe Sender=con_1"},
	"negotiating": {"con_1 publish Offer=o", "media con_1 ok", "con_2 subscribe Sender=con_1"},
	"offered":     {"con_1 publish Offer=o", "media con_1 ok", "con_2 subscribe Sender=con_1", "media con_2_str_CAM_1_con_1 ok"},
	"flowing": {"con_1 publish Offer=o", "media con_1 ok", "con_2 subscribe Sender=con_1 Offer=o",
		"media con_2_str_CAM_1_con_1 ok"},
}

// rows are the commands of the table in the documentation of State.Do.
var rows = map[string]string{
	"Publish": "con_1 publish Offer=o", "Unpublish": "con_1 unpublish",
	"Reconnect (own)": "con_1 reconnect Stream=str_CAM_1_con_1 SDP=o",
	"ChangeStream":    "con_1 change Property=audioActive NewValue=false",
	"Candidate (own)": "con_1 candidate Candidate=c",

	"Subscribe": "con_2 subscribe Sender=con_1", "Reconnect (offer)": "con_2 reconnect Stream=str_CAM_1_con_1 SDP=o",
	"ForceUnpublish": "con_2 forceUnpublish Stream=str_CAM_1_con_1", "DeleteStream": "rest deleteStream Stream=str_CAM_1_con_1",

	"AnswerSubscription": "con_2 answer Sender=con_1 SDP=a",
	"Reconnect (answer)": "con_2 reconnect Stream=str_CAM_1_con_1 SDP=a IsAnswer",
	"Unsubscribe":        "con_2 unsubscribe Sender=con_1", "Candidate": "con_2 candidate Endpoint=con_1 Candidate=c",
}

// TestPhases reads the table above State.Do and carries out every cell.
func TestPhases(t *testing.T) {
	cells := 0
	var columns []string
	for _, line := range docTable(t) {
		if name, phases, ok := strings.Cut(line, " is "); ok && strings.HasSuffix(name, "stream") || strings.HasPrefix(line, "the subscription") {
			columns = strings.Fields(phases)
			continue
		}
		for name, command := range rows {
			rest, found := strings.CutPrefix(line, name+"  ")
			if !found {
				continue
			}
			for i, cell := range splitCells(rest) {
				cells++
				t.Run(name+"/"+columns[i], func(t *testing.T) { checkCell(t, columns[i], command, cell) })
			}
		}
	}
	if want := 5*4 + 4*4 + 4*5; cells != want {
		t.Fatalf("the table has %d cells that were tried, want %d", cells, want)
	}
}

func docTable(t *testing.T) []string {
	source, err := os.ReadFile("do.go")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(source)) {
		if row, ok := strings.CutPrefix(line, "//\t"); ok {
			lines = append(lines, strings.TrimSpace(row))
		}
	}
	return lines
}

// splitCells cuts at runs of spaces, or at one after a capitalised kind, which fills its column.
func splitCells(row string) []string {
	var cells []string
	for part := range strings.SplitSeq(row, "  ") {
		switch part = strings.TrimSpace(part); {
		case part == "":
		case strings.HasPrefix(part, "StreamNotFound "):
			cells = append(cells, strings.Fields(part)...)
		default:
			cells = append(cells, part)
		}
	}
	return cells
}

var kinds = map[string]fault.Kind{
	"AlreadyPublishing": fault.AlreadyPublishing, "NotPublishing": fault.NotPublishing,
	"StreamNotFound": fault.StreamNotFound, "SDPInvalid": fault.SDPInvalid,
}

func checkCell(t *testing.T, situation, command, want string) {
	p := &play{world: newWorld(t, Properties{})}
	for _, line := range append([]string{"rest create", "rest create Role=MODERATOR", "join Token=tok_1", "join Token=tok_2"}, situations[situation]...) {
		p.step(line)
	}
	before := len(p.asked)
	got := p.step(command)
	if kind, refused := kinds[want]; refused {
		if r, ok := got[0].(Reply); !ok || !fault.Is(r.Err, kind) {
			t.Fatalf("got %q, want an error of kind %s", show(got), kind)
		}
		return
	}
	told, trickled, after := false, false, "none"
	for _, e := range got {
		n, isNotify := e.(Notify)
		_, changed := n.Notice.(StreamChanged)
		told = told || isNotify && changed
		_, tell := e.(Tell)
		trickled = trickled || tell
		if r, ok := e.(Reply); ok && r.Err != nil && r.To.Request == "3" {
			t.Fatalf("refused: %q", show(got))
		}
	}
	if len(p.asked) > before && strings.Contains(command, " SDP=") {
		p.settle(endpointOf(p.asked[before].Request), nil)
	}
	if owner := p.state.find("con_1"); strings.Contains(command, "con_1 ") && owner.Stream != nil {
		after = string(owner.Stream.Phase)
	}
	if s := p.state.find("con_2").Subscriptions; strings.HasPrefix(command, "con_2") && len(s) > 0 {
		after = string(s[0].Phase)
	}
	checkOutcome(t, want, after, told, trickled, len(p.state.find("con_1").early)+len(p.state.find("con_2").early))
}

func checkOutcome(t *testing.T, want, after string, told, trickled bool, queued int) {
	ok := after == want
	switch want {
	case "negotiating": // its answer has come by now, or it is still asked for
		ok = after == "negotiating" || after == "flowing"
	case "ignored":
		ok = !told && after == "none"
	case "kept":
		ok = !told
	case "kept, told":
		ok = told
	case "queued":
		ok = queued == 1 && !trickled
	case "to the node":
		ok = queued == 0 && trickled
	}
	if !ok {
		t.Fatalf("want %s; now %s, told %v, trickled %v, queued %d", want, after, told, trickled, queued)
	}
}
