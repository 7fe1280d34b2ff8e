package reach

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	tryWithin = 3 * time.Second
	// detour is how long all who come may come by other ways before UDP is taken for blocked.
	detour = 15 * time.Second
	// lasting is how long one of them comes so before it counts.
	lasting = 5 * time.Second
)

var errNotShown = errors.New("no certificate is shown")

// try tries our own transports, our own TURN and the certificate, side by side.
func (w *Watch) try(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	var trying sync.WaitGroup
	start := func(name string, one func(context.Context) error) {
		trying.Go(func() { w.settle(ctx, name, one(ctx)) })
	}
	start("turn", w.tryRelay)
	start("certificate", w.tryCertificate)
	public := w.throughNAT()
	for name, one := range map[string]func(context.Context, netip.Addr) error{"udp": w.config.TryUDP, "tcp": w.config.TryTCP} {
		if one == nil {
			continue
		}
		start(name, func(ctx context.Context) error { return one(ctx, netip.Addr{}) })
		if public.IsValid() {
			start(name+" public", func(ctx context.Context) error { return one(ctx, public) })
		}
	}
	trying.Wait()
	if ctx.Err() == nil || !errors.Is(ctx.Err(), context.Canceled) {
		w.alarm()
	}
}

// throughNAT is our public address if no interface has it; another one is tried anew.
func (w *Watch) throughNAT() netip.Addr {
	f := w.Finding()
	at := slices.IndexFunc(f.Public, func(a netip.Addr) bool { return !slices.Contains(f.Interfaces, a) })
	var public netip.Addr
	if at >= 0 {
		public = f.Public[at]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if public != w.public {
		w.public = public
		delete(w.trials, "udp public")
		delete(w.trials, "tcp public")
	}
	return public
}

// alarm logs what turns red, and what is green again; the finder does so for the domain.
func (w *Watch) alarm() {
	for _, c := range w.Checks()[1:] {
		w.mu.Lock()
		before := w.red[c.Name]
		w.red[c.Name] = c.Code
		w.mu.Unlock()
		switch {
		case c.Code == before:
		case c.OK:
			w.config.Log.Info("right again", "check", c.Name, "was", before)
		default:
			w.config.Log.Error(c.Text, "check", c.Name, "code", c.Code, "fix", c.Fix)
		}
	}
}

// settle notes what came of a trial; one that was cut short by the end says nothing.
func (w *Watch) settle(ctx context.Context, name string, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.trials[name]
	if t == nil {
		t = &trial{}
		w.trials[name] = t
	}
	t.tried = true
	if t.err = err; err == nil {
		t.failures, t.worked = 0, true
	} else {
		t.failures++
	}
}

// tryRelay tries our own TURN, if clients are told of it.
func (w *Watch) tryRelay(ctx context.Context) error {
	if w.config.Relay == nil {
		return nil
	}
	target, ok := w.config.Relay()
	if !ok {
		return nil
	}
	p := w.relays(ctx, target)
	w.mu.Lock()
	if len(w.config.Relays) == 0 && !errors.Is(ctx.Err(), context.Canceled) {
		w.probes = []Probe{p}
	}
	w.mu.Unlock()
	if p.Code != "" {
		return errors.New(p.Text)
	}
	return nil
}

func (w *Watch) tryCertificate(ctx context.Context) error {
	if w.config.NotAfter == nil {
		return nil
	}
	end, err := w.config.NotAfter(ctx)
	if err != nil {
		return errNotShown // why is told by the tcp check: the front door does not answer
	}
	w.mu.Lock()
	w.ends = end
	w.mu.Unlock()
	return nil
}

// probe tries the TURN servers elsewhere, all at once; one that fails is tried again at once, as a packet may be lost.
func (w *Watch) probe(ctx context.Context) {
	probes := make([]Probe, len(w.config.Relays))
	var probing sync.WaitGroup
	for i, target := range w.config.Relays {
		probing.Go(func() {
			if probes[i] = w.relays(ctx, target); probes[i].Code != "" {
				probes[i] = w.relays(ctx, target)
			}
		})
	}
	probing.Wait()
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	w.probes = probes
	w.mu.Unlock()
	w.alarm()
}

// Checks are the five live checks, always in this order: domain, udp, tcp, turn, certificate. Each turns red within 30 s
// of what breaks it and green again; what cannot be told because another is red stays green and says so.
func (w *Watch) Checks() []Check { return w.checksAt(time.Now()) }

func (w *Watch) checksAt(now time.Time) []Check {
	ages := w.config.Seen.Ages()
	blocked := w.config.Seen.blocked(now, detour)
	w.mu.Lock()
	defer w.mu.Unlock()
	return []Check{w.domainCheck(), w.udpCheck(ages, blocked), w.tcpCheck(ages), w.turnCheck(ages), w.certificateCheck(now)}
}

func (w *Watch) domainCheck() Check {
	f := w.Finding()
	if len(f.Problems) > 0 {
		p := f.Problems[0]
		return Check{"domain", false, p.Code, p.Text, p.Fix}
	}
	text := "not asked yet"
	switch {
	case f.At.IsZero():
	case len(f.Public) > 0 && f.Verified:
		text = "clients reach us at " + join(f.Public) + "; a STUN server has seen our port there"
	case len(f.Public) > 0:
		text = "clients reach us at " + join(f.Public) + " (" + f.Source + "); not verified from outside"
	default:
		text = "no public address: clients of this network reach us at " + orWords(f.Interfaces, "no address at all")
	}
	return Check{Name: "domain", OK: true, Text: strings.Join(append([]string{text}, f.Notes...), "; ")}
}

func (w *Watch) udpCheck(ages map[Transport]time.Duration, blocked bool) Check {
	age, ever := ages[UDP]
	silent := !ever || age > detour
	var text string
	switch own, public := w.trials["udp"], w.trials["udp public"]; {
	case own.failed() && silent:
		text = fmt.Sprintf("UDP to our own port %d is not answered: %v", w.config.Port, own.err)
	case public.broke() && silent:
		text = fmt.Sprintf("UDP to our public address %s is not answered any more", netip.AddrPortFrom(w.public, w.config.Port))
	case blocked:
		text = "no UDP comes to this server from outside, those who come take TCP or TURN"
	default:
		return Check{Name: "udp", OK: true, Text: seenText(UDP, ages, own, public)}
	}
	return Check{"udp", false, codeUDP, text, w.open("udp")}
}

func (w *Watch) tcpCheck(ages map[Transport]time.Duration) Check {
	silent := true
	for _, by := range []Transport{TCP, TLS} { // TURN may have come by another port
		age, ever := ages[by]
		silent = silent && (!ever || age > 2*detour)
	}
	var text string
	switch own, public := w.trials["tcp"], w.trials["tcp public"]; {
	case own.failed():
		text = fmt.Sprintf("TCP to our own port %d is not answered: %v", w.config.Port, own.err)
	case public.broke() && silent:
		text = fmt.Sprintf("TCP to our public address %s is not answered any more", netip.AddrPortFrom(w.public, w.config.Port))
	default:
		return Check{Name: "tcp", OK: true, Text: seenText(TCP, ages, own, public)}
	}
	return Check{"tcp", false, codeTCP, text, w.open("tcp")}
}

func (w *Watch) open(protocol string) string {
	return fmt.Sprintf("Open %d/%s:\n%s", w.config.Port, protocol, strings.Join(Rules(w.config.Port, protocol), "\n"))
}

func (w *Watch) turnCheck(ages map[Transport]time.Duration) Check {
	for _, p := range w.probes {
		if p.Code != "" && len(w.config.Relays) > 0 {
			return Check{"turn", false, p.Code, p.URL + ": " + p.Text, p.Fix}
		}
	}
	if len(w.config.Relays) > 0 {
		return Check{Name: "turn", OK: true, Text: probeText(w.probes)}
	}
	t := w.trials["turn"]
	switch {
	case !t.failed():
		return Check{Name: "turn", OK: true, Text: seenText(TURN, ages, t, nil)}
	case w.trials["tcp"].failed() || w.trials["tcp"] != nil && w.trials["tcp"].err != nil:
		return Check{Name: "turn", OK: true, Text: "cannot be tried while TCP is not answered"}
	}
	return Check{"turn", false, codeTURN, "our own TURN does not relay: " + t.err.Error(),
		"Look at tertulia_turn_refused_total and the log for what it refuses; if nothing tells, restart this server and report it."}
}

func (w *Watch) certificateCheck(now time.Time) Check {
	switch {
	case w.ends.IsZero():
		return Check{Name: "certificate", OK: true, Text: "not looked at yet"}
	case now.After(w.ends):
		return Check{"certificate", false, codeCertificate, "the certificate expired on " + day(w.ends),
			"Renew it: replace the files of CERTIFICATE_TYPE=owncert, or for letsencrypt look into the log for why it was not renewed."}
	}
	return Check{Name: "certificate", OK: true, Text: "good until " + day(w.ends)}
}

// seenText says what is known of a transport that is not known to be broken.
func seenText(by Transport, ages map[Transport]time.Duration, t, public *trial) string {
	var texts []string
	if age, ever := ages[by]; ever {
		texts = append(texts, fmt.Sprintf("last seen from outside %s ago", age.Round(time.Second)))
	} else {
		texts = append(texts, "not seen from outside yet")
	}
	switch {
	case t == nil || !t.tried:
	case t.err != nil:
		texts = append(texts, "did not answer us the last time")
	default:
		texts = append(texts, "answers us")
	}
	if public != nil && public.worked && public.err == nil {
		texts = append(texts, "also at our public address")
	}
	return strings.Join(texts, ", ")
}

func probeText(probes []Probe) string {
	if len(probes) == 0 {
		return "not tried yet"
	}
	slowest := slices.MaxFunc(probes, func(a, b Probe) int { return int(a.RTT - b.RTT) })
	return fmt.Sprintf("%d relays work, the slowest in %s", len(probes), slowest.RTT.Round(time.Microsecond))
}
