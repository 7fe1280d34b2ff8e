package netlab

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

const inside = "NETLAB_INSIDE" // set in the process that has the namespaces

// TestMain runs the tests in a copy of this process with network, mount and process namespaces of its own. When the copy
// ends, however it ends, the kernel ends all it started.
func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		code, err := enter()
		if err != nil {
			fmt.Fprintln(os.Stderr, "netlab:", err)
		}
		os.Exit(code)
	}
	if err := furnish(); err != nil {
		fmt.Fprintln(os.Stderr, "netlab:", err)
		os.Exit(1)
	}
	flag.Parse()
	named, skip := flag.Lookup("test.run").Value.String(), flag.Lookup("test.skip").Value.String()
	if named == "" && skip == "" && !long() {
		_ = flag.Set("test.skip", "Long$")
	}
	os.Exit(m.Run())
}

// needed are the commands of the lab and the Debian packages they are in.
var needed = map[string]string{
	"ip": "iproute2", "nft": "nftables", "sysctl": "procps", "node": "nodejs", "chromium": "chromium", "nginx": "nginx-light", "certutil": "libnss3-tools",
	"turnserver": "coturn", "faketime": "faketime",
}

func enter() (int, error) {
	if os.Geteuid() != 0 {
		return 1, fmt.Errorf("network namespaces need root: run these tests as root (sudo -E), or name the other packages to go test")
	}
	for command, pkg := range needed {
		if _, err := exec.LookPath(command); err != nil {
			return 1, fmt.Errorf("%s is missing: scripts/need all, or apt-get install %s", command, pkg)
		}
	}
	if _, err := os.Stat("../node_modules"); err != nil {
		return 1, fmt.Errorf("the browsers' driver has no packages: run scripts/npm test")
	}
	temp, err := os.MkdirTemp("", "netlab")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(temp)
	runtime.LockOSThread() // Pdeathsig is the end of this thread
	self := exec.Command("/proc/self/exe", os.Args[1:]...)
	self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
	self.Env = append(os.Environ(), inside+"=1", "TMPDIR="+temp)
	self.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := self.Run(); self.ProcessState == nil {
		return 1, fmt.Errorf("namespaces: %w", err)
	}
	return max(self.ProcessState.ExitCode(), -self.ProcessState.ExitCode()), nil
}

// Names that the lab's nodes know beside their own.
const (
	serverName = "sfu.lab.test"
	serverIP   = "203.0.113.10" // where that name leads to; see network.named
	serverIP6  = "2001:db8:1::a"
)

// furnish gives the namespaces what the tests expect: a list of named network namespaces, a process list, and names.
// A question to DNS is refused at once: nobody listens at 127.0.0.1.
func furnish() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		return err
	}
	// Temporary files are in memory, so that they end with the namespaces too.
	for target, kind := range map[string]string{"/run/netns": "tmpfs", os.TempDir(): "tmpfs", "/proc": "proc"} {
		if err := syscall.Mount(kind, target, kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", target, err)
		}
	}
	for path, text := range map[string]string{
		"/etc/hosts":       "127.0.0.1 localhost\n::1 localhost\n" + serverIP + " " + serverName + "\n" + serverIP6 + " " + serverName + "\n",
		"/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
	} {
		own := filepath.Join(os.TempDir(), filepath.Base(path))
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(own, path, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", path, err)
		}
	}
	_, err := run("ip", "link", "set", "lo", "up")
	return err
}

// run runs a command and returns what it printed; its error has what it complained of.
func run(argv ...string) (string, error) { return feed("", argv...) }

// feed is run with something on standard input.
func feed(input string, argv ...string) (string, error) {
	command := exec.Command(argv[0], argv[1:]...)
	command.Stdin = strings.NewReader(input)
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// long asks for what make test has no time for: more of some tests, and those whose names end in Long, which run
// otherwise only by name.
func long() bool { return os.Getenv("NETLAB_LONG") != "" }
