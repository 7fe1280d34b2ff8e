package diagnosis_test

import (
	"regexp"
	"testing"

	"tertulia/internal/diagnosis"
)

var word = regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)

func TestTheCatalogueIsWhole(t *testing.T) {
	scopes, seen := map[diagnosis.Scope]int{}, map[diagnosis.Code]bool{}
	for _, f := range diagnosis.Catalogue {
		if !word.MatchString(string(f.Code)) || seen[f.Code] {
			t.Errorf("code %q is no word of its own", f.Code)
		}
		seen[f.Code] = true
		scopes[f.Scope]++
		for name, text := range map[string]string{
			"side": string(f.Side), "severity": string(f.Severity), "title": f.Title, "meaning": f.Meaning, "evidence": f.Evidence,
			"fix": f.Fix, "reproduce": f.Reproduce,
		} {
			if text == "" {
				t.Errorf("%s has no %s", f.Code, name)
			}
		}
		if got, ok := diagnosis.Of(f.Code); !ok || got.Title != f.Title {
			t.Errorf("Of(%s) is %v, %v", f.Code, got, ok)
		}
	}
	if scopes[diagnosis.InCall] != 25 || scopes[diagnosis.OnHost] != 13 {
		t.Errorf("the catalogue has %v, want 25 faults of calls and 13 of hosts", scopes)
	}
	if _, ok := diagnosis.Of("NOTHING"); ok {
		t.Error("an unknown code has a row")
	}
}
