package app_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
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
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
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
