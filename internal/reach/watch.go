package reach

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	lookEvery     = 5 * time.Second  // at the interfaces
	resolveEvery  = 15 * time.Second // the domain, and the metadata service if there is one
	discoverEvery = 5 * time.Minute
	stunWithin    = 3 * time.Second
	othersWithin  = 700 * time.Millisecond
	tryEvery      = 8 * time.Second  // our own transports
	probeEvery    = 12 * time.Second // TURN servers elsewhere; up to a third more, so that nodes do not ask in step
	maxServers    = 4                // STUN servers asked at a time
)

// Config is what a Watch needs; Port is required.
type Config struct {
	Domain      string // DOMAIN_OR_PUBLIC_IP
	Port        uint16 // of media
	Discover    bool   // ask clouds and STUN servers
	STUNServers []string
	Metadata    string // base URL of the metadata service; "" for the clouds' own
	Kept        string // file in which the last public addresses are kept from start to start; "" for none
	// Ask asks a STUN server from the media port (Queries.Ask); nil: from a port of its own, which tells less.
	Ask        func(ctx context.Context, server netip.AddrPort) (netip.AddrPort, error)
	Interfaces func() ([]netip.Addr, error)                                 // nil for the system's
	Resolve    func(ctx context.Context, host string) ([]netip.Addr, error) // nil for the system's
	Found      func(Finding)                                                // is told each finding that differs from the one before; nil for nobody

	Seen *Seen
	// TryUDP and TryTCP send a Binding request to our own media: to an address of this machine if none is given, else to
	// the public one, which a NAT or cloud may lead back to us. nil: not tried.
	TryUDP, TryTCP func(ctx context.Context, at netip.Addr) error
	// Relay is our own TURN, Relays are those of others that clients are told of.
	Relay  func() (Target, bool)
	Relays []Target
	// NotAfter is the end of the certificate that clients are shown.
	NotAfter func(context.Context) (time.Time, error)
	Log      *slog.Logger // nil discards
}

// Watch finds out, at every start and from then on, whether we can be reached.
type Watch struct {
	config Config
	find   finder
	relays func(context.Context, Target) Probe

	mu     sync.Mutex
	probes []Probe
	trials map[string]*trial
	public netip.Addr        // that the trials "udp public" and "tcp public" were of
	red    map[string]string // code by name, of the checks that were logged as red
	ends   time.Time         // of the certificate
}

// trial is what came of trying one thing; it fails when it has failed twice in a row.
type trial struct {
	tried, worked bool
	failures      int
	err           error
}

func (t *trial) failed() bool { return t != nil && t.failures >= 2 }

// broke reports a trial that fails and once did not: not every network leads our public address back to us.
func (t *trial) broke() bool { return t.failed() && t.worked }

// New starts nothing.
func New(config Config) *Watch {
	if config.Interfaces == nil {
		config.Interfaces = systemInterfaces
	}
	if config.Resolve == nil {
		config.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if config.Metadata == "" {
		config.Metadata = metadataAt
	}
	if config.Seen == nil {
		config.Seen = &Seen{}
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watch{config: config, trials: map[string]*trial{}, red: map[string]string{}, relays: ProbeTURN}
	w.find.config = &w.config
	w.find.clouds = func(ctx context.Context) cloud { return askClouds(ctx, config.Metadata) }
	return w
}

// Finding returns what is known of our addresses; its At is zero until the first is there.
func (w *Watch) Finding() Finding {
	w.find.mu.Lock()
	defer w.find.mu.Unlock()
	return w.find.finding
}

// TURN returns the latest probe of each TURN server clients are told of.
func (w *Watch) TURN() []Probe {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.probes)
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { w.find.addresses(ctx) })
	running.Go(func() {
		wait(ctx, time.Second) // what is tried is only starting
		every(ctx, tryEvery, w.try)
	})
	if len(w.config.Relays) > 0 {
		running.Go(func() { every(ctx, probeEvery, w.probe) })
	}
	running.Wait()
	return nil
}

// every does something at once, and again with pauses of a time and up to a third more.
func every(ctx context.Context, pause time.Duration, do func(context.Context)) {
	for ctx.Err() == nil {
		do(ctx)
		wait(ctx, pause+rand.N(pause/3))
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
