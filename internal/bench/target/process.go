package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// How long a server may take.
const (
	startPatience = 30 * time.Second
	stopPatience  = 5 * time.Second
	askEvery      = 20 * time.Millisecond // between two tries to reach a server that is starting
)

// process is a running server with a folder of its own.
type process struct {
	command *exec.Cmd
	folder  string
	output  *tail
	ending  sync.WaitGroup
	done    chan struct{} // closed once it has ended
	status  error         // of the end; read after done
}

// launch starts a program on these CPUs. Build makes its arguments once the folder is there.
func launch(name string, cpus []int, build func(folder string) (args []string, err error)) (*process, error) {
	folder, err := os.MkdirTemp("", "tertulia-bench-")
	if err != nil {
		return nil, err
	}
	p := &process{folder: folder, output: &tail{}, done: make(chan struct{})}
	args, err := build(folder)
	if err == nil {
		p.command = exec.Command(name, args...)
		p.command.Dir = folder
		p.command.Stdout, p.command.Stderr = p.output, p.output
		err = startOn(p.command, cpus)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	p.ending.Go(func() {
		p.status = p.command.Wait()
		close(p.done)
	})
	return p, nil
}

// ready asks until the server answers, and returns the process. When it ends instead, the error is errEnded with its last
// words; it is stopped on any error.
func (p *process) ready(ctx context.Context, ask func(context.Context) error) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	again := time.NewTicker(askEvery)
	defer again.Stop()
	for {
		last := ask(ctx)
		if last == nil {
			return p, nil
		}
		select {
		case <-again.C:
			continue
		case <-p.done:
			last = fmt.Errorf("%w: %w", errEnded, errors.Join(p.status, last))
		case <-ctx.Done():
			last = fmt.Errorf("it does not answer: %w", last)
		}
		return nil, errors.Join(fmt.Errorf("%w\n%s", last, p.output), p.stop())
	}
}

// errEnded says that a server ended while it was to start.
var errEnded = errors.New("it ended")

// tries is how often a server is started that draws ports: another program may take one before it does.
const tries = 3

// retry starts a server again that has ended instead of becoming ready.
func retry(start func() (*process, error)) (p *process, err error) {
	for range tries {
		if p, err = start(); !errors.Is(err, errEnded) {
			break
		}
	}
	return p, err
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop ends the process, by force if it takes its time, and removes its folder.
func (p *process) stop() error {
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-p.done:
	case <-time.After(stopPatience):
		_ = p.command.Process.Kill()
	}
	p.ending.Wait()
	return os.RemoveAll(p.folder)
}

// errNotRunning is what servers answer that were not started, or stopped.
var errNotRunning = errors.New("the server is not running: call Start first")

// tail keeps the last words of a process.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailMax = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailMax; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}

// find returns the program's absolute path. The error says how to get it.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path) // the process runs in another folder
	}
	if err != nil {
		return "", fmt.Errorf("%s is not installed; scripts/bench-peers installs the servers to compare with: %w", name, err)
	}
	return path, nil
}

// freePort draws a port of loopback that is free for TCP and UDP.
func freePort() (int, error) {
	var last error
	for range tries {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		tcp.Close()
		if err == nil {
			udp.Close()
			return tcp.Addr().(*net.TCPAddr).Port, nil
		}
		last = err
	}
	return 0, last
}

// versionOf takes the version from what a program says of itself; "" if it does not.
func versionOf(program string, pattern *regexp.Regexp, args ...string) string {
	out, _ := exec.Command(program, args...).CombinedOutput() // Janus calls --help an error
	if found := pattern.FindSubmatch(out); found != nil {
		return string(found[1])
	}
	return ""
}

var inBrackets = regexp.MustCompile(`\(([^)]+)\)`)
