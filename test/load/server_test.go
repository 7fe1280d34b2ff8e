package load_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const secret = "MY_SECRET_FOR_LOAD_TESTS" // the program warns of a shorter one

// server is the program in a process of its own.
type server struct {
	t       *testing.T
	url     string // of the one port
	metrics string // of the metrics port
	http    *http.Client
	log     *journal
	pid     int
	stop    func() // as a restart would; once is enough
}

// journal is what the program has written so far.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.WriteString(line + "\n")
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// at returns its lines of a level ("WARN", "ERROR").
func (j *journal) at(level string) (lines []string) {
	for line := range strings.Lines(j.String()) {
		if strings.Contains(line, " level="+level+" ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

var announced = regexp.MustCompile(`^ready (\S+)|msg=metrics url=(\S+)/metrics`)

var folder string // of the program; set by TestMain

// build makes the program, once for all tests.
var build = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(folder, "tertulia")
	if out, err := exec.Command("go", "build", "-o", binary, "tertulia/cmd/tertulia").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "load"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// memory is a data folder that no disk holds up, where the machine has one: if a disk that others write to stalls for more
// than a second, the program rightly warns of it.
func memory(t *testing.T) string {
	t.Helper()
	data, err := os.MkdirTemp("/dev/shm", "load") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	return data
}

// start runs the program on a data folder; it ends with the test.
func start(t *testing.T, data string, flags ...string) *server {
	t.Helper()
	return startIn(t, nil, data, flags...)
}

// startIn is start with more in the program's environment.
func startIn(t *testing.T, environment []string, data string, flags ...string) *server {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	flags = append([]string{"serve", "--data=" + data, "--https-port=0", "--metrics-port=0", "--openvidu-secret=" + secret, "--address-discovery=off"}, flags...)
	command := exec.Command(binary, flags...)
	command.Env = append(os.Environ(), environment...)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = write, write
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	log := &journal{}
	urls, ended := make(chan string, 2), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			log.add(lines.Text())
			if m := announced.FindStringSubmatch(lines.Text()); m != nil {
				urls <- m[1] + m[2]
			}
		}
	}()
	stop := sync.OnceFunc(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		err := command.Wait()
		<-ended
		if err != nil || t.Failed() {
			t.Logf("the server ended with %v and wrote\n%s", err, tail(log.String()))
		}
		if err != nil {
			t.Fail()
		}
	})
	t.Cleanup(stop)
	s := &server{
		t: t, log: log, pid: command.Process.Pid, stop: stop,
		http: &http.Client{Transport: insecure.Clone(), Timeout: 30 * time.Second},
	}
	for range 2 {
		select {
		case url := <-urls:
			if strings.HasPrefix(url, "https:") {
				s.url = url
			} else {
				s.metrics = url
			}
		case <-ended:
			t.Fatal("the server ended at its start")
		}
	}
	return s
}

// restart stops the program and runs it again on the same data folder and port.
func (s *server) restart(t *testing.T, data string) {
	t.Helper()
	s.stop()
	*s = *start(t, data, "--https-port="+s.url[strings.LastIndexByte(s.url, ':')+1:])
}

func tail(log string) string { return log[max(0, len(log)-8000):] }

// get reads a page of the metrics port.
func (s *server) get(path string) string {
	s.t.Helper()
	response, err := s.http.Get(s.metrics + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s, %v", path, response.Status, err)
	}
	return string(text)
}

// figures are the process's metrics that have no label.
func (s *server) figures() map[string]float64 {
	s.t.Helper()
	all := map[string]float64{}
	for line := range strings.Lines(s.get("/metrics")) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			all[name] = n
		}
	}
	return all
}

// collect has the process collect its garbage and returns the heap's profile. What lies in a pool goes at the second time.
func (s *server) collect() string {
	s.t.Helper()
	s.get("/debug/pprof/heap?gc=1")
	return s.get("/debug/pprof/heap?gc=1")
}

// await asks for the figures until they are as wanted, each time after a collection if need be. Nothing tells when a
// foreign process has come to rest.
func (s *server) await(ctx context.Context, what string, ok func(map[string]float64) bool, collect bool) map[string]float64 {
	s.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if collect {
			s.collect()
		}
		now := s.figures()
		if ok(now) {
			return now
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("waited in vain until %s: %d goroutines, %d descriptors, %d sessions, %d websockets, a heap of %d bytes\n%s", what,
				int(now["go_goroutines"]), int(now["process_open_fds"]), int(now["tertulia_sessions"]), int(now["tertulia_websockets"]), int(now["go_memstats_heap_alloc_bytes"]),
				tail(s.get("/debug/pprof/goroutine?debug=1")))
		case <-tick.C:
		}
	}
}
