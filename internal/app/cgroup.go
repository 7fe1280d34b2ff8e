package app

import (
	"cmp"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the garbage collector work harder before the kernel kills the process: Go does not look at the
// cgroup by itself. GOMEMLIMIT, whatever it says, is the operator's word.
func limitMemory(root fs.FS, log *slog.Logger) {
	if _, given := os.LookupEnv("GOMEMLIMIT"); given {
		return
	}
	if most := cgroupMemory(root); most > 0 {
		soft := most / 10 * 9 // the rest is for stacks of threads, the kernel's buffers and what comes between two collections
		debug.SetMemoryLimit(soft)
		log.Info("memory is limited by the cgroup", "limit", most, "soft", soft)
	}
}

// cgroupMemory is the least memory limit in bytes of the process's own cgroup and those above it that can be seen, of
// version 2 and 1 alike; 0 if there is none. root is the file system's (proc_pid_cgroup, proc_pid_mountinfo(5)).
func cgroupMemory(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0 // not Linux
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return 0
	}
	var unified, memory string // our path in either hierarchy
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			unified = parts[2]
		case holds(parts[1], "memory"):
			memory = parts[2]
		}
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(mounts)) {
		// 36 35 0:30 ROOT MOUNTPOINT options [tags…] - TYPE source SUPEROPTIONS
		before, after, _ := strings.Cut(strings.TrimSpace(line), " - ")
		mount, kind := strings.Fields(before), strings.Fields(after)
		switch {
		case len(mount) < 5 || len(kind) < 3:
		case kind[0] == "cgroup2":
			least = min(least, leastOf(root, mount[4], below(unified, mount[3]), "memory.max", "memory.high"))
		case kind[0] == "cgroup" && holds(kind[2], "memory"):
			least = min(least, leastOf(root, mount[4], below(memory, mount[3]), "memory.limit_in_bytes"))
		}
	}
	if least > math.MaxInt64/2 { // version 1 writes "none" as the largest number of whole pages
		return 0
	}
	return least
}

// holds reports whether a list such as "rw,memory" has an entry.
func holds(list, entry string) bool { return strings.Contains(","+list+",", ","+entry+",") }

// below is a cgroup's path as seen through a mount of the part of the hierarchy at root; a container may see less than
// its own path, and then sees itself at the top.
func below(group, root string) string {
	rest, found := strings.CutPrefix(group, strings.TrimSuffix(root, "/"))
	if !found || strings.Contains(rest, "..") {
		return "/"
	}
	return cmp.Or(rest, "/")
}

// leastOf reads the limits in a directory of a mount and in all between the two.
func leastOf(root fs.FS, mount, dir string, files ...string) int64 {
	least := int64(math.MaxInt64)
	for dir = path.Clean("/" + dir); ; dir = path.Dir(dir) {
		for _, file := range files {
			text, err := fs.ReadFile(root, strings.TrimPrefix(path.Join(mount, dir, file), "/"))
			if err != nil {
				continue // the root group has none; a controller may be off
			}
			if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
				least = min(least, limit) // "max" is none
			}
		}
		if dir == "/" {
			return least
		}
	}
}
