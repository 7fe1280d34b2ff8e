package netlab

import (
	"testing"
	"time"
)

// await asks until ok says so; nothing else tells when a foreign process or the kernel has come so far.
func await(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(within); ; {
		if ok() {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// hold asks for a time and fails as soon as ok does not say so.
func hold(t testing.TB, during time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(during); ; {
		if !ok() {
			t.Fatal("no longer so: " + what)
		}
		select {
		case <-tick.C:
		case <-end:
			return
		}
	}
}
