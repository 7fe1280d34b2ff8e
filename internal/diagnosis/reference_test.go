package diagnosis

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the reference page anew")

func TestReferencePageIsCurrent(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "reference", "diagnosis.md")
	if *update {
		if err := os.WriteFile(page, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != Reference() {
		t.Error("docs/reference/diagnosis.md is stale: go test ./internal/diagnosis -run Reference -update")
	}
}

func TestReferenceHasEveryFault(t *testing.T) {
	for _, f := range Catalogue {
		if strings.Count(Reference(), "### `"+string(f.Code)+"`") != 1 {
			t.Errorf("%s is not on the page once", f.Code)
		}
	}
}
