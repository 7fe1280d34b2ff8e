package netlab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
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

const secret = "NETLAB_SECRET_OF_24_LETTERS" // the program warns of a short one, and the lab wants no warning

// settings are what the server's environment has beside its defaults. Nothing about the network is set unless a test does.
type settings map[string]string

// server is bin/tertulia in a node.
type server struct {
	lab  *lab
	node *node
	data string // its data folder
	port int
	own  int // the port it listens on
	// reached is the host by which its clients reach it: an address or serverName.
	reached string

	process *exec.Cmd
	log     words
	ended   chan struct{}
}

var binary = sync.OnceValues(func() (string, error) {
	if named := os.Getenv("TERTULIA_BIN"); named != "" {
		return filepath.Abs(named)
	}
	path := filepath.Join(os.TempDir(), "tertulia")
	_, err := run("go", "build", "-o", path, "tertulia/cmd/tertulia")
	return path, err
})

var readyLine = regexp.MustCompile(`^ready https://[^:]+(?::(\d+))?$`)

// serve starts the server in a node and waits until it is ready; it ends with the test. Clients reach it at the node's own
// address; see at.
func (l *lab) serve(n *node, s settings) *server {
	l.t.Helper()
	return l.serveFrom(n, l.t.TempDir(), s)
}

// serveFrom is serve with a data folder that has something in it already.
func (l *lab) serveFrom(n *node, data string, s settings) *server {
	l.t.Helper()
	path, err := binary()
	if err != nil {
		l.t.Fatal(err)
	}
	v := &server{lab: l, node: n, data: data, ended: make(chan struct{})}
	v.reached = hostOf(n)
	v.process = exec.Command("ip", "netns", "exec", n.netns, path, "serve", "--data="+data)
	env := settings{"PATH": os.Getenv("PATH"), "HOME": data, "OPENVIDU_SECRET": secret, "METRICS_PORT": "9090", "LOG_LEVEL": "debug"}
	maps.Copy(env, s)
	for name, value := range env {
		v.process.Env = append(v.process.Env, name+"="+value)
	}
	ready := v.start()
	l.t.Cleanup(v.close)
	select {
	case v.own = <-ready:
		v.port = v.own
	case <-v.ended:
		l.t.Fatalf("the server ended at its start:\n%s", v.logged())
	case <-time.After(30 * time.Second):
		l.t.Fatalf("the server is not ready after 30 s:\n%s", v.logged())
	}
	return v
}

func hostOf(n *node) string {
	if n.ip.IsValid() {
		return n.ip.String()
	}
	return n.ip6.String()
}

// at is where clients reach the server if that is not its own address: the outer side of a NAT, a proxy, a name.
func (s *server) at(host string, port int) *server {
	s.reached, s.port = host, port
	return s
}

// start starts the process, keeps what it prints, and tells the port it is ready on.
func (s *server) start() <-chan int {
	s.lab.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		s.lab.t.Fatal(err)
	}
	s.process.Stdout, s.process.Stderr = write, write
	err = s.process.Start()
	write.Close() // the process has its own; its end is then the pipe's
	if err != nil {
		s.lab.t.Fatal(err)
	}
	ready := make(chan int, 1)
	go func() {
		defer close(s.ended)
		defer read.Close()
		lines := bufio.NewScanner(read)
		lines.Buffer(nil, 1<<20)
		for once := true; lines.Scan(); {
			fmt.Fprintln(&s.log, lines.Text())
			if m := readyLine.FindStringSubmatch(lines.Text()); m != nil && once {
				once = false
				port, err := strconv.Atoi(m[1])
				if err != nil {
					port = 443
				}
				ready <- port
			}
		}
	}()
	return ready
}

// logged is what the server has printed.
func (s *server) logged() string { return s.log.String() }

// words is what a process says, kept for whoever asks meanwhile.
type words struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (s *server) close() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(10*time.Second, func() { _ = s.process.Process.Kill() })
	err := s.process.Wait()
	late.Stop()
	<-s.ended
	if err != nil {
		s.lab.t.Errorf("the server ended with %v", err)
	}
	if s.lab.t.Failed() {
		keep(s.lab.t, "server.log", s.logged())
	}
}

// keep writes something about a failed test to test/out.
func keep(t testing.TB, name, text string) {
	dir := filepath.Join("..", "out", strings.NewReplacer("/", "-").Replace(t.Name()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Log(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Log(err)
	}
	t.Logf("kept: test/out/%s/%s", filepath.Base(dir), name)
}

// http calls from a node, or from the lab's own place on the internet if that is nil, whatever certificate is shown.
func (l *lab) http(from *node) *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return l.dial(ctx, from, network, address)
		},
	}}
}

// dial connects from a node, or from the lab itself.
func (l *lab) dial(ctx context.Context, from *node, network, address string) (conn net.Conn, err error) {
	if from == nil {
		from = l.internet.owner
	}
	connect := func() error {
		if host, port, err := net.SplitHostPort(address); err == nil && host == serverName {
			address = net.JoinHostPort(l.serverIP, port) // a lookup would run on another thread
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	}
	if from == nil {
		err = connect()
	} else {
		err = from.in(connect)
	}
	return conn, err
}

// url is the server's address for clients.
func (s *server) url() string {
	return "https://" + net.JoinHostPort(s.reached, strconv.Itoa(s.port))
}

// inside is its address in its own node, whatever happens to the network.
func (s *server) inside() string { return fmt.Sprintf("https://127.0.0.1:%d", s.own) }

// rest makes a REST call from a node (nil: from the lab's own place) and decodes the answer.
func (s *server) rest(from *node, method, path string, body any) map[string]any {
	s.lab.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.lab.t.Fatal(err)
	}
	request, err := http.NewRequest(method, s.url()+path, bytes.NewReader(text))
	if err != nil {
		s.lab.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.lab.http(from).Do(request)
	if err != nil {
		s.lab.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	answer := map[string]any{}
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		s.lab.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
	}
	return answer
}

// session makes a session and returns its id.
func (s *server) session() string {
	s.lab.t.Helper()
	return fmt.Sprint(s.rest(nil, "POST", "/openvidu/api/sessions", map[string]any{})["id"])
}

// token makes a connection of a session; properties may be nil.
func (s *server) token(session string, properties map[string]any) string {
	s.lab.t.Helper()
	return fmt.Sprint(s.rest(nil, "POST", "/openvidu/api/sessions/"+session+"/connection", properties)["token"])
}

// metrics are the server's figures, by name and labels as they are printed.
func (s *server) metrics() map[string]float64 {
	s.lab.t.Helper()
	response, err := s.lab.http(s.node).Get("http://127.0.0.1:9090/metrics")
	if err != nil {
		s.lab.t.Fatal(err)
	}
	defer response.Body.Close()
	all := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if n, err := strconv.ParseFloat(lines.Text()[at+1:], 64); at > 0 && err == nil {
			all[lines.Text()[:at]] = n
		}
	}
	return all
}
