package cdr

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
)

// show is all files of a folder.
func show(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v\nwant %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A day has a file, named for the time of the start; an event has a line.
func TestAFileForEachDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "made", "cdr")
		w := New(Options{})
		defer w.Close()
		equal(t, "off", first(w.Wanted()), false)
		must(t, w.Adopt(folder))
		equal(t, "on", first(w.Wanted()), true)
		day := time.Now()
		began := day.Format("15-04-05")
		name := func() string { return "CDR." + time.Now().Format("2006-01-02") + "_" + began + ".log" }
		monday := name()
		equal(t, "before the first event", show(t, folder), map[string]string{monday: ""})
		w.Take(t.Context(), 1, "sessionCreated", []byte(`{"sessionId":"a","timestamp":1,"event":"sessionCreated"}`))
		w.Take(t.Context(), 2, "diagnosis", []byte(`{"timestamp":2,"event":"diagnosis"}`)) // not OpenVidu's
		w.Take(t.Context(), 3, "signalSent", []byte(`{"sessionId":"a","data":",\"event\":\"signalSent\"}","event":"signalSent"}`))
		time.Sleep(25 * time.Hour)
		tuesday := name()
		w.Take(t.Context(), 4, "sessionDestroyed", []byte(`{"sessionId":"a","event":"sessionDestroyed"}`))
		equal(t, "files", show(t, folder), map[string]string{
			monday: `{"sessionCreated":{"sessionId":"a","timestamp":1}}` + "\n" +
				`{"signalSent":{"sessionId":"a","data":",\"event\":\"signalSent\"}"}}` + "\n",
			tuesday: `{"sessionDestroyed":{"sessionId":"a"}}` + "\n",
		})
		equal(t, "stats", w.Stats(), Stats{Written: 3})
	})
}

func first(wanted bool, _ <-chan struct{}) bool { return wanted }

func TestTheOldestAreDeleted(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		left    int
	}{
		"by number": {Options{KeepFiles: 3}, 3},
		"by size":   {Options{KeepBytes: 250}, 3}, // two of 100 bytes and that of today
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for day := range 5 {
				must(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("CDR.2020-01-%02d_10-00-00.log", day+1)), make([]byte, 100), 0o600))
			}
			foreign := []string{"CDR.old.log", "aaa.log", "CDR.2020-01-01_10-00-00.log.gz"}
			for _, other := range foreign {
				must(t, os.WriteFile(filepath.Join(folder, other), nil, 0o600))
			}
			w := New(c.options)
			defer w.Close()
			must(t, w.Adopt(folder))
			left := show(t, folder)
			equal(t, "left", len(left), c.left+len(foreign))
			for _, name := range append(foreign, "CDR.2020-01-05_10-00-00.log", "CDR.2020-01-04_10-00-00.log") {
				if _, ok := left[name]; !ok {
					t.Errorf("%s was deleted", name)
				}
			}
		})
	}
}

// A server that cannot stay up makes a file with each start, and nothing is deleted for their sake.
func TestStartsWithoutEventsDeleteNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		old := "CDR.1999-12-01_10-00-00.log"
		must(t, os.WriteFile(filepath.Join(folder, old), []byte("{}\n"), 0o600))
		for range 50 {
			w := New(Options{})
			must(t, w.Adopt(folder))
			w.Close()
			time.Sleep(time.Second)
		}
		left := show(t, folder)
		if _, ok := left[old]; !ok || len(left) != 2 {
			t.Errorf("left %v", left)
		}
	})
}

func TestAnotherFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, w := t.TempDir(), t.TempDir(), New(Options{})
		defer w.Close()
		must(t, w.Adopt(one))
		w.Take(t.Context(), 1, "sessionCreated", []byte(`{"a":1,"event":"sessionCreated"}`))
		must(t, w.Adopt(two))
		w.Take(t.Context(), 2, "sessionCreated", []byte(`{"a":2,"event":"sessionCreated"}`))
		file := filepath.Join(one, "file")
		must(t, os.WriteFile(file, nil, 0o600))
		if err := w.Adopt(filepath.Join(file, "cdr")); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "OPENVIDU_CDR_PATH") {
			t.Errorf("a folder that cannot be: %v", err)
		}
		equal(t, "it goes on as before", w.Folder(), two)
		w.Take(t.Context(), 3, "sessionCreated", []byte(`{"a":3,"event":"sessionCreated"}`))
		must(t, w.Adopt(""))
		w.Take(t.Context(), 4, "sessionCreated", []byte(`{"a":4,"event":"sessionCreated"}`))
		name := "CDR." + time.Now().Format("2006-01-02_15-04-05") + ".log"
		equal(t, "one", show(t, one)[name], `{"sessionCreated":{"a":1}}`+"\n")
		equal(t, "two", show(t, two)[name], `{"sessionCreated":{"a":2}}`+"\n"+`{"sessionCreated":{"a":3}}`+"\n")
	})
}

// A disk that takes nothing costs no event: the writer waits for it.
func TestADiskThatIsFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		folder, log := t.TempDir(), &bytes.Buffer{}
		w := New(Options{Log: slog.New(slog.NewTextHandler(log, nil))})
		defer w.Close()
		must(t, w.Adopt(folder))
		w.Close()
		w.file = full
		if !w.Take(t.Context(), 1, "sessionCreated", []byte(`{"a":1,"event":"sessionCreated"}`)) {
			t.Error("not taken")
		}
		for _, text := range show(t, folder) {
			equal(t, "file", text, `{"sessionCreated":{"a":1}}`+"\n")
		}
		equal(t, "stats", w.Stats(), Stats{Written: 1, Failed: 1})
		if !strings.Contains(log.String(), "no space left") || !strings.Contains(log.String(), "written again") {
			t.Errorf("the log says %s", log)
		}

		must(t, os.RemoveAll(folder))
		must(t, os.WriteFile(folder, nil, 0o600)) // no folder can be made there
		w.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if w.Take(ctx, 2, "sessionCreated", []byte(`{"a":2,"event":"sessionCreated"}`)) {
			t.Error("an event that was not written counts as taken")
		}
	})
}
