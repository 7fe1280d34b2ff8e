package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// maxSessions bounds the timelines of a bundle.
const maxSessions = 50

// machineFiles are of the kernel and the system; those of the server's process are added.
var machineFiles = []string{
	"etc/os-release", "proc/version", "proc/loadavg", "proc/meminfo", "proc/net/snmp", "proc/net/softnet_stat",
	"proc/sys/net/core/rmem_max", "proc/sys/net/core/wmem_max", "proc/sys/net/core/netdev_max_backlog",
	"proc/sys/net/ipv4/ip_local_port_range", "proc/pressure/cpu", "proc/pressure/memory",
}

func (h *host) collectMachine(b *bundle) {
	files := machineFiles
	if h.server != 0 {
		for _, name := range []string{"limits", "status", "cgroup"} {
			files = append(files[:len(files):len(files)], fmt.Sprintf("proc/%d/%s", h.server, name))
		}
	}
	var all bytes.Buffer
	fmt.Fprintf(&all, "%s/%s, %d processors\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprintf(&all, "interfaces: %s\n", join(interfaces()))
	for _, name := range files {
		text, err := fs.ReadFile(h.root, name)
		if err != nil {
			text = []byte(err.Error() + "\n")
		}
		fmt.Fprintf(&all, "\n== /%s\n%s", name, text)
	}
	b.add("machine.txt", all.Bytes(), nil)
}

// collectServer asks the running server, and the system's journal about it.
func (h *host) collectServer(ctx context.Context, b *bundle) {
	server, err := h.reach(ctx)
	if err != nil {
		b.add("server", nil, err)
		return
	}
	health, err := server.get(ctx, "/openvidu/api/health")
	b.add("server/health.json", health, err)
	shown, err := server.get(ctx, "/openvidu/api/config")
	b.add("server/config.json", shown, err)
	sessions, err := server.get(ctx, "/openvidu/api/sessions")
	b.add("server/sessions.json", sessions, err)
	for _, id := range sessionIDs(sessions) {
		text, err := server.get(ctx, "/openvidu/api/sessions/"+url.PathEscape(id)+"/timeline")
		b.add("server/timelines/"+url.PathEscape(id)+".json", text, err)
	}
	metrics, err := h.page(ctx, "/metrics")
	b.add("server/metrics.txt", metrics, err)
	goroutines, err := h.page(ctx, "/debug/pprof/goroutine?debug=1")
	b.add("server/goroutines.txt", goroutines, err)
	log, err := h.logFile()
	if err != nil {
		log, err = journal(ctx, h.server)
	}
	b.add("server/log.txt", log, err)
}

// logFile is the end of the file that the server's standard error goes to, if it is one.
func (h *host) logFile() ([]byte, error) {
	links, ok := h.root.(linkReader)
	if !ok {
		return nil, errNoServer
	}
	name, err := links.ReadLink(fmt.Sprintf("proc/%d/fd/2", h.server))
	if err != nil {
		return nil, err
	}
	file, err := h.root.Open(strings.TrimPrefix(name, "/")) // a pipe has no such name
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	end, ok := file.(io.ReadSeeker)
	if !ok || !info.Mode().IsRegular() {
		return nil, errors.New("standard error is no file")
	}
	if cut := info.Size() - maxPage; cut > 0 {
		if _, err := end.Seek(cut, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(end, maxPage))
}

// sessionIDs reads GET /sessions.
func sessionIDs(text []byte) []string {
	var page struct {
		Content []struct {
			ID string `json:"id"`
		} `json:"content"`
	}
	if json.Unmarshal(text, &page) != nil {
		return nil
	}
	var ids []string
	for _, s := range page.Content[:min(len(page.Content), maxSessions)] {
		ids = append(ids, s.ID)
	}
	return ids
}

// journal is the end of what a process has logged, where systemd keeps it.
func journal(ctx context.Context, pid int) ([]byte, error) {
	program, err := exec.LookPath("journalctl")
	if err != nil {
		return nil, errors.New("the log goes where the server's standard error goes; there is no journal here")
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	text, err := exec.CommandContext(ctx, program, "--no-pager", "--quiet", "--output=cat", "--lines=5000", "_PID="+strconv.Itoa(pid)).Output() //nolint:gosec // a number
	if err != nil {
		return nil, fmt.Errorf("journalctl: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return nil, errors.New("the journal has nothing of this process")
	}
	if cut := len(text) - maxPage; cut > 0 {
		text = text[cut:]
	}
	return text, nil
}
