package reach

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// finder finds our addresses, and tells when they change.
type finder struct {
	config *Config
	clouds func(context.Context) cloud

	mu      sync.Mutex
	finding Finding
}

// addresses asks all there is to ask at the start, when the interfaces change and every five minutes; between, what costs
// nothing. What is known without asking anybody outside is found first.
func (f *finder) addresses(ctx context.Context) {
	a := f.start()
	var resolved, discovered time.Time
	misses := 0
	for ctx.Err() == nil {
		now := time.Now()
		changed, first := f.look(&a), discovered.IsZero()
		cloud := first || changed
		if changed || now.Sub(resolved) >= resolveEvery {
			f.resolve(ctx, &a)
			if resolved.IsZero() {
				f.early(&a)
			}
			cloud = cloud || a.cloud.name != ""
			resolved = now
		}
		stun := first || changed || now.Sub(discovered) >= discoverEvery
		asked := f.ask(ctx, &a, cloud, stun)
		switch {
		case !stun:
		case len(asked) > 0 || len(a.mapped) == 0 || changed || misses >= 3:
			a.mapped, misses, discovered = asked, 0, now
		default: // nobody answers who did: they are asked again soon
			misses++
			discovered = now.Add(30*time.Second - discoverEvery)
		}
		if ctx.Err() == nil {
			a.at = now
			f.found(&a)
		}
		wait(ctx, lookEvery)
	}
}

func (f *finder) start() answers {
	return answers{port: f.config.Port, domain: f.config.Domain, asked: f.config.Discover, kept: f.kept()}
}

// look reports whether the interfaces have changed.
func (f *finder) look(a *answers) bool {
	interfaces, err := f.config.Interfaces()
	if err != nil || slices.Equal(interfaces, a.interfaces) {
		return false
	}
	a.interfaces = interfaces
	return true
}

// ask asks the cloud and STUN servers, side by side.
func (f *finder) ask(ctx context.Context, a *answers, cloud, stun bool) (mapped []netip.AddrPort) {
	if !f.config.Discover {
		return nil
	}
	var asking sync.WaitGroup
	if cloud {
		asking.Go(func() {
			if c := f.clouds(ctx); c.name != "" { // a service that once is too slow has not gone
				a.cloud = c
			}
		})
	}
	if stun {
		mapped = f.askServers(ctx, a)
	}
	asking.Wait()
	return mapped
}

// early tells what the configuration and the interfaces say; whether that is right is not judged yet.
func (f *finder) early(a *answers) {
	before := *a
	before.kept, before.asked = nil, false
	known := judge(&before)
	known.At, known.Problems, known.Notes = time.Time{}, nil, nil
	f.tell(known)
}

func (f *finder) resolve(ctx context.Context, a *answers) {
	if a.domain == "" || isLocal(a.domain) {
		return
	}
	if literal, err := netip.ParseAddr(a.domain); err == nil {
		a.resolved = outside([]netip.Addr{literal})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stunWithin)
	defer cancel()
	found, err := f.config.Resolve(ctx, a.domain)
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

// askServers asks all STUN servers at once. After the first answer the others are not waited for long: one is enough to
// offer an address, and calls wait for it.
func (f *finder) askServers(ctx context.Context, a *answers) []netip.AddrPort {
	ctx, cancel := context.WithTimeout(ctx, stunWithin)
	defer cancel()
	ask := f.config.Ask
	if a.alone = ask == nil; a.alone {
		ask = AskAlone
	}
	servers := f.config.STUNServers[:min(len(f.config.STUNServers), maxServers)]
	all := make([]netip.AddrPort, len(servers))
	var asking sync.WaitGroup
	var first sync.Once
	for i, server := range servers {
		asking.Go(func() {
			at, ok := f.serverAddress(ctx, server, a.interfaces)
			if !ok {
				return
			}
			var err error
			if all[i], err = ask(ctx, at); err == nil { // one that does not answer is none
				first.Do(func() { time.AfterFunc(othersWithin, cancel) })
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(all, func(m netip.AddrPort) bool { return !m.IsValid() })
}

// serverAddress resolves a server to an address of a family we have.
func (f *finder) serverAddress(ctx context.Context, server string, own []netip.Addr) (netip.AddrPort, bool) {
	host, port, err := net.SplitHostPort(server)
	number, portErr := net.LookupPort("udp", port)
	if err != nil || portErr != nil {
		return netip.AddrPort{}, false
	}
	found := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		found = append(found, literal)
	} else if found, err = f.config.Resolve(ctx, host); err != nil {
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
func (f *finder) found(a *answers) {
	now := judge(a)
	f.tell(now)
	if len(now.Public) == 0 || len(now.Problems) > 0 || slices.Equal(now.Public, a.kept) {
		return
	}
	a.kept = now.Public
	if f.config.Kept == "" {
		return
	}
	text, err := json.Marshal(now.Public)
	if err == nil {
		err = os.WriteFile(f.config.Kept, text, 0o600)
	}
	if err != nil {
		f.config.Log.Warn("the public address could not be kept: if it is lost before the next start, that will not be noticed", "error", err)
	}
}

// tell logs what is new and hands it on.
func (f *finder) tell(now Finding) {
	// What we try by our own public address comes back from there.
	f.config.Seen.Own(append(slices.Concat(now.Interfaces, now.Public), now.Mapped.Addr()))
	f.mu.Lock()
	before := f.finding
	f.finding = now
	f.mu.Unlock()
	if !slices.Equal(now.Problems, before.Problems) {
		for _, p := range now.Problems {
			f.config.Log.Error(p.Text, "code", p.Code, "fix", p.Fix)
		}
		if len(now.Problems) == 0 {
			f.config.Log.Info("our address is right again", "public", join(now.Public))
		}
	}
	if slices.Equal(now.Public, before.Public) && now.Verified == before.Verified && slices.Equal(now.Notes, before.Notes) &&
		slices.Equal(now.Problems, before.Problems) && slices.Equal(now.Interfaces, before.Interfaces) && slices.Equal(now.Resolved, before.Resolved) && now.At.IsZero() == before.At.IsZero() {
		return
	}
	if !now.At.IsZero() {
		f.config.Log.Info("addresses", "public", join(now.Public), "source", now.Source, "verified", now.Verified, "interfaces", join(now.Interfaces), "notes", now.Notes)
	}
	if f.config.Found != nil {
		f.config.Found(now)
	}
}

// kept reads the addresses of an earlier start; a file that cannot be read is none.
func (f *finder) kept() (list []netip.Addr) {
	if f.config.Kept == "" {
		return nil
	}
	text, err := os.ReadFile(f.config.Kept)
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
