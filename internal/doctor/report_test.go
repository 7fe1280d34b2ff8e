package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
)

func TestTheVerdictOfAll(t *testing.T) {
	warning, failure := faulty(diagnosis.GStreamerMissing, nil), faulty(diagnosis.ClockSkewed, nil)
	for _, c := range []struct {
		checks []Check
		want   Verdict
	}{
		{nil, Fine}, {[]Check{fine("a"), unchecked("b")}, Fine}, {[]Check{fine(), warning}, Warned},
		{[]Check{warning, failure}, Faulty}, {[]Check{failure, warning, fine()}, Faulty},
	} {
		if got := newReport("1", c.checks).Verdict; got != c.want {
			t.Errorf("%v: %s, want %s", c.checks, got, c.want)
		}
	}
}

func TestTheDocument(t *testing.T) {
	c := faulty(diagnosis.DiskLow, values{"free": "1", "size": "2", "folder": "/<d>"})
	c.Name = "disk"
	var out bytes.Buffer
	if err := newReport("0.1.0 (abc)", []Check{c, {Name: "clock", Verdict: Unchecked, Evidence: []string{"offline"}}}).JSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{"version":"0.1.0 (abc)","checks":[{"name":"disk","verdict":"fault","code":"DISK_LOW","severity":"error","evidence":["1 MB free of 2 MB at /<d>."],"fix":"Free space at /<d>, or move the data folder with --data."},{"name":"clock","verdict":"not checked","evidence":["offline"]}],"verdict":"fault"}`
	var got bytes.Buffer
	if err := json.Compact(&got, out.Bytes()); err != nil || got.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got.String(), want)
	}
}

func TestLinesForPeople(t *testing.T) {
	c := faulty(diagnosis.ClockSkewed, values{"seconds": "7.0", "source": "a:123"})
	c.Name = "clock"
	var out bytes.Buffer
	if err := newReport("1", []Check{{Name: "disk", Verdict: Fine, Evidence: []string{"a", "b"}}, c}).Text(&out); err != nil {
		t.Fatal(err)
	}
	want := `disk            ok           a; b
clock           ERROR        7.0 s away from a:123.
                             CLOCK_SKEWED: This machine's clock is wrong
                             Fix: timedatectl set-ntp true
verdict         fault
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

// TestEveryConfigurationErrorIsTold, each with its remedy.
func TestEveryConfigurationErrorIsTold(t *testing.T) {
	h := &host{Options: Options{Broken: errors.Join(fault.New(fault.Invalid, "a:1: x → do y"), fault.New(fault.Invalid, "b:2: z → do\nw"))}}
	c := checkConfiguration(t.Context(), h)
	if c.Code != diagnosis.ConfigInvalid || strings.Join(c.Evidence, "|") != "a:1: x|b:2: z" || c.Fix != "do y; do w" {
		t.Errorf("%+v", c)
	}
	if !newReport("", []Check{c}).Unusable() || newReport("", nil).Unusable() {
		t.Error("unusable is wrong")
	}
}
