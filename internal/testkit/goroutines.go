package testkit

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// NoGoroutines waits until no goroutine has one of the words in its stack, "internal/turn.(*" for one that a package's
// own types run or have started. A number of goroutines would depend on what earlier tests have left to end.
func NoGoroutines(t *testing.T, words ...string) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	late := time.After(30 * time.Second)
	for {
		left := goroutines(words)
		if len(left) == 0 {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
		}
	}
}

// goroutines are the stacks that have one of the words.
func goroutines(words []string) (found []string) {
	text := make([]byte, 1<<16)
	n := runtime.Stack(text, true)
	for ; n == len(text); n = runtime.Stack(text, true) {
		text = make([]byte, 2*len(text))
	}
	for stack := range strings.SplitSeq(string(text[:n]), "\n\n") {
		for _, word := range words {
			if strings.Contains(stack, word) {
				found = append(found, stack)
				break
			}
		}
	}
	return found
}
