package reach

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	lookEvery     = 5 * time.Second  // at the interfaces
	resolveEvery  = 15 * time.Second // the domain, and the metadata service if there is one
	discoverEvery = 5 * time.Minute
	stunWithin    = 3 * time.Second
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
	// TryUDP and TryTCP send a Binding request to our own media, by an address of this machine. nil: not tried.
	TryUDP, TryTCP func(context.Context) error
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
	clouds func(context.Context) cloud
	relays func(context.Context, Target) Probe

	mu      sync.Mutex
	finding Finding
	probes  []Probe
	trials  map[string]*trial
	ends    time.Time // of the certificate
}

// trial is what came of trying one thing; it fails when it has failed twice in a row.
type trial struct {
	tried    bool
	failures int
	err      error
}

func (t *trial) failed() bool { return t != nil && t.failures >= 2 }

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
	return &Watch{
		config: config, trials: map[string]*trial{}, relays: ProbeTURN,
		clouds: func(ctx context.Context) cloud { return askClouds(ctx, config.Metadata) },
	}
}

// Finding returns what is known of our addresses; its At is zero until the first is there.
func (w *Watch) Finding() Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.finding
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
	running.Go(func() { w.addresses(ctx) })
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

// addresses asks all there is to ask at the start, when the interfaces change and every five minutes; between, what costs
// nothing. What is known without asking anybody outside is found first.
func (w *Watch) addresses(ctx context.Context) {
	a := answers{port: w.config.Port, domain: w.config.Domain, asked: w.config.Discover, kept: w.kept()}
	var resolved, discovered time.Time
	first, misses := true, 0
	for ctx.Err() == nil {
		now := time.Now()
		interfaces, err := w.config.Interfaces()
		changed := err == nil && !slices.Equal(interfaces, a.interfaces)
		if changed {
			a.interfaces = interfaces
			w.config.Seen.Own(interfaces)
		}
		if changed || now.Sub(resolved) >= resolveEvery {
			w.resolve(ctx, &a)
			if first {
				w.early(&a)
				first = false
			}
			if w.config.Discover && (discovered.IsZero() || changed || a.cloud.name != "") {
				if c := w.clouds(ctx); c.name != "" { // a service that once is too slow has not gone
					a.cloud = c
				}
			}
			resolved = now
		}
		if w.config.Discover && (changed || now.Sub(discovered) >= discoverEvery) {
			discovered = now
			if asked := w.askServers(ctx, &a); len(asked) > 0 || len(a.mapped) == 0 || changed || misses >= 3 {
				a.mapped, misses = asked, 0
			} else { // nobody answers who did: they are asked again soon
				misses++
				discovered = now.Add(30*time.Second - discoverEvery)
			}
		}
		if ctx.Err() == nil {
			a.at = now
			w.found(&a)
		}
		wait(ctx, lookEvery)
	}
}

// early tells what the configuration and the interfaces say; whether that is right is not judged yet.
func (w *Watch) early(a *answers) {
	before := *a
	before.kept, before.asked = nil, false
	f := judge(&before)
	f.At, f.Problems, f.Notes = time.Time{}, nil, nil
	w.tell(f)
}

func (w *Watch) resolve(ctx context.Context, a *answers) {
	if a.domain == "" || isLocal(a.domain) {
		return
	}
	if literal, err := netip.ParseAddr(a.domain); err == nil {
		a.resolved = outside([]netip.Addr{literal})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stunWithin)
	defer cancel()
	found, err := w.config.Resolve(ctx, a.domain)
	var missing *net.DNSError
	a.unknown = errors.As(err, &missing) && missing.IsNotFound
	if err == nil || a.unknown {
		a.resolved = outside(found)
	} // else nobody could be asked, and what was known counts
}

// outside leaves out what says nothing about the outside.
func outside(list []netip.Addr) (kept []netip.Addr) {
	for _, a := range list {
		if a = a.Unmap(); !a.IsLoopback() && !a.IsUnspecified() {
			kept = append(kept, a)
		}
	}
	slices.SortFunc(kept, netip.Addr.Compare) // DNS rotates them
	return kept
}

// askServers asks all STUN servers at once.
func (w *Watch) askServers(ctx context.Context, a *answers) []netip.AddrPort {
	ctx, cancel := context.WithTimeout(ctx, stunWithin)
	defer cancel()
	ask := w.config.Ask
	if a.alone = ask == nil; a.alone {
		ask = AskAlone
	}
	servers := w.config.STUNServers[:min(len(w.config.STUNServers), maxServers)]
	all := make([]netip.AddrPort, len(servers))
	var asking sync.WaitGroup
	for i, server := range servers {
		asking.Go(func() {
			if at, ok := w.serverAddress(ctx, server, a.interfaces); ok {
				all[i], _ = ask(ctx, at) // one that does not answer is none
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(all, func(m netip.AddrPort) bool { return !m.IsValid() })
}

// serverAddress resolves a server to an address of a family we have.
func (w *Watch) serverAddress(ctx context.Context, server string, own []netip.Addr) (netip.AddrPort, bool) {
	host, port, err := net.SplitHostPort(server)
	number, portErr := net.LookupPort("udp", port)
	if err != nil || portErr != nil {
		return netip.AddrPort{}, false
	}
	found := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		found = append(found, literal)
	} else if found, err = w.config.Resolve(ctx, host); err != nil {
		return netip.AddrPort{}, false
	}
	haveIPv4 := slices.ContainsFunc(own, netip.Addr.Is4)
	for _, wantIPv4 := range []bool{haveIPv4, !haveIPv4} {
		for _, a := range found {
			if a = a.Unmap(); a.Is4() == wantIPv4 {
				return netip.AddrPortFrom(a, uint16(number)), true
			}
		}
	}
	return netip.AddrPort{}, false
}

// found judges, tells and remembers.
func (w *Watch) found(a *answers) {
	f := judge(a)
	w.tell(f)
	if len(f.Public) == 0 || len(f.Problems) > 0 || slices.Equal(f.Public, a.kept) {
		return
	}
	a.kept = f.Public
	if w.config.Kept == "" {
		return
	}
	text, err := json.Marshal(f.Public)
	if err == nil {
		err = os.WriteFile(w.config.Kept, text, 0o600)
	}
	if err != nil {
		w.config.Log.Warn("the public address could not be kept: if it is lost before the next start, that will not be noticed", "error", err)
	}
}

// tell logs what is new and hands it on.
func (w *Watch) tell(f Finding) {
	w.mu.Lock()
	before := w.finding
	w.finding = f
	w.mu.Unlock()
	if !slices.Equal(f.Problems, before.Problems) {
		for _, p := range f.Problems {
			w.config.Log.Error(p.Text, "code", p.Code, "fix", p.Fix)
		}
		if len(f.Problems) == 0 {
			w.config.Log.Info("our address is right again", "public", join(f.Public))
		}
	}
	if slices.Equal(f.Public, before.Public) && f.Verified == before.Verified && slices.Equal(f.Notes, before.Notes) &&
		slices.Equal(f.Problems, before.Problems) && slices.Equal(f.Interfaces, before.Interfaces) && slices.Equal(f.Resolved, before.Resolved) && f.At.IsZero() == before.At.IsZero() {
		return
	}
	if !f.At.IsZero() {
		w.config.Log.Info("addresses", "public", join(f.Public), "source", f.Source, "verified", f.Verified, "interfaces", join(f.Interfaces), "notes", f.Notes)
	}
	if w.config.Found != nil {
		w.config.Found(f)
	}
}

// kept reads the addresses of an earlier start; a file that cannot be read is none.
func (w *Watch) kept() (list []netip.Addr) {
	if w.config.Kept == "" {
		return nil
	}
	text, err := os.ReadFile(w.config.Kept)
	if err != nil || len(text) > 4096 || json.Unmarshal(text, &list) != nil {
		return nil
	}
	return list
}

// systemInterfaces are the addresses of this machine, loopback and link-local ones left out, in order.
func systemInterfaces() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var list []netip.Addr
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if address, ok := netip.AddrFromSlice(n.IP); ok && address.Unmap().IsGlobalUnicast() {
				list = append(list, address.Unmap())
			}
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return list, nil
}
