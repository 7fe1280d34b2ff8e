package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tertulia/internal/app"
	"tertulia/internal/config"
	"tertulia/internal/testkit"
)

// waiting is a node that cannot serve yet.
type waiting struct {
	log   chan string // its lines, warnings and errors
	ready chan string
	done  chan error
	stop  func()
}

// begin starts a node on settings and does not wait until it serves.
func begin(t *testing.T, settings ...string) waiting {
	t.Helper()
	c, err := config.Load(append([]string{"--data=" + t.TempDir(), "--openvidu-secret=MY_SECRET", "--address-discovery=off"}, settings...), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := waiting{log: make(chan string, 100), ready: make(chan string, 1), done: make(chan error, 1), stop: cancel}
	read, write := io.Pipe()
	go func() {
		for lines := bufio.NewScanner(read); lines.Scan(); {
			w.log <- lines.Text()
		}
		close(w.log)
	}()
	log := slog.New(slog.NewTextHandler(write, &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() {
		w.done <- app.Run(ctx, c, log, func(url string) { w.ready <- url })
		_ = write.Close()
	}()
	t.Cleanup(func() {
		cancel()
		for range w.log { // until it is closed, after the end
		}
	})
	return w
}

// says waits for the first line of the log that holds what.
func (w waiting) says(t *testing.T, what string) string {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		select {
		case line, ok := <-w.log:
			if !ok {
				t.Fatalf("the node ended without a word of %s", what)
			}
			if strings.Contains(line, what) {
				return line
			}
		case <-deadline:
			t.Fatalf("no word of %s", what)
		}
	}
}

// opens waits until somebody listens at an address.
func opens(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(10 * time.Second); ; {
		stream, err := net.Dial("tcp", address)
		if err == nil {
			_ = stream.Close()
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatal(err)
		}
	}
}

// TestFAQ_14__ForeignNginx: a real nginx has HTTPS_PORT: the log says its name and process, what else there is stays up,
// and two seconds after its end the port is ours, without a restart.
func TestFAQ_14__ForeignNginx(t *testing.T) {
	foreign := testkit.StartNginx(t, `listen LISTEN; location / { return 200 foreign; }`)
	_, port, _ := net.SplitHostPort(foreign.Address)
	other := strconv.Itoa(testkit.FreePort(t))
	w := begin(t, "--https-port="+port, "--http-port="+other)
	line := w.says(t, "PORT_TAKEN")
	for _, want := range []string{fmt.Sprintf("process %d (nginx)", foreign.PID), "port=" + port, "network=tcp", "HTTPS_PORT"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	opens(t, "127.0.0.1:"+other) // by a part of its own, beside the one that says PORT_TAKEN
	if got := location(t, "http://127.0.0.1:"+other+"/call/tea"); got != "301 https://127.0.0.1:"+port+"/call/tea" {
		t.Errorf("HTTP_PORT meanwhile: %s", got)
	}
	select {
	case <-w.ready:
		t.Fatal("it serves on a port that is taken")
	default:
	}
	foreign.Stop()
	freed := time.Now()
	select {
	case url := <-w.ready:
		if took := time.Since(freed); took > 2*time.Second || !strings.HasSuffix(url, port) {
			t.Errorf("%s after %v", url, took)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not serve")
	}
	w.stop()
	if err := <-w.done; err != nil {
		t.Error(err)
	}
}

// TestHTTPPortThatIsTaken holds up nothing but itself.
func TestHTTPPortThatIsTaken(t *testing.T) {
	foreign := testkit.StartNginx(t, `listen LISTEN; location / { return 200 foreign; }`)
	_, port, _ := net.SplitHostPort(foreign.Address)
	w := begin(t, "--https-port=0", "--http-port="+port)
	line := w.says(t, "PORT_TAKEN")
	if !strings.Contains(line, "HTTP_PORT") || !strings.Contains(line, fmt.Sprint(foreign.PID)) {
		t.Errorf("the log says %q", line)
	}
	url := <-w.ready
	foreign.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if stream, err := net.Dial("tcp", foreign.Address); err == nil {
			_ = stream.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("HTTP_PORT was not taken after it was free")
		}
	}
	if got := location(t, "http://"+foreign.Address+"/x?y"); got != "301 "+strings.Replace(url, "localhost", "127.0.0.1", 1)+"/x?y" {
		t.Errorf("redirected: %s", got)
	}
	w.stop()
	if err := <-w.done; err != nil {
		t.Error(err)
	}
}

func TestStoppedWhileWaiting(t *testing.T) {
	foreign := testkit.StartNginx(t, `listen LISTEN; location / { return 200 foreign; }`)
	_, port, _ := net.SplitHostPort(foreign.Address)
	w := begin(t, "--https-port="+port)
	w.says(t, "PORT_TAKEN")
	w.stop()
	if err := <-w.done; err != nil {
		t.Errorf("a node that waited ended with %v", err)
	}
}

// TestFAQ_11__PlainHTTPToALANAddress: whoever opens http:// at an address of this machine lands on HTTPS, where a
// browser allows the camera.
func TestFAQ_11__PlainHTTPToALANAddress(t *testing.T) {
	w := begin(t, "--https-port=0")
	url := <-w.ready
	port := url[strings.LastIndex(url, ":"):]
	tried := 0
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		lan, ok := a.(*net.IPNet)
		if !ok || lan.IP.IsLoopback() || lan.IP.IsLinkLocalUnicast() {
			continue
		}
		tried++
		host := net.JoinHostPort(lan.IP.String(), port[1:])
		if got := location(t, "http://"+host+"/call/tea?x=1"); got != "301 https://"+host+"/call/tea?x=1" {
			t.Errorf("http://%s/call/tea: %s", host, got)
		}
	}
	if tried == 0 {
		t.Error("this machine has no address but loopback: run the test where there is a network")
	}
	if got := location(t, "http://127.0.0.1"+port+"/livez"); got != "200" {
		t.Errorf("at loopback: %s", got)
	}
}

// location is the status of a page and where it redirects to.
func location(t *testing.T, url string) string {
	t.Helper()
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(must(http.NewRequest(http.MethodGet, url, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", response.Header.Get("Location")))
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

// TestFAQ_14__UDPAlone: it is the same when only UDP is taken; TCP is not kept meanwhile.
func TestFAQ_14__UDPAlone(t *testing.T) {
	port := testkit.FreePort(t)
	taken, err := net.ListenPacket("udp", fmt.Sprint(":", port))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w := begin(t, fmt.Sprint("--https-port=", port))
	line := w.says(t, "PORT_TAKEN")
	for _, want := range []string{"network=udp", fmt.Sprint("port=", port), fmt.Sprintf("process %d (", os.Getpid())} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; { // each try has it for a moment
		listener, err := net.Listen("tcp", fmt.Sprint(":", port))
		if err == nil {
			listener.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the TCP port was kept: %v", err)
		}
	}
	taken.Close()
	select {
	case <-w.ready:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not serve")
	}
}
