package machine

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// About is what a figure must be read with.
type About struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Memory int64  `json:"memory_bytes"`
	Kernel string `json:"kernel"`
	System string `json:"system"`
	Go     string `json:"go"`
}

// This describes the machine we run on; what it does not know is "unknown" or 0.
func This() About {
	a := About{CPU: "unknown", CPUs: runtime.NumCPU(), Kernel: "unknown", System: "unknown", Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		a.CPU = after(text, "model name\t:", a.CPU)
	}
	if text, err := os.ReadFile("/etc/os-release"); err == nil {
		a.System = strings.Trim(after(text, "PRETTY_NAME=", a.System), `"`)
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		a.Memory, _ = kibibytes(text, "MemTotal:") // 0 says unknown
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		a.Kernel = fmt.Sprintf("Linux %s %s", unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:]))
	}
	return a
}

// after is the rest of the first line that starts so.
func after(text []byte, start, otherwise string) string {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(start)); ok {
			return string(bytes.TrimSpace(rest))
		}
	}
	return otherwise
}
