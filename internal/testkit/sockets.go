package testkit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sockets returns what tells which sockets this process has opened since, and has open. Each has a number of its own, so
// those that are closed meanwhile, by an earlier test or the garbage collector, do not make up for one that is opened.
func Sockets(t *testing.T) (opened func() []string) {
	t.Helper()
	before := openSockets(t)
	return func() (names []string) {
		t.Helper()
		for name := range openSockets(t) {
			if !before[name] {
				names = append(names, name)
			}
		}
		return names
	}
}

// openSockets are named "socket:[inode]".
func openSockets(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	check(t, err)
	open := map[string]bool{}
	for _, file := range files {
		name, err := os.Readlink(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed since, as the folder itself is
		}
		check(t, err)
		if strings.HasPrefix(name, "socket:") {
			open[name] = true
		}
	}
	return open
}
