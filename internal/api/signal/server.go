package signal

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/api/jsonrpc"
)

// Config is what a Server needs; zero values mean the defaults named.
type Config struct {
	Sessions Sessions // see Local
	Secret   string   // the server's: a client that knows it joins without a token
	Log      *slog.Logger

	// MediaServer is told to every client, "kurento" or "mediasoup"; "": by release (design decision 10).
	MediaServer string

	// Settings are read anew for each join; nil: zero.
	Settings func() Settings
	// SecretSeen is told of each join with the right secret that came from a web page: origin is the page's (its Origin
	// header), address the client's. The pages that record and transcribe are ours. It must not wait; nil: nobody.
	SecretSeen func(origin string, address netip.Addr)
	// Locate says where an address is, "City, Country", or "" where it cannot. It must not wait; nil: nowhere.
	Locate func(netip.Addr) string

	// Life numbers the memory of this server: as long as it is the same, clients that are told that their RPC session is
	// unknown have been away too long (networkDisconnect); with another one the server has forgotten them (nodeCrashed).
	// joinRoom and sessionStatus tell it (spec §2.9). 0: it is not told, and clients suppose the former.
	Life int64

	// Room refuses who would be one too many for this machine, with a fault.NoCapacity that says why; nil: nobody. It is
	// asked before each websocket, which may be a running call's that comes back, and before each join, which is new.
	Room func(running bool) error

	MaxFrame            int64         // bytes: 1 MiB
	MaxSocketsByAddress int           // 1,000: an office or a school may be behind one address; this host is not limited
	MaxMessageRate      int           // of one socket, per second, 16 KiB counting as one more: 200; a faster one is read more slowly
	PingEvery           time.Duration // control pings of ours: 20 s; below 0: none
	Idle                time.Duration // a socket that says nothing is closed after it: 60 s
	Linger              time.Duration // from leaving or eviction to the close by the server: 10 s
}

// Settings are what may change while the server runs.
type Settings struct {
	Secret        string   // in place of Config.Secret; "": that
	MediaServer   *string  // in place of Config.MediaServer; nil: that
	OldSecrets    []string // as good as Secret (OPENVIDU_SECRET_PREVIOUS)
	NoSecretJoins bool     // a client that knows a secret needs a token all the same (JOIN_BY_SECRET=false)
	Strict        bool     // so does a page in a browser (STRICT), but those that record and transcribe
}

func (s *Server) settings() Settings {
	var now Settings
	if s.cfg.Settings != nil {
		now = s.cfg.Settings()
	}
	now.Secret, now.MediaServer = cmp.Or(now.Secret, s.cfg.Secret), cmp.Or(now.MediaServer, &s.cfg.MediaServer)
	return now
}

// Server accepts the websockets of clients. It serves /openvidu, /room (1.x) and the two accept-certificate pages.
type Server struct {
	cfg    Config
	log    *slog.Logger
	failed *failures

	mu      sync.Mutex
	stopped bool
	sockets map[*socket]context.CancelCauseFunc
	crowd   map[netip.Prefix]int // sockets by address
	seats   map[chair]*socket    // the latest socket of each connection
	open    sync.WaitGroup

	refused, dropped atomic.Int64
}

// New makes a server; it accepts sockets until Run ends.
func New(cfg Config) *Server {
	setDefault(&cfg.MaxFrame, 1<<20)
	setDefault(&cfg.MaxSocketsByAddress, 1000)
	setDefault(&cfg.MaxMessageRate, 200)
	setDefault(&cfg.PingEvery, 20*time.Second)
	setDefault(&cfg.Idle, time.Minute)
	setDefault(&cfg.Linger, 10*time.Second)
	return &Server{
		cfg: cfg, log: cfg.Log, failed: newFailures(),
		sockets: map[*socket]context.CancelCauseFunc{}, crowd: map[netip.Prefix]int{}, seats: map[chair]*socket{},
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Run waits for the end of ctx, closes every socket and waits until they are gone. Their connections live on for the
// grace time: a server that is back by then finds its clients again.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.stopped = true
	for _, stop := range s.sockets {
		stop(&jsonrpc.Closing{Code: jsonrpc.StatusGoingAway, Reason: "Server is restarting"})
	}
	s.mu.Unlock()
	s.open.Wait()
	return nil
}

// Stats are counts since the start, except Sockets.
type Stats struct {
	Sockets int   // open now
	Refused int64 // sockets over a limit, of their address or of this machine
	Dropped int64 // messages nobody could be answered for
}

// Stats returns what the server has counted.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Sockets: len(s.sockets), Refused: s.refused.Load(), Dropped: s.dropped.Load()}
}

// ServeHTTP serves one page or one socket until it is closed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/accept-certificate" || r.URL.Path == "/openvidu/accept-certificate" {
		acceptCertificate(w, r)
		return
	}
	if err := s.room(true); err != nil {
		s.refused.Add(1)
		w.Header().Set("Retry-After", "5")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	from := s.identify(w, r)
	if !s.enter(from) {
		http.Error(w, "too many connections from your address, or the server is stopping; retry later", http.StatusServiceUnavailable)
		return
	}
	defer s.exit(from)
	// Pages of any origin are clients, as they are of the original; what they may do, the token says.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		s.log.Debug("no websocket", "address", from.address, "error", err)
		return
	}
	ws.SetReadLimit(s.cfg.MaxFrame)
	defer keepAlive(ws, s.cfg.PingEvery)()
	s.serve(context.WithoutCancel(r.Context()), frames{ws}, from)
}

func (s *Server) room(running bool) error {
	if s.cfg.Room == nil {
		return nil
	}
	return s.cfg.Room(running)
}

// enter counts a socket; it reports false when its address has too many, or the server ends.
func (s *Server) enter(from caller) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.crowd[from.group()] >= s.cfg.MaxSocketsByAddress && !from.loopback // everybody, if a proxy here says nothing of its clients
	if s.stopped || full {
		s.refused.Add(1)
		return false
	}
	s.crowd[from.group()]++
	s.open.Add(1)
	return true
}

func (s *Server) exit(from caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowd[from.group()]--; s.crowd[from.group()] <= 0 {
		delete(s.crowd, from.group())
	}
	s.open.Done()
}

// add lets Run stop a socket, now if it has already ended.
func (s *Server) add(c *socket, stop context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets[c] = stop
	if s.stopped {
		stop(&jsonrpc.Closing{Code: jsonrpc.StatusGoingAway, Reason: "Server is restarting"})
	}
}

func (s *Server) remove(c *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, c)
	if seat := c.place(); seat != nil && s.seats[seat.chair()] == c {
		delete(s.seats, seat.chair())
	}
}
