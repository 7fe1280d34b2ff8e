package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// MaxPayload is the largest message, and so the largest record, the server takes: 8 MiB. NATS' own default of 1 MiB
// is less than the state of a session with a thousand talkative connections.
const MaxPayload = 8 << 20

// Config is what a server needs.
type Config struct {
	Dir          string        // JetStream's directory; made when missing. One process at a time may have it
	MaxStore     int64         // bytes JetStream may take on disk; 0 is 1 GiB
	StartTimeout time.Duration // 0 is 10 s
	StopTimeout  time.Duration // 0 is 10 s
	Log          *slog.Logger  // nil discards
}

// Server is an embedded NATS server. Make it with New, start it with Run.
type Server struct {
	config  Config
	ready   chan struct{}  // closed when running is set, or never
	running *server.Server // written before ready is closed
	log     *logger
}

// New starts nothing and touches no file.
func New(config Config) *Server {
	if config.MaxStore == 0 {
		config.MaxStore = 1 << 30
	}
	if config.StartTimeout == 0 {
		config.StartTimeout = 10 * time.Second
	}
	if config.StopTimeout == 0 {
		config.StopTimeout = 10 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{config: config, ready: make(chan struct{}), log: &logger{log: config.Log}}
}

// Run starts the server and blocks until ctx ends and everything is on disk and stopped, or StopTimeout has passed,
// which is an error. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	nats, err := server.NewServer(s.options())
	if err != nil {
		return fmt.Errorf("start the embedded NATS: %w", err)
	}
	nats.SetLoggerV2(s.log, false, false, false)
	nats.Start()
	if err := s.awaitReady(nats); err != nil {
		return errors.Join(err, s.stop(nats))
	}
	s.running = nats
	close(s.ready)
	<-ctx.Done()
	return s.stop(nats)
}

// Connect returns a connection inside this process once the server is ready; the caller closes it before Run's
// context ends. It fails when ctx ends first.
func (s *Server) Connect(ctx context.Context) (*nats.Conn, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the embedded NATS: %w", ctx.Err())
	}
	return nats.Connect("", nats.InProcessServer(s.running), nats.Name("tertulia"))
}

// Restart closes the store and opens it again. After a write that failed, for want of room on the disk above all, NATS
// takes no further one before that. Connections stay; calls under way fail. It must be called by one goroutine at a time.
func (s *Server) Restart(ctx context.Context) error {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return fmt.Errorf("wait for the embedded NATS: %w", ctx.Err())
	}
	if err := s.running.ShutdownJetStream(); err != nil {
		return fmt.Errorf("close the store on %s: %w", s.config.Dir, err)
	}
	err := s.running.EnableJetStream(&server.JetStreamConfig{
		StoreDir: s.config.Dir, MaxMemory: maxMemory, MaxStore: s.config.MaxStore, SyncAlways: true,
	})
	if err != nil {
		return fmt.Errorf("open the store on %s: %w", s.config.Dir, err)
	}
	return nil
}

// maxMemory is for ordered consumers, which keep a little state in memory; records do not.
const maxMemory = 16 << 20

// options keep the server lean: no port of any kind, no storage in memory, few remembered connections.
func (s *Server) options() *server.Options {
	return &server.Options{
		ServerName:             "tertulia",
		DontListen:             true,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
		MaxPayload:             MaxPayload,
		MaxPending:             4 * MaxPayload,
		MaxClosedClients:       10,
		JetStream:              true,
		StoreDir:               s.config.Dir,
		JetStreamMaxMemory:     maxMemory,
		JetStreamMaxStore:      s.config.MaxStore,
		SyncAlways:             true, // an acknowledged record has been synced to the disk
	}
}

// awaitReady also reports what NATS calls fatal: Start only logs it.
func (s *Server) awaitReady(nats *server.Server) error {
	if text := s.log.fatal.Load(); text != nil { // Start has returned
		return fmt.Errorf("start the embedded NATS on %s: %s; make the directory writable for this user, or name another data folder", s.config.Dir, *text)
	}
	if !nats.ReadyForConnections(s.config.StartTimeout) {
		return fmt.Errorf("the embedded NATS on %s was not ready within %v", s.config.Dir, s.config.StartTimeout)
	}
	return nil
}

func (s *Server) stop(nats *server.Server) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		nats.Shutdown()
		nats.WaitForShutdown()
	}()
	select {
	case <-stopped:
		return nil
	case <-time.After(s.config.StopTimeout):
		return fmt.Errorf("the embedded NATS did not stop within %v", s.config.StopTimeout)
	}
}
