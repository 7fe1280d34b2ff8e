package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/metrics"
)

// serve runs a server on a free port and returns its URL; stop ends it and waits.
func serve(t *testing.T, read func(context.Context) ([]metrics.Sample, error), log io.Writer) (url string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := metrics.New(metrics.Config{Listener: listener, Read: read, Log: slog.New(slog.NewTextHandler(log, nil))})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if late, err := net.Dial("tcp", listener.Addr().String()); err == nil {
			late.Close()
			t.Error("the port is still open")
		}
	})
	t.Cleanup(stop)
	return "http://" + listener.Addr().String(), stop
}

func nothing(context.Context) ([]metrics.Sample, error) { return nil, nil }

func get(t *testing.T, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestWhatIsShown(t *testing.T) {
	url, _ := serve(t, func(context.Context) ([]metrics.Sample, error) {
		return []metrics.Sample{
			{Name: "tertulia_sessions", Help: "Sessions.", Number: 3},
			{Name: "tertulia_refused_total", Help: "Refused.", Label: "reason", Value: "forged", Number: 5},
			{Name: "tertulia_refused_total", Help: "Refused.", Label: "reason", Value: `"odd"`, Number: 0},
		}, nil
	}, t.Output())
	status, text := get(t, "GET", url+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	wantLines(t, text,
		"# HELP tertulia_sessions Sessions.\n# TYPE tertulia_sessions gauge\ntertulia_sessions 3\n",
		"# TYPE tertulia_refused_total counter\n",
		"tertulia_refused_total{reason=\"forged\"} 5\n", "tertulia_refused_total{reason=\"\\\"odd\\\"\"} 0\n",
		"go_goroutines ", "go_sched_latencies_seconds_bucket{", "go_gc_gomemlimit_bytes ", "go_memstats_heap_alloc_bytes ",
		"process_open_fds ", "process_resident_memory_bytes ", "process_cpu_seconds_total ",
		"promhttp_metric_handler_errors_total{cause=\"gathering\"} 0\n",
	)
}

// TestWhatCannotBeRead neither hides the rest nor holds the scrape up: a part that does not answer has its deadline.
func TestWhatCannotBeRead(t *testing.T) {
	var log bytes.Buffer
	url, stop := serve(t, func(ctx context.Context) ([]metrics.Sample, error) {
		if _, limited := ctx.Deadline(); !limited {
			return nil, errors.New("no deadline")
		}
		return []metrics.Sample{
			{Name: "tertulia_sessions", Help: "Sessions.", Number: 3},
			{Name: "tertulia_broken", Help: "Broken.", Label: "kind", Value: "\xff", Number: 3},
		}, errors.New("shard 0 does not answer")
	}, &log)
	status, text := get(t, "GET", url+"/metrics")
	if status != http.StatusOK || strings.Contains(text, "tertulia_broken") {
		t.Errorf("%d: %s", status, text)
	}
	wantLines(t, text, "tertulia_sessions 3\n", "go_goroutines ")
	_, text = get(t, "GET", url+"/metrics")
	wantLines(t, text, "promhttp_metric_handler_errors_total{cause=\"gathering\"} 1\n")
	stop()
	for _, want := range []string{"level=WARN", "shard 0 does not answer", "tertulia_broken"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, log.String())
		}
	}
}

func TestProfiles(t *testing.T) {
	url, _ := serve(t, nothing, t.Output())
	for path, want := range map[string]string{
		"/debug/pprof/":                                "goroutine",
		"/debug/pprof/goroutine?debug=1":               "goroutine profile: total",
		"/debug/pprof/heap?gc=1":                       "\x1f\x8b", // gzip
		"/debug/pprof/symbol?0x1":                      "num_symbols: 1",
		"/debug/pprof/trace?seconds=0.01":              "go 1.",
		"/debug/pprof/mutex?debug=1":                   "--- mutex:",
		"/debug/pprof/threadcreate?debug=1":            "threadcreate profile",
		"/debug/pprof/profile?seconds=1&ignored=other": "\x1f\x8b",
	} {
		if status, text := get(t, "GET", url+path); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("GET %s: %d %.200q, want %q in it", path, status, text, want)
		}
	}
}

// TestNothingElse is on this port; above all not the command line, in which a secret may stand.
func TestNothingElse(t *testing.T) {
	url, _ := serve(t, nothing, t.Output())
	for _, path := range []string{"/", "/metrics/", "/debug", "/debug/pprof/cmdline", "/debug/vars", "/openvidu/api/health"} {
		if status, text := get(t, "GET", url+path); status != http.StatusNotFound {
			t.Errorf("GET %s: %d %.200s", path, status, text)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/symbol", "/debug/pprof/profile"} {
		if status, text := get(t, "POST", url+path); status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d %.200s", path, status, text)
		}
	}
	for _, path := range []string{"/debug/pprof/profile?seconds=121", "/debug/pprof/trace?seconds=NaN", "/debug/pprof/heap?seconds=1e999"} {
		if status, text := get(t, "GET", url+path); status != http.StatusBadRequest {
			t.Errorf("GET %s: %d %.200s, want a limit", path, status, text)
		}
	}
}

// TestStopEndsProfiles: nobody waits a minute for the end of the node.
func TestStopEndsProfiles(t *testing.T) {
	url, stop := serve(t, nothing, t.Output())
	answered := make(chan error, 1)
	go func() {
		response, err := http.Get(url + "/debug/pprof/trace?seconds=60")
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		answered <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, stacks := get(t, "GET", url+"/debug/pprof/goroutine?debug=1"); strings.Contains(stacks, "net/http/pprof.Trace") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the trace never began")
		}
	}
	stop()
	select {
	case <-answered:
	case <-time.After(10 * time.Second):
		t.Error("the trace goes on after the server")
	}
}

// TestManyConnections: those beyond the limit wait until one is closed, and do not keep the server from ending.
func TestManyConnections(t *testing.T) {
	url, stop := serve(t, nothing, t.Output())
	address := strings.TrimPrefix(url, "http://")
	const most = 16
	var silent []net.Conn
	for range most {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		silent = append(silent, conn)
	}
	answered := make(chan int, 1)
	go func() {
		status := 0
		if response, err := http.Get(url + "/debug/pprof/symbol"); err == nil {
			status = response.StatusCode
			response.Body.Close()
		}
		answered <- status
	}()
	select {
	case status := <-answered:
		t.Fatalf("answered with %d while %d connections are open", status, most)
	case <-time.After(50 * time.Millisecond): // it is the absence of an answer that is looked for
	}
	silent[0].Close()
	if status := <-answered; status != http.StatusOK {
		t.Errorf("answered with %d when one was closed", status)
	}
	stop()
}
