package diagnosis

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
)

// Calls is what a [Watch] asks about calls. Errors mean that nothing can be said now.
type Calls interface {
	// Facts are those of a session's endpoints, of one only if it is named; none for what is unknown.
	Facts(ctx context.Context, session, endpoint string) ([]mediactl.Facts, error)
	// Streams are what the connections of a session publish, by connection; nil if there is no such session.
	Streams(session string) map[string]Published
	// Video are the codecs an endpoint's client offered, and those its session allows.
	Video(ctx context.Context, session, endpoint string) (offered, allowed []string)
	// Silence is how long the client has said nothing on its websocket, -1 if that is unknown.
	Silence(session, connection string) time.Duration
}

// Published is a connection's stream as its session has it.
type Published struct {
	Stream string
	Announced
}

// Config is what a [Watch] needs.
type Config struct {
	Calls   Calls
	Journal *Journal
	Host    func() Host  // what is known of this machine; must not wait
	Log     *slog.Logger // each record once, and nothing of healthy calls
	Report  func(Record) // told of each record when it begins and when it ends; nil: nobody
}

// How often is looked.
const (
	tick       = 250 * time.Millisecond
	oftenEvery = 1000        // milliseconds: endpoints that are young or unwell
	calmEvery  = 3000        // the others: what lasts 7 s is named within 10
	youngFor   = 30_000      // milliseconds after the descriptions
	factsWait  = time.Second // for a media node's answer
	maxQueue   = 16_384      // events that wait
	smallCall  = 24          // endpoints up to which a call is always looked at as a whole
)

// Watch looks at the calls and adds a record to the journal where the catalogue has a name for what it sees, and ends it
// when that is over. [Watch.Run] is its one goroutine.
type Watch struct {
	cfg    Config
	events chan event.Event
	missed atomic.Int64

	// Of the goroutine that runs.
	calls    map[string]*call
	closes   closes
	networks *networks
	host     Host
	judged   int64 // when the networks were
}

// New makes a watch; Run starts it.
func New(cfg Config) *Watch {
	if cfg.Report == nil {
		cfg.Report = func(Record) {}
	}
	return &Watch{
		cfg: cfg, events: make(chan event.Event, maxQueue), calls: map[string]*call{}, networks: newNetworks(),
	}
}

// Event tells the watch what has happened. It never waits: what the queue has no room for is counted and lost; the
// endpoints of a call are found all the same.
func (w *Watch) Event(e event.Event) {
	select {
	case w.events <- e:
	default:
		w.missed.Add(1)
	}
}

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-w.events:
			w.take(e)
		case <-ticker.C:
			w.catchUp()
			w.host = w.cfg.Host()
			w.look(ctx)
		}
	}
}

// catchUp takes the events that wait, so that a look knows them.
func (w *Watch) catchUp() {
	for range maxQueue {
		select {
		case e := <-w.events:
			w.take(e)
		default:
			return
		}
	}
}

// look looks at the calls whose time has come.
func (w *Watch) look(ctx context.Context) {
	if n := w.missed.Swap(0); n > 0 {
		w.cfg.Log.Warn("diagnosis is behind: events of calls were lost; faults may be named late", "events", n)
	}
	for _, c := range w.calls {
		if ctx.Err() != nil {
			return
		}
		if now := time.Now().UnixMilli(); now >= c.next {
			w.examine(ctx, c)
		}
	}
	now := time.Now().UnixMilli()
	if now-w.judged < calmEvery {
		return
	}
	w.judged = now
	for _, a := range w.networks.judge(&View{Now: now, Host: &w.host}) {
		if a.ended {
			w.end(a.record, now)
		} else {
			w.begin(a.record)
		}
	}
	w.networks.sweep(now)
}

// begin makes a record known.
func (w *Watch) begin(r *Record) {
	begun := *r // the journal's own may be ended at any time
	w.cfg.Journal.Begin(r)
	level, words := slog.LevelInfo, "noted"
	if row, _ := Of(r.Code); row.Scope == InUse {
		w.cfg.Log.Warn("the server is used in a way it should not be", "code", r.Code, "side", r.Side, "what", r.Title, "evidence", r.Evidence, "fix", r.Fix)
		w.cfg.Report(begun)
		return
	}
	switch r.Severity {
	case Error:
		level, words = slog.LevelError, "media does not flow"
	case Warning:
		level, words = slog.LevelWarn, "media is in danger"
	}
	w.cfg.Log.Log(context.Background(), level, words, "code", r.Code, "side", r.Side, "session", r.Session, "connection", r.Connection,
		"stream", r.Stream, "what", r.Title, "evidence", r.Evidence, "fix", r.Fix)
	w.cfg.Report(begun)
}

// Tell makes a fault known that others have found and that has no end: of how this server is used. fill is for the braces
// of the catalogue's texts. It may be called from any goroutine; codes that are not in the catalogue are not told.
func (w *Watch) Tell(code Code, fill map[string]string, evidence ...string) {
	if _, ok := Of(code); !ok {
		return
	}
	host := w.cfg.Host()
	found := &Finding{Code: code, Evidence: evidence, Fill: fill}
	r := found.record(&View{Now: time.Now().UnixMilli(), Host: &host})
	w.begin(r)
	w.cfg.Report(w.cfg.Journal.End(r, r.At))
}

// end says that it is over.
func (w *Watch) end(r *Record, at int64) {
	w.cfg.Log.Info("over", "code", r.Code, "session", r.Session, "connection", r.Connection, "stream", r.Stream)
	w.cfg.Report(w.cfg.Journal.End(r, at))
}
