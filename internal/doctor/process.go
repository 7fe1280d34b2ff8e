package doctor

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// process is one that has something of ours.
type process struct {
	pid     int
	command string
}

func (p process) String() string { return fmt.Sprintf("process %d (%s)", p.pid, p.command) }

// linkReader is what os.DirFS can beside fs.FS.
type linkReader interface {
	ReadLink(name string) (string, error)
}

// holder returns the process that has the data folder, by the lock file it keeps open; 0 if there is none, or none that
// this user may look at.
func holder(root fs.FS, data string) int {
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real
	}
	lock := filepath.Join(data, "lock")
	ours, err := os.Stat(lock)
	if err != nil {
		return 0
	}
	// In another mount namespace the same name is another file; whoever has that is not to be sent our secret.
	return opener(root, lock, func(fd string) bool {
		held, err := fs.Stat(root, fd)
		return err == nil && os.SameFile(held, ours)
	})
}

// opener returns the first process with a descriptor that leads to target and is the right one.
func opener(root fs.FS, target string, right func(fd string) bool) int {
	links, ok := root.(linkReader)
	if !ok {
		return 0
	}
	fds, _ := fs.Glob(root, "proc/[0-9]*/fd") // the pattern is right
	for _, dir := range fds {
		entries, err := fs.ReadDir(root, dir)
		if err != nil {
			continue // another user's
		}
		for _, e := range entries {
			fd := path.Join(dir, e.Name())
			if link, err := links.ReadLink(fd); err == nil && link == target && right(fd) {
				pid, _ := strconv.Atoi(strings.Split(dir, "/")[1])
				return pid
			}
		}
	}
	return 0
}

func anyOne(string) bool { return true }

// listener returns the process that listens on a port of "tcp" or "udp"; ok is false if it cannot be told.
func listener(root fs.FS, network string, port int) (p process, ok bool) {
	for _, table := range []string{network, network + "6"} {
		for _, inode := range inodes(root, table, port) {
			if pid := opener(root, "socket:["+inode+"]", anyOne); pid != 0 {
				return process{pid, command(root, pid)}, true
			}
		}
	}
	return process{}, false
}

// inodes are the sockets bound to a port in /proc/net/tcp, tcp6, udp or udp6.
func inodes(root fs.FS, table string, port int) []string {
	var list []string
	for _, s := range bound(root, table) {
		if s.port == port {
			list = append(list, s.inode)
		}
	}
	return list
}

// boundSocket is one that waits for whoever comes.
type boundSocket struct {
	port       int
	everywhere bool // on every address
	inode      string
}

// bound reads a table of proc(5).
func bound(root fs.FS, table string) []boundSocket {
	file, err := root.Open("proc/net/" + table)
	if err != nil {
		return nil
	}
	defer file.Close()
	const listening, unconnected = "0A", "07"
	var list []boundSocket
	for lines := bufio.NewScanner(file); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || (f[3] != listening && f[3] != unconnected) {
			continue
		}
		address, hex, _ := strings.Cut(f[1], ":")
		if port, err := strconv.ParseUint(hex, 16, 16); err == nil {
			list = append(list, boundSocket{int(port), strings.Trim(address, "0") == "", f[9]})
		}
	}
	return list
}

// command is the program of a process and what follows it, short: not every argument is for every eye.
func command(root fs.FS, pid int) string {
	name, err := fs.ReadFile(root, fmt.Sprintf("proc/%d/comm", pid))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(name))
}
