package doctor

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"tertulia/internal/diagnosis"
)

func TestVersionsAreOrdered(t *testing.T) {
	order := []string{"0.1", "0.1.1", "0.2.0-rc1", "0.9", "0.10.0", "1.0 (abc)", "v2", "6.1.55-1-amd64", "6.1.56"}
	for i, a := range order {
		for j, b := range order {
			if older(a, b) != (i < j) {
				t.Errorf("%s older than %s: %v", a, b, older(a, b))
			}
		}
	}
	if older("1.0", "1") || older("1", "1.0") {
		t.Error("1 and 1.0 are the same")
	}
}

func TestKnownIssues(t *testing.T) {
	for name, c := range map[string]struct {
		list    string
		verdict Verdict
		says    string
	}{
		"the release":         {`[{"what":"W.","fix":"F.","versions":{"from":"0.1","before":"0.2"}}]`, Faulty, "W. Version 0.1.0 (test); everywhere."},
		"an older release":    {`[{"what":"W.","versions":{"before":"0.1.0"}}]`, Fine, "none of the 1"},
		"a later release":     {`[{"what":"W.","versions":{"from":"0.1.1"}}]`, Fine, ""},
		"this system":         {`[{"what":"W.","os":"linux","kernel":{"from":"6.1","before":"6.2"}}]`, Faulty, "kernel 6.1.55-1-amd64"},
		"another kernel":      {`[{"what":"W.","kernel":{"from":"6.2"}}]`, Fine, ""},
		"another system":      {`[{"what":"W.","os":"plan9"}]`, Fine, ""},
		"another processor":   {`[{"what":"W.","arch":"mips"}]`, Fine, ""},
		"a setting":           {`[{"what":"W.","settings":{"CALL_PAGE":"all"}}]`, Faulty, "CALL_PAGE=all"},
		"a default":           {`[{"what":"W.","settings":{"LOG_FORMAT":"text"}}]`, Faulty, "LOG_FORMAT=text"},
		"another value":       {`[{"what":"W.","settings":{"CALL_PAGE":"all","LOG_FORMAT":"json"}}]`, Fine, ""},
		"two":                 {`[{"what":"W1.","fix":"F1."},{"what":"W2.","fix":"F2."}]`, Faulty, "F1. F2."},
		"no list":             {`{"what":"W."}`, Unchecked, "not a list of issues"},
		"nothing that is met": {`[]`, Fine, "none of the 0"},
	} {
		h := hostOf(t, "--call-page=all")
		h.root = fstest.MapFS{"proc/sys/kernel/osrelease": {Data: []byte("6.1.55-1-amd64\n")}}
		h.KnownIssues = filepath.Join(t.TempDir(), "issues.json")
		if err := os.WriteFile(h.KnownIssues, []byte(c.list), 0o600); err != nil {
			t.Fatal(err)
		}
		code := diagnosis.Code("")
		if c.verdict == Faulty {
			code = diagnosis.KnownIssue
		}
		t.Run(name, func(t *testing.T) { want(t, checkKnownIssues(t.Context(), h), c.verdict, code, c.says) })
	}
	h := hostOf(t)
	h.KnownIssues = "/nothing/here"
	want(t, checkKnownIssues(t.Context(), h), Unchecked, "", "cannot be read")
}

// TestTheListInside can be read; an entry says what and what to do.
func TestTheListInside(t *testing.T) {
	list, err := readIssues("")
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.What == "" || i.Fix == "" || i.Versions == (span{}) {
			t.Errorf("%+v", i)
		}
	}
}
