package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestRulesBite gives every rule a small tree that breaks it: a rule that finds nothing there guards nothing.
func TestRulesBite(t *testing.T) {
	cases := []struct {
		rule  func([]*source) []finding
		files map[string]string
		want  string // part of the only finding; "" for none
	}{
		{strayImports, map[string]string{"internal/session/a.go": `import "tertulia/internal/media"`}, "session → media"},
		{strayImports, map[string]string{"internal/media/codec/a.go": `import "tertulia/internal/media/forward"`}, "media/codec → media/forward"},
		{strayImports, map[string]string{"internal/app/a.go": `import "tertulia/internal/testkit"`}, "app → testkit"},
		{strayImports, map[string]string{"internal/api/rest/a.go": `import "tertulia/internal/config"`}, "api/rest → config"},
		{strayImports, map[string]string{"internal/novel/a.go": ``}, "no row"},
		{strayImports, map[string]string{"internal/session/a_test.go": `import "tertulia/internal/media"`}, ""},
		{strayImports, map[string]string{"internal/media/peer/a.go": `import "tertulia/internal/media/forward"`}, ""},
		{strayImports, map[string]string{"cmd/tertulia/a.go": `import "tertulia/internal/config"`}, ""},
		{strayParties, map[string]string{"internal/session/a.go": `import "github.com/pion/rtp"`}, "session → github.com/pion/rtp"},
		{strayParties, map[string]string{"internal/fault/a.go": `import "example.org/x"`}, "no home"},
		{strayParties, map[string]string{"internal/media/peer/a.go": `import "github.com/pion/rtp"`}, ""},
		{longFiles, map[string]string{"internal/fault/a.go": strings.Repeat("\n", 601)}, "602 lines"},
		{crowdedTypes, map[string]string{"internal/fault/a.go": "type T[K any] int\n" + many("func (t *T[K]) M%d() {}\n", 21)}, "21 methods"},
		{wideInterfaces, map[string]string{"internal/fault/a.go": "type T interface {\n" + many("M%d()\n", 8) + "}"}, "8 methods"},
		{wideInterfaces, map[string]string{"internal/fault/a.go": "type T interface{}"}, "0 methods"},
		{wideInterfaces, map[string]string{"internal/fault/a.go": "type T interface{ ~int | ~string }"}, ""},
		{strayDocs, map[string]string{"internal/fault/a.go": ""}, "found in: "},
		{strayDocs, map[string]string{"internal/fault/a.go": "", "internal/fault/doc.go": "doc"}, ""},
		{strayDocs, map[string]string{"internal/fault/a.go": "doc", "internal/fault/doc.go": "doc"}, "a.go, doc.go"},
		{strayDocs, map[string]string{"cmd/x/main.go": "doc", "web/embed.go": "doc"}, ""},
		{emptyTypeNames, map[string]string{"internal/fault/a.go": "type CallManager int"}, "CallManager"},
		{emptyTypeNames, map[string]string{"internal/fault/a.go": "func f() { type info int }"}, "fault.info"},
		{sleepers, map[string]string{"internal/fault/a_test.go": "import \"time\"\nfunc f() { time.Sleep(1) }"}, "a_test.go:3"},
		{sleepers, map[string]string{"internal/fault/a_test.go": "import (\n\"time\"\n\"testing/synctest\"\n)\n" +
			"func f() { synctest.Test(nil, func() { time.Sleep(1) }) }"}, ""},
		{sleepers, map[string]string{
			"internal/fault/in_test.go": "import \"testing/synctest\"\nfunc in(f func()) { synctest.Test(nil, f) }",
			"internal/fault/a_test.go":  "import \"time\"\nfunc f() { in(func() { time.Sleep(1) }); out(func() { time.Sleep(1) }) }",
		}, "a_test.go:3"},
		{skippers, map[string]string{"internal/fault/a_test.go": "func f(t T) { t.Skip() }"}, "a_test.go:2"},
		{orphans, map[string]string{"internal/fault/a.go": "func f() { go f() }"}, "waits for none"},
		{orphans, map[string]string{"internal/fault/a.go": "func f() { go f(); <-ctx.Done() }"}, "waits for none"},
		{orphans, map[string]string{"internal/fault/a.go": "func f() { go f(); <-done }"}, ""},
	}
	for _, c := range cases {
		name := strings.Join(slices.Sorted(maps.Keys(c.files)), " ") + " " + c.want
		t.Run(name, func(t *testing.T) {
			found := c.rule(toy(t, c.files))
			if c.want == "" {
				if len(found) > 0 {
					t.Fatalf("found %v in a good tree", found)
				}
				return
			}
			if len(found) != 1 || !strings.Contains(found[0].at+": "+found[0].text, c.want) {
				t.Fatalf("found %v, want one with %q", found, c.want)
			}
		})
	}
}

func TestExceptionsExpire(t *testing.T) {
	found := []finding{{"a", "bad"}, {"b", "bad"}}
	got := judge("r", found, []exception{{"r", "a", "because"}, {"r", "c", "because"}, {"other", "d", "because"}})
	want := []string{"b: bad", "c: the exception from rule r is no longer needed; remove it"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if got := judge("r", found[:1], []exception{{"r", "a", ""}}); len(got) != 1 {
		t.Fatalf("an exception without a reason passed: %q", got)
	}
}

func TestPercentile(t *testing.T) {
	all := []int{5, 1, 4, 2, 3, 6, 9, 8, 7, 10}
	for p, want := range map[int]int{1: 1, 50: 5, 90: 9, 99: 10, 100: 10} {
		if got := percentile(all, p); got != want {
			t.Errorf("percentile(%d) = %d, want %d", p, got, want)
		}
	}
}

// toy makes a tree of files; a body of "doc" stands for a package comment and nothing else.
func toy(t *testing.T, files map[string]string) []*source {
	t.Helper()
	root := fstest.MapFS{}
	for p, body := range files {
		text := "package toy\n" + body
		if body == "doc" {
			text = "// Package toy is a toy.\npackage toy\n"
		}
		root[p] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func many(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
