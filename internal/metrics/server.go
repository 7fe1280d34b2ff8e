package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Limits of what comes in. net/http/pprof stretches writeWithin by the length of what it records.
const (
	longestRecord  = 120 // seconds of a profile or trace
	maxConnections = 16
	maxHeader      = 16 << 10
	headerWithin   = 5 * time.Second
	writeWithin    = 30 * time.Second
	idleWithin     = 2 * time.Minute // scrapers come back every 10 to 60 s
	goodbyeWithin  = time.Second
)

// Config is what a Server needs; all of it is required.
type Config struct {
	Listener net.Listener // the server's from New on: Run closes it
	// Read returns the numbers of now. It is called for every scrape, by several goroutines at once, and its context
	// ends after a second: what it has by then it returns, with the error that says what is missing.
	Read func(context.Context) ([]Sample, error)
	Log  *slog.Logger
}

// Server answers GET /metrics and GET /debug/pprof/….
type Server struct {
	config Config
	mux    *http.ServeMux
}

// New makes a server; Run starts it.
func New(config Config) *Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		reader(config.Read),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		// Half an answer tells more than none when a part hangs; the failure is counted and logged.
		ErrorHandling: promhttp.ContinueOnError, Registry: registry,
		ErrorLog: slog.NewLogLogger(config.Log.Handler(), slog.LevelWarn),
	}))
	// The command line is left out, as it may hold OPENVIDU_SECRET.
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return &Server{config: config, mux: mux}
}

// brief refuses to record for longer than longestRecord.
func brief(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked := r.URL.Query().Get("seconds"); asked != "" {
			if seconds, err := strconv.ParseFloat(asked, 64); err != nil || !(seconds <= longestRecord) {
				http.Error(w, fmt.Sprintf("seconds=%.20s: want a number up to %d", asked, longestRecord), http.StatusBadRequest)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// Run serves until ctx ends, which also ends profiles under way; it closes the listener and returns when nothing of it
// runs any more.
func (s *Server) Run(ctx context.Context) error {
	server := &http.Server{
		Handler: brief(s.mux), BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerWithin, WriteTimeout: writeWithin, IdleTimeout: idleWithin, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(newFew(s.config.Listener, maxConnections)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeWithin)
	defer cancel()
	if server.Shutdown(goodbye) != nil {
		_ = server.Close() // somebody reads too slowly, or has connected and says nothing
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
