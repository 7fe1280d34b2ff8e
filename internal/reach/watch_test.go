package reach

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world is all a Watch asks, in memory. Its zero value is a machine with one private address and nobody to ask.
type world struct {
	mu         sync.Mutex
	interfaces []netip.Addr
	domain     []netip.Addr
	dns        error
	cloud      cloud
	mapped     netip.AddrPort
	ends       time.Time
	broken     map[string]bool // udp, tcp, turn, udp public, tcp public
	noHairpin  bool            // the NAT leads nobody back to where he came from
	probe      Probe           // of a TURN server elsewhere

	asked, stun int
	found       []Finding
	log         strings.Builder
}

func (w *world) do(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) try(name string) func(context.Context, netip.Addr) error {
	return func(_ context.Context, at netip.Addr) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.broken[name] || at.IsValid() && (w.noHairpin || w.broken[name+" public"]) {
			return errors.New(name + " is broken")
		}
		return nil
	}
}

// Write implements io.Writer for the log.
func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *world) config(change func(*Config)) Config {
	c := Config{
		Port: 4443, Discover: true, STUNServers: []string{"198.51.100.1:3478", "[2001:db8::1]:3478", "stun.example:3478"},
		Ask: func(ctx context.Context, server netip.AddrPort) (netip.AddrPort, error) {
			w.mu.Lock()
			mapped := w.mapped
			w.stun++
			w.mu.Unlock()
			if !mapped.IsValid() || server.Addr().Is6() {
				<-ctx.Done() // silence
				return netip.AddrPort{}, ctx.Err()
			}
			return mapped, nil
		},
		Interfaces: func() ([]netip.Addr, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.interfaces), nil
		},
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if host == "stun.example" {
				return list("2001:db8::2 198.51.100.2"), nil
			}
			return w.domain, w.dns
		},
		Found:  func(f Finding) { w.do(func() { w.found = append(w.found, f) }) },
		TryUDP: w.try("udp"), TryTCP: w.try("tcp"),
		NotAfter: func(context.Context) (time.Time, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.broken["tcp"] {
				return time.Time{}, errors.New("nobody listens")
			}
			return w.ends, nil
		},
		Relay: func() (Target, bool) { return Target{URL: "turn:own"}, true },
		Log:   slog.New(slog.NewTextHandler(w, nil)),
	}
	if change != nil {
		change(&c)
	}
	return c
}

// watched runs a Watch in fake time.
func watched(t *testing.T, w *world, change func(*Config), test func(t *testing.T, watch *Watch)) {
	synctest.Test(t, func(t *testing.T) {
		if w.ends.IsZero() {
			w.ends = time.Now().Add(90 * 24 * time.Hour)
		}
		watch := New(w.config(change))
		watch.find.clouds = func(context.Context) cloud {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked++
			return w.cloud
		}
		watch.relays = func(ctx context.Context, target Target) Probe {
			w.mu.Lock()
			defer w.mu.Unlock()
			p := w.probe
			p.URL = target.URL
			if p.Code == "" && (w.broken["turn"] || w.broken["tcp"] && target.URL == "turn:own") {
				p.Code, p.Text, p.Fix = codeTURN, "broken", "mend it"
			}
			return p
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- watch.Run(ctx) }()
		test(t, watch)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// questions are how often metadata and STUN were asked.
func (w *world) questions() (asked, stun int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked, w.stun
}

func (w *world) told() []Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.found)
}

func (w *world) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// red are the names of the checks that are not OK; each of them has all a reader needs.
func red(t *testing.T, w *Watch) (names []string) {
	t.Helper()
	checks := w.Checks()
	var all []string
	for _, c := range checks {
		all = append(all, c.Name)
		if c.Text == "" || c.OK != (c.Code == "") || c.OK != (c.Fix == "") {
			t.Errorf("an incomplete check: %+v", c)
		}
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	if strings.Join(all, " ") != "domain udp tcp turn certificate" {
		t.Errorf("the checks are %v", all)
	}
	return names
}

func TestFOR_05__ALostPublicAddress(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "address.json")
	set := func(c *Config) { c.Kept = kept }
	for name, c := range map[string]struct{ before, after *world }{
		"of a cloud":         {&world{cloud: cloud{"AWS", netip.MustParseAddr("203.0.113.9")}}, &world{cloud: cloud{name: "AWS"}}},
		"seen by STUN":       {&world{mapped: netip.MustParseAddrPort("203.0.113.9:4443")}, &world{}},
		"behind another NAT": {&world{mapped: netip.MustParseAddrPort("203.0.113.9:4443")}, &world{mapped: netip.MustParseAddrPort("203.0.113.70:1024")}},
		"of an interface":    {&world{interfaces: list("203.0.113.9")}, &world{}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, w := range []*world{c.before, c.after} {
				if w.interfaces == nil {
					w.interfaces = list("10.0.0.5")
				}
			}
			watched(t, c.before, set, func(t *testing.T, watch *Watch) {
				time.Sleep(15 * time.Second)
				if f := watch.Finding(); join(f.Public) != "203.0.113.9" || len(red(t, watch)) > 0 {
					t.Fatalf("before: %+v, %v", f, watch.Checks())
				}
			})
			watched(t, c.after, set, func(t *testing.T, watch *Watch) {
				time.Sleep(15 * time.Second)
				f := watch.Finding()
				if len(f.Problems) != 1 || f.Problems[0].Code != "ADDRESS_WRONG" || !strings.Contains(f.Problems[0].Text, "203.0.113.9") {
					t.Fatalf("15 s after the start: %+v", f)
				}
				if got := red(t, watch); len(got) != 1 || got[0] != "domain" {
					t.Errorf("red: %v", got)
				}
				if log := c.after.text(); !strings.Contains(log, "code=ADDRESS_WRONG") || !strings.Contains(log, "fix=") || strings.Count(log, "lost its public address") != 1 {
					t.Errorf("logged %s", log)
				}
				c.after.do(func() { c.after.interfaces = list("203.0.113.10") }) // it gets another
				time.Sleep(15 * time.Second)
				if got := red(t, watch); len(got) > 0 || !strings.Contains(c.after.text(), "right again") {
					t.Errorf("still red: %+v", watch.Checks())
				}
			})
			if text, err := os.ReadFile(kept); err != nil || string(text) != `["203.0.113.10"]` {
				t.Errorf("kept %s, %v", text, err)
			}
		})
	}
}

// Discovery delays nobody: what is known without asking is told at once, what is found follows.
func TestFAQ_01__ThePublicAddressIsFoundWithoutConfiguration(t *testing.T) {
	w := &world{interfaces: list("10.0.0.5"), mapped: netip.MustParseAddrPort("203.0.113.9:4443")}
	watched(t, w, nil, func(t *testing.T, watch *Watch) {
		synctest.Wait()
		if first := w.told(); len(first) != 1 || !first[0].At.IsZero() || len(first[0].Public) > 0 {
			t.Fatalf("at once: %+v", first)
		}
		time.Sleep(othersWithin) // one server is silent
		synctest.Wait()
		told := w.told()
		last := told[len(told)-1]
		_, stun := w.questions()
		if join(last.Public) != "203.0.113.9" || !last.Verified || last.Source != "stun" || stun != 3 {
			t.Fatalf("found %+v with %d questions", last, stun)
		}
		time.Sleep(4 * time.Minute)
		if _, stun = w.questions(); stun != 3 || len(w.told()) != len(told) {
			t.Errorf("%d questions and %d findings without a reason", stun, len(w.told())-len(told))
		}
		time.Sleep(2 * time.Minute)
		if _, stun = w.questions(); stun != 6 {
			t.Errorf("%d questions after 6 minutes, want them again after 5", stun)
		}
		w.do(func() { w.interfaces, w.mapped = list("10.0.0.6"), netip.MustParseAddrPort("203.0.113.10:4443") })
		time.Sleep(lookEvery + stunWithin)
		if f := watch.Finding(); join(f.Public) != "203.0.113.10" || join(f.Interfaces) != "10.0.0.6" {
			t.Errorf("after the interfaces have changed: %+v", f)
		}
		w.do(func() { w.mapped = netip.AddrPort{} }) // the servers are silent for a while
		time.Sleep(discoverEvery + 10*time.Second)
		if f := watch.Finding(); join(f.Public) != "203.0.113.10" {
			t.Errorf("one silence takes the address away: %+v", f)
		}
		time.Sleep(3 * time.Minute)
		if f := watch.Finding(); len(f.Public) > 0 || len(f.Problems) != 1 {
			t.Errorf("a long one does not: %+v", f)
		}
	})
}

func TestDiscoveryOffAsksNobody(t *testing.T) {
	w := &world{interfaces: list("10.0.0.5"), mapped: netip.MustParseAddrPort("203.0.113.9:4443"), cloud: cloud{"AWS", netip.MustParseAddr("203.0.113.9")}}
	watched(t, w, func(c *Config) { c.Discover = false }, func(t *testing.T, watch *Watch) {
		time.Sleep(time.Hour)
		asked, stun := w.questions()
		if f := watch.Finding(); asked+stun != 0 || len(f.Public)+len(f.Problems) > 0 {
			t.Errorf("%d and %d questions, %+v", asked, stun, f)
		}
	})
}

// Offline a node starts and runs as ever, and asks seldom.
func TestOffline(t *testing.T) {
	w := &world{interfaces: list("10.0.0.5"), dns: errors.New("network is unreachable")}
	watched(t, w, func(c *Config) { c.Domain = "call.example" }, func(t *testing.T, watch *Watch) {
		time.Sleep(time.Hour)
		asked, stun := w.questions()
		if got := red(t, watch); len(got) > 0 || asked != 1 || stun > 3*13 {
			t.Errorf("red %v; %d and %d questions", got, asked, stun)
		}
		if log := w.text(); strings.Contains(log, "ERROR") || strings.Count(log, "\n") > 3 {
			t.Errorf("logged %s", log)
		}
	})
}

func TestKMS_18a__EachItemTurnsRedAloneAndGreenAgain(t *testing.T) {
	for name, c := range map[string]struct {
		outside     bool // the TURN server is another's
		lonely      bool // our public address does not lead back to us
		breaks      func(w *world)
		mends       func(w *world)
		code, named string
	}{
		"domain": {
			breaks: func(w *world) { w.domain = list("198.51.100.66") }, mends: func(w *world) { w.domain = list("203.0.113.9") },
			code: "DNS_MISMATCH", named: "A or AAAA record of call.example",
		},
		"udp": {
			breaks: func(w *world) { w.broken["udp"] = true }, mends: func(w *world) { w.broken["udp"] = false },
			code: "SERVER_UDP_BLOCKED", named: "nft insert rule inet filter input udp dport 4443 accept",
		},
		"udp, in front of us": {
			breaks: func(w *world) { w.broken["udp public"] = true }, mends: func(w *world) { w.broken["udp public"] = false },
			code: "SERVER_UDP_BLOCKED", named: "aws ec2 authorize-security-group-ingress",
		},
		"tcp, in front of us": {
			breaks: func(w *world) { w.broken["tcp public"] = true }, mends: func(w *world) { w.broken["tcp public"] = false },
			code: "NET_UNREACHABLE", named: "ufw allow 4443/tcp",
		},
		"udp, without hairpin": {
			lonely: true,
			breaks: func(w *world) { w.broken["udp"] = true }, mends: func(w *world) { w.broken["udp"] = false },
			code: "SERVER_UDP_BLOCKED", named: "nft insert rule",
		},
		"tcp": {
			breaks: func(w *world) { w.broken["tcp"] = true }, mends: func(w *world) { w.broken["tcp"] = false },
			code: "NET_UNREACHABLE", named: "ufw allow 4443/tcp",
		},
		"turn": {
			breaks: func(w *world) { w.broken["turn"] = true }, mends: func(w *world) { w.broken["turn"] = false },
			code: "TURN_FAULTY", named: "log",
		},
		"turn, outside": {
			outside: true,
			breaks:  func(w *world) { w.probe = Probe{Code: codeSecret, Text: "401", Fix: "Use the same secret"} },
			mends:   func(w *world) { w.probe = Probe{} },
			code:    "TURN_SECRET_WRONG", named: "Use the same secret",
		},
		"certificate": {
			breaks: func(w *world) { w.ends = time.Now().Add(time.Second) }, mends: func(w *world) { w.ends = time.Now().Add(24 * time.Hour) },
			code: "CERTIFICATE_INVALID", named: "Renew",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{interfaces: list("10.0.0.5"), domain: list("203.0.113.9"), mapped: netip.MustParseAddrPort("203.0.113.9:4443"), broken: map[string]bool{}, noHairpin: c.lonely}
			watched(t, w, func(conf *Config) {
				conf.Domain = "call.example"
				if c.outside {
					conf.Relays = []Target{{URL: "turn:a"}, {URL: "turn:b"}}
				}
			}, func(t *testing.T, watch *Watch) {
				for range 3 { // again and again, from different points of its rounds
					time.Sleep(47 * time.Second)
					if got := red(t, watch); len(got) > 0 {
						t.Fatalf("red before: %+v", watch.Checks())
					}
					w.do(func() { c.breaks(w) })
					time.Sleep(30 * time.Second)
					want, _, _ := strings.Cut(name, ",")
					if got := red(t, watch); len(got) != 1 || got[0] != want {
						t.Fatalf("30 s after it broke, red: %v", got)
					}
					for _, check := range watch.Checks() {
						if !check.OK && (check.Code != c.code || !strings.Contains(check.Fix, c.named)) {
							t.Errorf("%+v", check)
						}
					}
					w.do(func() { c.mends(w) })
					time.Sleep(30 * time.Second)
				}
				if got := red(t, watch); len(got) > 0 {
					t.Errorf("still red: %+v", watch.Checks())
				}
				// Each was told once, and so was its end.
				if name != "domain" && (strings.Count(w.text(), "level=ERROR") != 3 || strings.Count(w.text(), "right again") != 3 || !strings.Contains(w.text(), "code="+c.code)) {
					t.Errorf("logged %s", w.text())
				}
				if probes := watch.TURN(); len(probes) == 0 || probes[0].Code != "" {
					t.Errorf("the probes are %+v", probes)
				}
			})
		})
	}
}

// A packet lost now and then is no alarm.
func TestOneFailureIsNoAlarm(t *testing.T) {
	w := &world{interfaces: list("10.0.0.5"), broken: map[string]bool{}}
	watched(t, w, nil, func(t *testing.T, watch *Watch) {
		time.Sleep(20 * time.Second)
		for range 20 {
			watch.settle(t.Context(), "udp", errors.New("lost"))
			if got := red(t, watch); len(got) > 0 {
				t.Fatalf("red: %v", got)
			}
			time.Sleep(15 * time.Second)
		}
	})
}

func TestKMS_19c__BlockedUDPIsToldWithTheRule(t *testing.T) {
	w := &world{interfaces: list("10.0.0.5"), broken: map[string]bool{}}
	seen := &Seen{}
	watched(t, w, func(c *Config) { c.Seen = seen }, func(t *testing.T, watch *Watch) {
		comes := func(by Transport, from ...string) {
			for _, f := range from {
				seen.Note(by, netip.MustParseAddr(f))
			}
		}
		during := func(d time.Duration, do func()) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
				do()
			}
		}
		during(40*time.Second, func() { comes(UDP, "198.51.100.7", "192.0.2.7") })
		if got := red(t, watch); len(got) > 0 {
			t.Fatalf("red before: %v", got)
		}
		// Everybody goes on over TCP: UDP is blocked in front of us, where we cannot try it ourselves.
		during(30*time.Second, func() { comes(TCP, "198.51.100.7", "192.0.2.7") })
		if got := red(t, watch); len(got) != 1 || got[0] != "udp" {
			t.Fatalf("30 s after UDP was blocked: %+v", watch.Checks())
		}
		udp := watch.Checks()[1]
		for _, rule := range Rules(4443, "udp") {
			if !strings.Contains(udp.Fix, rule) {
				t.Errorf("%q is not in %q", rule, udp.Fix)
			}
		}
		if udp.Code != "SERVER_UDP_BLOCKED" {
			t.Errorf("%+v", udp)
		}
		during(3*time.Second, func() { comes(UDP, "198.51.100.7") })
		if got := red(t, watch); len(got) > 0 {
			t.Errorf("red although UDP comes again: %v", got)
		}
		// One network that never used UDP blocks it by itself: no fault of the server.
		time.Sleep(time.Hour)
		during(60*time.Second, func() { comes(TCP, "203.0.113.200") })
		if got := red(t, watch); len(got) > 0 {
			t.Errorf("red for one network's firewall: %v", got)
		}
		// What is this machine's own is not from outside.
		during(60*time.Second, func() { comes(TURN, "10.0.0.5", "127.0.0.1", "::1", "::ffff:10.0.0.5") })
		if ages := seen.Ages(); ages[TURN] != 0 || ages[TCP] < time.Minute-time.Second || ages[UDP] < time.Hour {
			t.Errorf("ages %v", ages)
		}
	})
}

// Our own questions that a NAT leads back to us are not from outside.
// TestAMomentOfTCPIsNoAlarm: the first browser of a fresh node allocates over TCP before it tries UDP, and whoever looks
// for open relays speaks TURN and is gone.
func TestAMomentOfTCPIsNoAlarm(t *testing.T) {
	seen := &Seen{}
	watched(t, &world{interfaces: list("10.0.0.5")}, func(c *Config) { c.Seen = seen }, func(t *testing.T, watch *Watch) {
		for range 3 {
			for _, by := range []Transport{TURN, TCP} {
				seen.Note(by, netip.MustParseAddr("198.51.100.7"))
			}
			if got := red(t, watch); len(got) > 0 {
				t.Fatalf("red for a moment of TCP: %v", got)
			}
			time.Sleep(time.Minute)
		}
		for range 10 {
			seen.Note(TCP, netip.MustParseAddr("198.51.100.7"))
			time.Sleep(time.Second)
		}
		if got := red(t, watch); len(got) != 1 || got[0] != "udp" {
			t.Errorf("red: %v, though all who come take TCP", got)
		}
	})
}

func TestHairpinsAreNotFromOutside(t *testing.T) {
	w := &world{interfaces: list("10.0.0.5"), mapped: netip.MustParseAddrPort("203.0.113.9:4443")}
	seen := &Seen{}
	watched(t, w, func(c *Config) { c.Seen = seen }, func(t *testing.T, watch *Watch) {
		time.Sleep(30 * time.Second)
		seen.Note(UDP, netip.MustParseAddr("203.0.113.9"))
		if ages := seen.Ages(); len(ages) > 0 {
			t.Errorf("seen from outside: %v", ages)
		}
		if udp := watch.Checks()[1]; !strings.Contains(udp.Text, "also at our public address") {
			t.Errorf("%+v", udp)
		}
	})
}

func TestTransportsAreSeenThroughConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen Seen
		ours, theirs := net.Pipe()
		conn := seen.Conn(TCP, from{ours, "198.51.100.7:5000"})
		go func() {
			_, _ = theirs.Write([]byte("x"))
			time.Sleep(10 * time.Second)
			_ = theirs.Close()
		}()
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the end was not told")
		}
		if ages := seen.Ages(); len(ages) != 1 || ages[TCP] != 10*time.Second {
			t.Errorf("ages %v", ages)
		}
		seen.Conn(TURN, theirs) // a pipe has no address; nobody is noted
		for i := range 3 * maxNetworks {
			seen.Note(UDP, netip.AddrFrom4([4]byte{1, byte(i >> 8), byte(i), 1}))
		}
		if len(seen.networks) != maxNetworks || len(seen.Ages()) != 2 {
			t.Errorf("%d networks are kept", len(seen.networks))
		}
	})
}

type from struct {
	net.Conn
	at string
}

func (f from) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.at)) }
