//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tertulia/internal/diagnosis"
	"tertulia/internal/doctor"
)

// seed is one fault of a host, made as it comes to be.
type seed struct {
	dotenv string            // settings; of two lines for one setting the last counts
	files  map[string]string // of the data folder
	hosts  string            // lines of /etc/hosts
	sysctl map[string]string // below /proc/sys
	limit  int               // ulimit -Hn
	disk   string            // size of the file system under the data folder
	bare   bool              // no GStreamer
	args   []string
	tells  string // in the evidence
	fix    string // in the fix
}

// script runs the program, "$@", on a machine that is seeded: mounts are private to it.
const script = `set -e
mount --bind "$LAB/resolv.conf" /etc/resolv.conf
mount --bind "$LAB/hosts" /etc/hosts
if [ -n "$DISK" ]; then mkdir "$LAB/settings"; cp -a "$DATA/." "$LAB/settings"; mount -t tmpfs -o size=$DISK tmpfs "$DATA"; cp -a "$LAB/settings/." "$DATA"; fi
for file in "$LAB"/sysctl/*; do [ -e "$file" ] || continue; mount --bind "$file" "/proc/sys/$(basename "$file" | tr . /)"; done
if [ -n "$LIMIT" ]; then ulimit -n $LIMIT; fi
PATH="$LAB/bin:$PATH" exec "$@"
`

// TestKMS_01__TwelveSeededFaults: the doctor names exactly what is wrong with a host, each fault alone and all of them
// together, and nothing where nothing is.
func TestKMS_01__TwelveSeededFaults(t *testing.T) {
	if !lab(t) {
		return
	}
	serveNames(t, "127.0.0.1:53", map[string][4]byte{"call.lab.test.": {198, 51, 100, 7}, "moved.lab.test.": {203, 0, 113, 50}})
	serveTime(t, "127.0.0.1:1231", 0)
	serveTime(t, "127.0.0.1:1232", 2*time.Minute)
	taken, err := net.Listen("tcp", ":4444")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ca := newAuthority(t)
	coturn(t, ca.owncert(time.Now().AddDate(0, 1, 0), ourAddress)) // it answers STUN too
	issues := filepath.Join(t.TempDir(), "issues.json")
	if err := os.WriteFile(issues, []byte(`[{"what":"It is seeded.","fix":"Upgrade.","versions":{"before":"99"},"settings":{"DOMAIN_OR_PUBLIC_IP":"call.lab.test"}},
		{"what":"It is seeded.","fix":"Upgrade.","versions":{"before":"99"},"settings":{"DOMAIN_OR_PUBLIC_IP":"moved.lab.test"}},
		{"what":"It was mended.","fix":"None.","versions":{"before":"0.0.1"}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	names := []string{"call.lab.test", "moved.lab.test"}
	healthy := seed{
		dotenv: `DOMAIN_OR_PUBLIC_IP=call.lab.test
CERTIFICATE_TYPE=owncert
STUN_SERVERS=` + ourAddress + `:3478
NTP_SERVERS=127.0.0.1:1231
OPENVIDU_WEBRTC_ICE_SERVERS=["url=turn:` + ourAddress + `:3478,staticAuthSecret=right"]
`,
		files:  ca.owncert(time.Now().AddDate(0, 1, 15), names...),
		sysctl: map[string]string{"net.core.rmem_max": "8388608", "net.core.wmem_max": "8388608"},
	}
	seeds := map[diagnosis.Code]seed{
		diagnosis.ConfigInvalid:      {dotenv: "CALL_PAGE=maybe\n", tells: ".env:6: CALL_PAGE=maybe: unknown value", fix: "write one of off, local, all"},
		diagnosis.PortTaken:          {dotenv: "HTTPS_PORT=4444\n", tells: fmt.Sprintf("Process %d (%s) listens on 4444/tcp", os.Getpid(), comm(t)), fix: fmt.Sprintf("kill %d", os.Getpid())},
		diagnosis.AddressWrong:       {hosts: "203.0.113.99 call.lab.test moved.lab.test\n", tells: "203.0.113.99", fix: "DOMAIN_OR_PUBLIC_IP=" + ourAddress},
		diagnosis.DNSMismatch:        {dotenv: "DOMAIN_OR_PUBLIC_IP=moved.lab.test\n", tells: "moved.lab.test resolves to 203.0.113.50; this machine is " + ourAddress, fix: "record of moved.lab.test to " + ourAddress},
		diagnosis.CertificateInvalid: {files: ca.owncert(time.Now().AddDate(0, 0, -3), names...), tells: time.Now().AddDate(0, 0, -3).UTC().Format(time.DateOnly)},
		diagnosis.ClockSkewed:        {dotenv: "NTP_SERVERS=127.0.0.1:1232\n", tells: "120.0 s away from 127.0.0.1:1232", fix: "set-ntp true"},
		diagnosis.TURNFaulty:         {dotenv: `OPENVIDU_WEBRTC_ICE_SERVERS=["url=turn:` + ourAddress + `:3478,staticAuthSecret=wrong"]` + "\n", tells: "TURN_SECRET_WRONG", fix: "same secret on both sides"},
		diagnosis.FDLimit:            {limit: 256, tells: "Limit 256", fix: "LimitNOFILE=65536"},
		diagnosis.DiskLow:            {disk: "64m", tells: "MB free of 67 MB at ", fix: "Free space at "},
		diagnosis.KernelBuffersSmall: {sysctl: map[string]string{"net.core.rmem_max": "212992"}, tells: "net.core.rmem_max=212992, net.core.wmem_max=8388608", fix: "sysctl -w net.core.rmem_max=8388608"},
		diagnosis.GStreamerMissing:   {bare: true, tells: "gst-inspect-1.0", fix: "gstreamer1.0-plugins-ugly"},
		diagnosis.KnownIssue:         {args: []string{"--known-issues", issues}, tells: "It is seeded.", fix: "Upgrade."},
	}
	if rows := hostFaults(); !slices.Equal(rows, slices.Sorted(maps.Keys(seeds))) {
		t.Fatalf("the catalogue has %v, seeded are %v", rows, slices.Sorted(maps.Keys(seeds)))
	}
	all := healthy
	for _, code := range slices.Sorted(maps.Keys(seeds)) {
		all = all.with(seeds[code])
	}
	t.Run("none", func(t *testing.T) { healthy.examined(t, ca) })
	t.Run("all", func(t *testing.T) { all.examined(t, ca, slices.Sorted(maps.Keys(seeds))...) })
	for code, s := range seeds {
		t.Run(string(code), func(t *testing.T) {
			found := healthy.with(s).examined(t, ca, code)
			if text := strings.Join(found[code].Evidence, "\n"); !strings.Contains(text, s.tells) || !strings.Contains(found[code].Fix, s.fix) {
				t.Errorf("told by %q, fixed by %q; want %q and %q", text, found[code].Fix, s.tells, s.fix)
			}
		})
	}
	t.Run("an address that is another's", func(t *testing.T) {
		s := seed{dotenv: "DOMAIN_OR_PUBLIC_IP=203.0.113.99\n", files: ca.owncert(time.Now().AddDate(0, 1, 0), "203.0.113.99")}
		found := healthy.with(s).examined(t, ca, diagnosis.AddressWrong)
		if fix := found[diagnosis.AddressWrong].Fix; fix != "Set DOMAIN_OR_PUBLIC_IP="+ourAddress+"." {
			t.Error(fix)
		}
	})
}

// TestTheCloudKnowsTheAddress of a machine behind 1:1 NAT, where no STUN server answers.
func TestTheCloudKnowsTheAddress(t *testing.T) {
	if !lab(t) {
		return
	}
	data := t.TempDir()
	write(t, data, map[string]string{".env": "DOMAIN_OR_PUBLIC_IP=203.0.113.8\nSTUN_SERVERS=127.0.0.1:1\n"})
	address := func() doctor.Check {
		_, out, errs := ended(t, program(t, nil, "doctor", "--json", "--data="+data, "--ntp-servers=127.0.0.1:1"))
		var report doctor.Report
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%v in %s%s", err, out, errs)
		}
		return report.Checks[slices.IndexFunc(report.Checks, func(c doctor.Check) bool { return c.Name == "addresses" })]
	}
	if c := address(); c.Code != diagnosis.AddressWrong {
		t.Errorf("without a cloud: %+v", c)
	}
	if out, err := exec.CommandContext(t.Context(), "ip", "addr", "add", "169.254.169.254/32", "dev", "lo").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	metadata := http.NewServeMux()
	metadata.HandleFunc("/hetzner/v1/metadata/public-ipv4", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "203.0.113.8") })
	listener, err := net.Listen("tcp", "169.254.169.254:80")
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewUnstartedServer(metadata)
	service.Listener.Close()
	service.Listener = listener
	service.Start()
	defer service.Close()
	if c := address(); c.Verdict != doctor.Fine || !strings.Contains(strings.Join(c.Evidence, " "), "seen from outside as 203.0.113.8") {
		t.Errorf("in a cloud: %+v", c)
	}
}

// hostFaults are the catalogue's rows for the doctor.
func hostFaults() (codes []diagnosis.Code) {
	for _, f := range diagnosis.Catalogue {
		if f.Scope == diagnosis.OnHost && f.Code != diagnosis.ConfigDrift { // which a running server tells
			codes = append(codes, f.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

func comm(t *testing.T) string {
	t.Helper()
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(name))
}

// with adds another fault to a host.
func (s seed) with(o seed) seed {
	merged := s
	merged.dotenv += o.dotenv
	merged.hosts += o.hosts
	merged.files, merged.sysctl = maps.Clone(s.files), maps.Clone(s.sysctl)
	maps.Copy(merged.files, o.files)
	maps.Copy(merged.sysctl, o.sysctl)
	merged.limit, merged.disk = max(s.limit, o.limit), s.disk+o.disk
	merged.bare = s.bare || o.bare
	merged.args = append(slices.Clone(s.args), o.args...)
	return merged
}

// examined runs `doctor --json` there and wants exactly these codes.
func (s seed) examined(t *testing.T, ca *authority, want ...diagnosis.Code) map[diagnosis.Code]doctor.Check {
	t.Helper()
	dir, data := t.TempDir(), t.TempDir()
	write(t, data, s.files)
	write(t, data, map[string]string{".env": s.dotenv})
	write(t, dir, map[string]string{"resolv.conf": "nameserver 127.0.0.1\n", "hosts": "127.0.0.1 localhost\n" + s.hosts, "bin/none": ""})
	if !s.bare {
		write(t, dir, map[string]string{"bin/gst-inspect-1.0": "#!/bin/sh\n[ \"$1\" = --exists ]\n"})
		if err := os.Chmod(filepath.Join(dir, "bin/gst-inspect-1.0"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range s.sysctl {
		write(t, dir, map[string]string{"sysctl/" + name: value + "\n"})
	}
	cmd := program(t, []string{"LAB=" + dir, "DATA=" + data, "DISK=" + s.disk, "SSL_CERT_FILE=" + ca.file})
	if s.limit > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprint("LIMIT=", s.limit))
	} else {
		cmd.Env = append(cmd.Env, "LIMIT=8192")
	}
	cmd.Args = append([]string{"sh", "-c", script, "sh", cmd.Path, "doctor", "--json", "--data=" + data}, s.args...)
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	began := time.Now()
	code, out, errs := ended(t, cmd)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	var report doctor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v in %s%s", err, out, errs)
	}
	found := map[diagnosis.Code]doctor.Check{}
	for _, c := range report.Checks {
		if c.Verdict == doctor.Unchecked || (c.Verdict == doctor.Faulty) != (c.Code != "") || strings.Contains(c.Fix+strings.Join(c.Evidence, ""), "{") {
			t.Errorf("%+v", c)
		}
		if c.Code != "" {
			found[c.Code] = c
		}
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v\n%s", got, want, out)
	}
	if expected := exitOf(want); code != expected {
		t.Errorf("exit code %d, want %d", code, expected)
	}
	return found
}

// exitOf is the exit code that goes with faults: warnings have none.
func exitOf(codes []diagnosis.Code) int {
	status := 0
	for _, code := range codes {
		row, _ := diagnosis.Of(code)
		switch {
		case code == diagnosis.ConfigInvalid:
			return exitConfig
		case row.Severity == diagnosis.Error:
			status = exitFailed
		}
	}
	return status
}
