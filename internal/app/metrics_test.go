package app_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tertulia/internal/app"
	"tertulia/internal/config"
)

// urlOf is a log in which it looks for the metrics port's URL.
type urlOf chan string

var metricsURL = regexp.MustCompile(`msg=metrics url=(\S+)/metrics`)

func (u urlOf) Write(line []byte) (int, error) {
	if m := metricsURL.FindSubmatch(line); m != nil {
		u <- string(m[1])
	}
	return len(line), nil
}

func load(t *testing.T, args ...string) config.Config {
	t.Helper()
	c, err := config.Load(append([]string{"--data=" + t.TempDir(), "--https-port=0", "--openvidu-secret=MY_SECRET", "--address-discovery=off"}, args...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheMetricsPort(t *testing.T) {
	c := load(t, "--metrics-port=0")
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended, logged := make(chan string, 1), make(chan error, 1), make(urlOf, 1)
	go func() {
		ended <- app.Run(ctx, c, slog.New(slog.NewTextHandler(logged, nil)), func(url string) { ready <- url })
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	public, private := <-ready, <-logged
	if !strings.HasPrefix(private, "http://127.0.0.1:") {
		t.Errorf("metrics are at %s, want loopback", private)
	}
	running{t: t, url: public}.rest("POST", "/openvidu/api/sessions", "{}", http.StatusOK)
	status, text := page(t, private+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	for _, want := range []string{
		"tertulia_sessions 1", "tertulia_connections 0", "tertulia_streams 0", "tertulia_subscriptions 0", "tertulia_websockets 0",
		`tertulia_door_connections_total{kind="https"} 1`, "tertulia_turn_allocations 0", `tertulia_media_packets_total{direction="in"} 0`,
		`tertulia_media_refused_total{reason="forged"} 0`, "go_goroutines ",
		`tertulia_connections_by_path{path="udp"} 0`, `tertulia_connections_by_path_total{path="relay"} 0`, `tertulia_endpoints{state="connected"} 0`,
		`tertulia_diagnoses_total{code="NET_UNREACHABLE"} 0`, `tertulia_diagnoses_total{code="CAMERA_BUSY"} 0`,
		`tertulia_events_total{outcome="dropped"} 0`, "tertulia_events_waiting ", `tertulia_events_behind{reader="webhook"} 0`,
		`tertulia_webhook_events_total{outcome="delivered"} 0`, "tertulia_cdr_events_total 0",
		"tertulia_sessions_created_total 1", `tertulia_sessions_ended_total{reason="lastParticipantLeft"} 0`, `tertulia_connections_left_total{reason="networkDisconnect"} 0`,
		`tertulia_elasticsearch_documents_total{outcome="dropped"} 0`, "tertulia_disk_free_bytes ", "tertulia_store_owed 0", `tertulia_network_quality{level="5"} 0`,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	metricsPage(t, text)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if status, text := page(t, public+path); status == http.StatusOK {
			t.Errorf("the public port serves %s: %.200s", path, text)
		}
	}
}

func TestAMetricsPortThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	err = app.Run(t.Context(), load(t, "--metrics-port="+port), slog.New(slog.DiscardHandler), func(string) { t.Error("it serves") })
	if err == nil || !strings.Contains(err.Error(), "METRICS_PORT") || !strings.Contains(err.Error(), port) {
		t.Errorf("ended with %v", err)
	}
}

var update = flag.Bool("update", false, "write docs/reference/metrics.md anew")

var (
	aHelp   = regexp.MustCompile(`(?m)^# HELP (tertulia_\w+) (.*)$`)
	aSample = regexp.MustCompile(`(?m)^(tertulia_\w+)\{(\w+)="([^"]*)"\} `)
)

// metricsPage compares docs/reference/metrics.md with what a node shows.
func metricsPage(t *testing.T, shown string) {
	t.Helper()
	labels, values := map[string]string{}, map[string][]string{}
	for _, m := range aSample.FindAllStringSubmatch(shown, -1) {
		labels[m[1]] = m[2]
		values[m[1]] = append(values[m[1]], m[3])
	}
	var text strings.Builder
	text.WriteString("# Metrics\n\nWhat `METRICS_PORT` shows at `/metrics`, beside those of the Go runtime and of the process. Names that end in `_total` count since the start, all others are what is now.\n" +
		"This page is generated: `go test ./internal/app -run TheMetricsPort -update`.\n\n| name | label | meaning |\n|---|---|---|\n")
	for _, m := range aHelp.FindAllStringSubmatch(shown, -1) {
		label := labels[m[1]]
		if label != "" {
			label += ": " + strings.Join(values[m[1]], ", ")
		}
		if m[1] == "tertulia_diagnoses_total" {
			label = "code: see [diagnosis](diagnosis.md)"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", m[1], label, m[2])
	}
	file := filepath.Join("..", "..", "docs", "reference", "metrics.md")
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if committed, err := os.ReadFile(file); err != nil || string(committed) != text.String() {
		t.Errorf("docs/reference/metrics.md is stale, %v: go test ./internal/app -run TheMetricsPort -update", err)
	}
}

func page(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := insecure.Get(url)
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
