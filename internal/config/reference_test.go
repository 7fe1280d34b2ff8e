package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the reference page anew")

func TestReferencePageIsCurrent(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "reference", "configuration.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != Reference() {
		t.Error("docs/reference/configuration.md is stale: go test ./internal/config -run Reference -update")
	}
}

func TestTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings() {
		if s.Doc == "" || s.Type() == "" || s.want == "" || s.set == nil || seen[s.Name] {
			t.Errorf("%s: the row is incomplete or there twice", s.Name)
		}
		seen[s.Name] = true
		if Planned(s.Name) != "" || Without(s.Name) != "" {
			t.Errorf("%s is both built and not built", s.Name)
		}
		if !strings.Contains(Usage(), s.Flag()) {
			t.Errorf("%s is not in the help text", s.Name)
		}
		if s.Default != "" {
			if err := s.set(new(Config), s.Default); err != nil {
				t.Errorf("%s: the default is refused: %v", s.Name, err)
			}
		}
	}
}
