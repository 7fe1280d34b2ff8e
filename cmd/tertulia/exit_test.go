//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"tertulia/internal/fault"
)

// asProgram in the environment makes this test binary the program itself.
const asProgram = "TERTULIA_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is tertulia with these arguments and settings in its environment.
func program(t *testing.T, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), self, args...) // a server is stopped by its test, not killed
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH")}, environ...)
	return cmd
}

// ended runs it to its end.
func ended(t *testing.T, cmd *exec.Cmd) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var status *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// TestKMS_07__BrokenConfigurations: each ends the program with 78 and one line, and a service manager leaves it there.
func TestKMS_07__BrokenConfigurations(t *testing.T) {
	garbage := map[string]string{"owncert/certificate.cert": "garbage", "owncert/certificate.key": "garbage"}
	for name, c := range map[string]struct {
		dotenv   string
		files    map[string]string
		environ  []string
		args     []string
		readOnly bool   // the data folder is, and we are not root
		want     string // a pattern of the line; DIR is the data folder
	}{
		"not a number":        {dotenv: "# port\nHTTPS_PORT=high\n", want: `^DIR/\.env:2: HTTPS_PORT=high: not a number → write a whole number from 0 to 65535, or .*4443$`},
		"no value":            {dotenv: "HTTPS_PORT 443\n", want: `^DIR/\.env:1: there is no = → write NAME=value`},
		"a slip in a name":    {dotenv: "\n\nHTTPS_PROT=443\n", want: `^DIR/\.env:3: HTTPS_PROT: unknown setting → remove .* did you mean HTTPS_PORT\?$`},
		"a slip in a value":   {dotenv: "CERTIFICATE_TYPE=letsencryp\n", want: `^DIR/\.env:1: CERTIFICATE_TYPE=letsencryp: unknown value → write one of `},
		"a secret with space": {dotenv: "OPENVIDU_SECRET= two words\n", want: `^DIR/\.env:1: OPENVIDU_SECRET=\(hidden\): a space at its start .* → write `},
		"a URL for a host":    {environ: []string{"DOMAIN_OR_PUBLIC_IP=https://a.example"}, want: `^environment: DOMAIN_OR_PUBLIC_IP=https://a.example: not a host → write a domain name`},
		"a wrong flag":        {args: []string{"--call-page=maybe"}, want: `^--call-page: CALL_PAGE=maybe: unknown value → write one of off, local, all`},
		"an unknown flag":     {args: []string{"--http-prot=1"}, want: `^command line: .*http-prot → see --help$`},
		"no certificate":      {dotenv: "CERTIFICATE_TYPE=owncert\n", want: `^DIR/\.env:1: CERTIFICATE_TYPE=owncert: .*DIR/owncert.* → put the certificate and its key there`},
		"a spoilt secret":     {files: map[string]string{"secret": "\x01no secret!"}, want: `^DIR/secret:1: the file does not hold a secret .* → remove the file`},

		"a secret for a folder":   {dotenv: "", files: map[string]string{"secret/x": ""}, want: `^DIR/secret:1: the generated secret cannot be kept: .* → set OPENVIDU_SECRET`},
		"a spoilt cluster id":     {files: map[string]string{"cluster-id": "a/b"}, want: `^DIR/cluster-id:1: the file does not hold a cluster id → remove the file`},
		"CDR files in a file":     {dotenv: "OPENVIDU_CDR=true\nOPENVIDU_CDR_PATH=file/x\n", files: map[string]string{"file": ""}, want: `^DIR/\.env:2: OPENVIDU_CDR_PATH=DIR/file/x/: .*not a directory → name another folder`},
		"a webhook without a URL": {dotenv: "OPENVIDU_WEBHOOK=true\n", want: `^DIR/\.env:1: OPENVIDU_WEBHOOK=true: .* → set it to the URL`},

		// Found by other packages than config.
		"the port of an ICE server":   {dotenv: ice(`"url=stun:stun.example.com","url=turn:turn.example.com:99999,username=u,credential=two words"`), want: `^DIR/\.env:1: OPENVIDU_WEBRTC_ICE_SERVERS entry 2: its url cannot be used → write HOST or HOST:PORT`},
		"a query of a STUN server":    {dotenv: ice(`"url=stun:stun.example.com?transport=udp"`), want: `^DIR/\.env:1: OPENVIDU_WEBRTC_ICE_SERVERS entry 1: its url cannot be used → write nothing after \?`},
		"a cipher nobody knows":       {dotenv: "\nHTTPS_CIPHERS=ECDHE-RSA-AES128-GCM-SHA256:SAFE\n", want: `^DIR/\.env:2: HTTPS_CIPHERS: "SAFE" is unknown → name suites of OpenSSL`},
		"ciphers that we lack":        {dotenv: "HTTPS_CIPHERS=DHE-RSA-AES128-GCM-SHA256\n", want: `^(DIR/\.env:1: )?HTTPS_CIPHERS names no suite that this server has → add `},
		"a route of ours":             {dotenv: `EXTRA_ROUTES=["/openvidu=http://127.0.0.1:9"]`, want: `^DIR/\.env:1: EXTRA_ROUTES: "/openvidu" belongs to this server → take another path`},
		"a folder that is not there":  {dotenv: `EXTRA_ROUTES=["/app=site"]`, want: `^DIR/\.env:1: EXTRA_ROUTES: "/app": the folder cannot be read.* → name one that is there`},
		"places that are none":        {dotenv: "GEO_DATABASE=places\n", files: map[string]string{"places": "garbage"}, want: `^DIR/\.env:1: GEO_DATABASE .*places" cannot be read.* → name a file in MaxMind's format`},
		"an authority for an address": {dotenv: "CERTIFICATE_TYPE=letsencrypt\nDOMAIN_OR_PUBLIC_IP=192.0.2.1\n", want: `^DIR/\.env:1: CERTIFICATE_TYPE=letsencrypt needs a host name .* → set it to the name`},
		"roots of garbage":            {dotenv: "CERTIFICATE_TYPE=letsencrypt\nDOMAIN_OR_PUBLIC_IP=a.example\nACME_ROOTS=/dev/null\n", want: `^DIR/\.env:3: ACME_ROOTS=/dev/null holds no PEM certificate .* → name the PEM file`},
		"a certificate of ours":       {files: map[string]string{"certificates/dtls.pem": "garbage"}, want: `^DIR/certificates/dtls.pem cannot be used: .* → delete it`},
		"metrics on the one port":     {dotenv: "HTTPS_PORT=4443\nMETRICS_PORT=4443\n", want: `^DIR/\.env:2: METRICS_PORT=127.0.0.1:4443: it cannot be opened: .* is the same → set METRICS_PORT`},
		"a folder nobody may write":   {dotenv: "OPENVIDU_SECRET=MY_SECRET_MY_SECRET\nOPENVIDU_PRO_CLUSTER_ID=a\n", readOnly: true, want: `^--data=DIR: the data folder cannot be written to: permission denied → make it writable`},
		"a certificate of garbage":    {dotenv: "CERTIFICATE_TYPE=owncert\n", files: garbage, want: `^(DIR/\.env:1: )?.*DIR/owncert.* → .`},
		"a data folder in a file":     {files: map[string]string{"file": ""}, args: []string{"--data=DIR/file/data"}, want: `^--data=DIR/file/data: .*not a directory → name another one$`},
		"another machine's port":      {dotenv: "HTTPS_PORT=0\nMETRICS_PORT=192.0.2.1:9090\n", want: `^DIR/\.env:2: METRICS_PORT=192.0.2.1:9090: it cannot be opened: .* → set METRICS_PORT to a free port of this machine$`},
		"a privileged port":           {dotenv: "HTTPS_PORT=443\n", want: `^DIR/\.env:1: HTTPS_PORT=443: the TCP port cannot be opened: .*permission denied → .* or set HTTPS_PORT to a higher one$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, c.files)
			write(t, dir, map[string]string{".env": c.dotenv})
			args := []string{"serve", "--data=" + dir}
			for _, arg := range c.args {
				args = append(args, strings.ReplaceAll(arg, "DIR", dir))
			}
			run := func(args ...string) (code int, out, errs, line string) {
				cmd := program(t, c.environ, args...)
				if strings.Contains(c.want, "permission denied") {
					unprivileged(t, cmd, dir)
				}
				if c.readOnly {
					if err := os.Chmod(dir, 0o500); err != nil {
						t.Fatal(err)
					}
				}
				code, out, errs = ended(t, cmd)
				return code, out, errs, strings.TrimSuffix(withoutLog(errs), "\n")
			}
			// What a start refuses is refused before, but for ports, in the same words.
			before := tree(t, dir)
			_, _, _, checked := run(append([]string{"config", "check"}, args[1:]...)...)
			if after := tree(t, dir); after != before {
				t.Errorf("config check has changed the folder from %s to %s", before, after)
			}
			code, out, errs, line := run(args...)
			if !strings.Contains(c.want, "port cannot be opened") && checked != line {
				t.Errorf("config check says %q, a start %q", checked, line)
			}
			if code != exitConfig || strings.Contains(line, "\n") {
				t.Errorf("exit code %d, want %d and one line; printed %q", code, exitConfig, errs)
			}
			want := strings.ReplaceAll(c.want, "DIR", regexp.QuoteMeta(dir))
			if !regexp.MustCompile(want).MatchString(line) {
				t.Errorf("%s\nwant %s", line, want)
			}
			if strings.Contains(out+errs, "two words") || strings.Contains(out+errs, "no secret!") || strings.Contains(out, "ready") {
				t.Errorf("printed a secret, or was ready: %s%s", out, errs)
			}
		})
	}
}

func ice(servers string) string { return "OPENVIDU_WEBRTC_ICE_SERVERS=[" + servers + "]\n" }

// tree names the files of a folder and all below.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// withoutLog keeps the lines that are no log records: a start that fails late has logged before.
func withoutLog(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "time=") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// unprivileged runs a command as nobody, with ports below 1024 out of reach: in a network namespace they are so again
// where a container gave them away.
func unprivileged(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	for _, path := range []string{dir, filepath.Join(dir, ".env")} {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	// A temporary folder, and the test binary in another, may be closed to others: hold the program open and go by its descriptor.
	binary, err := os.Open(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { binary.Close() })
	for up := filepath.Dir(dir); up != "/" && up != os.TempDir(); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.ExtraFiles = []*os.File{binary}
	cmd.Path = "/proc/self/fd/3"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Cloneflags: syscall.CLONE_NEWNET}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEveryErrorHasItsLine, and another program's port is worth another try.
func TestEveryErrorHasItsLine(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{".env": "HTTPS_PORT=high\nLOG_LEVEL=loud\n"})
	code, _, errs := ended(t, program(t, nil, "serve", "--data="+dir))
	if code != exitConfig || strings.Count(errs, "\n") != 2 || strings.Count(errs, dir+"/.env:") != 2 {
		t.Errorf("exit code %d, %q", code, errs)
	}
	if ofStart(fault.Wrap(fault.Invalid, syscall.EADDRINUSE, "HTTPS_PORT=1")) || ofStart(errors.New("disk")) || !ofStart(fault.New(fault.Invalid, "x")) {
		t.Error("ofStart takes what passes for what stays, or the reverse")
	}
}

// TestWhatPassesIsTriedAgain: a data folder in use ends the start with 1, and a service manager tries once more.
func TestWhatPassesIsTriedAgain(t *testing.T) {
	data := t.TempDir()
	lock, err := os.Create(filepath.Join(data, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	code, _, errs := ended(t, program(t, nil, "serve", "--data="+data, "--https-port=0"))
	if line := withoutLog(errs); code != exitFailed || !strings.Contains(line, "another tertulia uses this data folder") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""}, {errors.New("x"), 1, "tertulia: x\n"}, {exit{78, errors.New("a:1: b → c")}, 78, "a:1: b → c\n"},
		{exit{code: 1}, 1, ""}, {fmt.Errorf("doctor: %w", exit{code: 7}), 7, ""},
	} {
		var out bytes.Buffer
		if code := report(&out, c.err); code != c.code || out.String() != c.text {
			t.Errorf("%v: %d %q", c.err, code, out.String())
		}
	}
}

// TestKMS_07__TheUnitDoesNotTryAgain after a configuration error, and is one that systemd takes.
func TestKMS_07__TheUnitDoesNotTryAgain(t *testing.T) {
	text, err := os.ReadFile("../../deploy/tertulia.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Restart=on-failure", fmt.Sprint("RestartPreventExitStatus=", exitConfig), "LimitNOFILE=65536"} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd here: the unit was only read")
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "tertulia.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/local/bin/tertulia"), []byte(self)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
