package doctor

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"tertulia/internal/diagnosis"
)

// enoughFiles is for some 2,000 participants; what systems give without being asked is 4,096 or far more.
const enoughFiles = 4096

// checkFiles looks at the hard limit, which the server raises its own to: the running server's, or else that of this shell.
func checkFiles(_ context.Context, h *host) Check {
	limit, whose := ownFileLimit(), "this shell"
	used := 0
	if h.server != 0 {
		if n, ok := fileLimit(h.root, h.server); ok {
			limit, whose = n, fmt.Sprintf("the running server (process %d)", h.server)
		}
		entries, _ := fs.ReadDir(h.root, fmt.Sprintf("proc/%d/fd", h.server)) // unreadable: not counted
		used = len(entries)
	}
	if limit == 0 {
		return unchecked("this system does not tell its limit")
	}
	if limit >= enoughFiles && uint64(used) < limit/10*9 {
		return fine(fmt.Sprintf("%d for %s, %d used", limit, whose, used))
	}
	return faulty(diagnosis.FDLimit, values{"limit": fmt.Sprint(limit, " for ", whose), "used": strconv.Itoa(used)})
}

func ownFileLimit() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return l.Max
}

// fileLimit reads the hard limit of another process from /proc/PID/limits.
func fileLimit(root fs.FS, pid int) (uint64, bool) {
	text, err := fs.ReadFile(root, fmt.Sprintf("proc/%d/limits", pid))
	if err != nil {
		return 0, false
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "Max open files"); ok {
			if f := strings.Fields(rest); len(f) > 1 {
				n, err := strconv.ParseUint(f[1], 10, 64)
				return n, err == nil
			}
		}
	}
	return 0, false
}
