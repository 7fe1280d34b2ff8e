package doctor

import (
	"context"
	_ "embed" // known_issues.json
	"encoding/json"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"tertulia/internal/config"
	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
)

// The list that this version was released with. It may be empty.
//
//go:embed known_issues.json
var knownIssues []byte

// issue is an entry of the list. It holds where every condition that it names does.
type issue struct {
	What     string            `json:"what"`
	Fix      string            `json:"fix"`
	Versions span              `json:"versions"` // of this program
	OS       string            `json:"os"`       // GOOS, "" for any
	Arch     string            `json:"arch"`     // GOARCH, "" for any
	Kernel   span              `json:"kernel"`
	Settings map[string]string `json:"settings"` // these values, or defaults
}

// span is from a version on, and before another; "" is unbounded.
type span struct {
	From   string `json:"from"`
	Before string `json:"before"`
}

// checkKnownIssues compares this host with the list.
func checkKnownIssues(_ context.Context, h *host) Check {
	list, err := readIssues(h.KnownIssues)
	if err != nil {
		return unchecked(err.Error())
	}
	var evidence, fixes []string
	row, _ := diagnosis.Of(diagnosis.KnownIssue)
	for _, i := range list {
		if condition, here := i.here(h); here {
			v := values{"version": h.Version, "condition": condition}
			evidence = append(evidence, i.What+" "+v.fill(row.Evidence))
			fixes = append(fixes, i.Fix)
		}
	}
	if len(evidence) > 0 {
		return faulty(diagnosis.KnownIssue, values{"remedy": strings.Join(fixes, " ")}, evidence...)
	}
	return fine("none of the " + strconv.Itoa(len(list)) + " on the list is met here")
}

func readIssues(file string) ([]issue, error) {
	text := knownIssues
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "--known-issues=%s: it cannot be read → name a JSON file", file)
		}
	}
	var list []issue
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "--known-issues=%s: it is not a list of issues → write an array of {what, fix, versions, os, arch, kernel, settings}", file)
	}
	return list, nil
}

// here reports whether an issue concerns this host, and by which of its conditions.
func (i issue) here(h *host) (condition string, ok bool) {
	version, _, _ := strings.Cut(h.Version, " ")
	var met []string
	if !i.Versions.holds(version) || i.OS != "" && i.OS != runtime.GOOS || i.Arch != "" && i.Arch != runtime.GOARCH {
		return "", false
	}
	if i.OS+i.Arch != "" {
		met = append(met, runtime.GOOS+"/"+runtime.GOARCH)
	}
	if i.Kernel != (span{}) {
		kernel := kernelRelease(h.root)
		if kernel == "" || !i.Kernel.holds(kernel) {
			return "", false
		}
		met = append(met, "kernel "+kernel)
	}
	for _, s := range config.Settings() {
		if want, named := i.Settings[s.Name]; named {
			if h.Config.Value(s) != want {
				return "", false
			}
			met = append(met, s.Name+"="+want)
		}
	}
	if len(met) == 0 {
		met = []string{"everywhere"}
	}
	return strings.Join(met, ", "), true
}

func kernelRelease(root fs.FS) string {
	text, err := fs.ReadFile(root, "proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (s span) holds(version string) bool {
	return (s.From == "" || !older(version, s.From)) && (s.Before == "" || older(version, s.Before))
}

// older compares the numbers of versions: 1.9 is older than 1.10, 6.1 than 6.1.1-amd64.
func older(a, b string) bool {
	x, y := numbers(a), numbers(b)
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			m = x[i]
		}
		if i < len(y) {
			n = y[i]
		}
		if m != n {
			return m < n
		}
	}
	return false
}

// numbers are the leading ones of a version: "6.1.2-amd64" is 6, 1, 2.
func numbers(version string) []int {
	var list []int
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		digits := part
		if end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = part[:end]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		list = append(list, n)
		if digits != part {
			break
		}
	}
	return list
}
