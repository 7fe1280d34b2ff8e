package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistoryHidesSecretsAndIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range maxVersions + 5 {
		if _, err := Keep(dir, "start", fmt.Appendf(nil, "OPENVIDU_SECRET=s%d\nOPENVIDU_PRO_AWS_SECRET_KEY=k%d\nLOG_LEVEL=info\n", i, i)); err != nil {
			t.Fatal(err)
		}
	}
	same := Latest(dir)
	if again, err := Keep(dir, "start", []byte(same.Text)); err != nil || again.Number != same.Number {
		t.Errorf("the same text is version %d after %d, %v", again.Number, same.Number, err)
	}
	list, err := History(dir)
	if err != nil || len(list) != maxVersions || list[0].Number != 6 || list[len(list)-1].Number != maxVersions+5 {
		t.Fatalf("%d versions, %v", len(list), err)
	}
	if got := fmt.Sprint(list[3].Changes); got != `[OPENVIDU_SECRET: "(hidden)" → "(hidden)" OPENVIDU_PRO_AWS_SECRET_KEY: "(hidden)" → "(hidden)"]` {
		t.Errorf("changes %s", got)
	}
	file := filepath.Join(dir, "config", "000006.json")
	stat, err := os.Stat(file)
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", stat, err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := History(dir); err != nil || len(list) != maxVersions-1 {
		t.Errorf("with one that is damaged there are %d, %v", len(list), err)
	}
}

// TestENT_19__UndoGoesBackOneStep: an edit first, then a version.
func TestENT_19__UndoGoesBackOneStep(t *testing.T) {
	dir := t.TempDir()
	put := func(text string) {
		t.Helper()
		if err := Put(dir, "cli me", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	undo := func(want string) {
		t.Helper()
		v, err := Undo(dir, "cli me")
		text, _ := os.ReadFile(filepath.Join(dir, ".env"))
		if err != nil || string(text) != want || v.Text != want || Latest(dir).Text != want {
			t.Errorf("undone to %q, version %+v, %v; want %q", text, v, err, want)
		}
	}
	if _, err := Undo(dir, "cli me"); err == nil || !strings.Contains(err.Error(), "no earlier version") {
		t.Errorf("nothing to undo: %v", err)
	}
	put("LOG_LEVEL=info\n")
	put("LOG_LEVEL=warn\n")
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("LOG_LEVEL=loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	undo("LOG_LEVEL=warn\n")
	undo("LOG_LEVEL=info\n")
	undo("LOG_LEVEL=warn\n") // what was undone is a version too
}
