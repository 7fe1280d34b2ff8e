package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"tertulia/internal/diagnosis"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts. Of a whole report Unchecked is never one, and Warned says that its faults are all warnings.
const (
	Fine      Verdict = "ok"
	Faulty    Verdict = "fault"
	Unchecked Verdict = "not checked"
	Warned    Verdict = "warning"
)

// Check is the end of one check. It is a stable document: fields are added, never changed.
type Check struct {
	Name     string             `json:"name"`
	Verdict  Verdict            `json:"verdict"`
	Code     diagnosis.Code     `json:"code,omitempty"`     // of a fault
	Severity diagnosis.Severity `json:"severity,omitempty"` // of a fault
	Evidence []string           `json:"evidence"`           // what was seen, or why nothing was
	Fix      string             `json:"fix,omitempty"`
}

// Report is what `doctor --json` prints.
type Report struct {
	Version string  `json:"version"`
	Checks  []Check `json:"checks"`
	Verdict Verdict `json:"verdict"`
}

// newReport adds the verdict of all.
func newReport(version string, checks []Check) Report {
	r := Report{Version: version, Checks: checks, Verdict: Fine}
	for _, c := range checks {
		switch {
		case c.Verdict != Faulty:
		case c.Severity == diagnosis.Error:
			r.Verdict = Faulty
		case r.Verdict == Fine:
			r.Verdict = Warned
		}
	}
	return r
}

// Has reports whether a fault is in it.
func (r Report) Has(code diagnosis.Code) bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Code == code })
}

// Unusable reports whether the server would not start with this configuration.
func (r Report) Unusable() bool { return r.Has(diagnosis.ConfigInvalid) }

// JSON writes the document.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Text writes a line per check for people, and beneath a fault what it means and what to do.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		verdict := string(c.Verdict)
		if c.Verdict == Faulty {
			verdict = strings.ToUpper(string(c.Severity))
		}
		fmt.Fprintf(&b, "%-15s %-12s %s\n", c.Name, verdict, strings.Join(c.Evidence, "; "))
		if c.Verdict == Faulty {
			row, _ := diagnosis.Of(c.Code)
			fix := strings.ReplaceAll(c.Fix, "\n", "\n"+strings.Repeat(" ", 34)) // of several lines: commands to paste
			fmt.Fprintf(&b, "%28s %s: %s\n%28s Fix: %s\n", "", c.Code, row.Title, "", fix)
		}
	}
	fmt.Fprintf(&b, "%-15s %s\n", "verdict", r.Verdict)
	_, err := io.WriteString(w, b.String())
	return err
}

func fine(evidence ...string) Check { return Check{Verdict: Fine, Evidence: evidence} }

func unchecked(why string) Check { return Check{Verdict: Unchecked, Evidence: []string{why}} }

// values fill the words in braces of a catalogue row.
type values map[string]string

// faulty makes a fault out of the catalogue's row. Without evidence it is the row's, filled in too.
func faulty(code diagnosis.Code, v values, evidence ...string) Check {
	row, _ := diagnosis.Of(code)
	if len(evidence) == 0 {
		evidence = []string{v.fill(row.Evidence)}
	}
	return Check{Verdict: Faulty, Code: code, Severity: row.Severity, Evidence: evidence, Fix: v.fill(row.Fix)}
}

func (v values) fill(text string) string {
	var pairs []string
	for _, word := range slices.Sorted(maps.Keys(v)) {
		pairs = append(pairs, "{"+word+"}", v[word])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
