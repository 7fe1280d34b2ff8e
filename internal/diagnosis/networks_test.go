package diagnosis

import (
	"fmt"
	"strings"
	"testing"
)

func TestPrefixes(t *testing.T) {
	for address, want := range map[string]string{
		"198.51.100.7:50000": "198.51.100.0/24", "198.51.100.7": "198.51.100.0/24", "[2001:db8:1:2::3]:5": "2001:db8:1::/48",
		"2001:db8:1:2::3": "2001:db8:1::/48", "::ffff:198.51.100.7": "198.51.100.0/24", "fe80::1%eth0": "fe80::/48", "": "", "name": "",
	} {
		if got := prefixOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// crowd is people of several networks, of whom those on the networks named take another way than UDP.
func crowd(n *networks, now int64, each int, around ...string) {
	for i := range 10 {
		name := fmt.Sprintf("198.51.%d.0/24", i)
		for range each {
			udp := true
			for _, a := range around {
				udp = udp && a != name
			}
			n.of(name).use(now, udp, true)
		}
	}
}

func judged(n *networks, now int64) []alarm { return n.judge(&View{Now: now, Host: host()}) }

// TestKMS_19b__: a firewall rule sends 30 % of the people around; within 60 s the alarm names the transport and the networks.
func TestKMS_19b__RelayShareJumps(t *testing.T) {
	n := newNetworks()
	for i := range int64(10) {
		crowd(n, start+i*60_000, 2)
		if a := judged(n, start+i*60_000+1000); len(a) > 0 {
			t.Fatalf("alarm while all is well: %+v", a[0].record)
		}
	}
	now := start + 700_000
	crowd(n, now, 2, "198.51.3.0/24", "198.51.5.0/24", "198.51.8.0/24")
	named := map[string]bool{}
	for _, a := range judged(n, now+2000) {
		if a.record.Code != ClientUDPBlocked || a.record.Severity != Warning || a.ended {
			t.Errorf("record %+v", a.record)
		}
		if text := strings.Join(a.record.Evidence, " "); !strings.Contains(text, "transport is UDP") {
			t.Errorf("evidence %s", text)
		} else {
			named[strings.TrimSuffix(strings.Fields(text[strings.Index(text, "198.51."):])[0], ".")] = true
		}
	}
	if len(named) != 3 || !named["198.51.3.0/24"] || !named["198.51.5.0/24"] || !named["198.51.8.0/24"] {
		t.Errorf("named %v", named)
	}
	if again := judged(n, now+7000); len(again) != 0 {
		t.Errorf("raised twice: %+v", again[0].record)
	}
	later := now + 200_000
	crowd(n, later, 3)
	over := judged(n, later+1000)
	for _, a := range over {
		if !a.ended {
			t.Errorf("%+v", a.record)
		}
	}
	if len(over) != 3 {
		t.Errorf("%d alarms ended, want 3", len(over))
	}
}

// When everybody comes around, it is the server's port that is closed.
func TestKMS_19b__EverybodyIsRelayed(t *testing.T) {
	n := newNetworks()
	crowd(n, start, 5)
	now, all := start+100_000, []string{}
	for i := range 10 {
		all = append(all, fmt.Sprintf("198.51.%d.0/24", i))
	}
	crowd(n, now, 4, all...)
	alarms := judged(n, now+1000)
	if len(alarms) != 1 || alarms[0].record.Code != ServerUDPBlocked || !strings.Contains(alarms[0].record.Evidence[0], "everybody") {
		t.Fatalf("alarms %+v", alarms)
	}
	later := now + 120_000
	for _, name := range all {
		n.of(name).use(later, false, false)
	}
	if still := judged(n, later+1000); len(still) != 0 {
		t.Errorf("changed while it lasts: %+v", still[0])
	}
	crowd(n, later+70_000, 3)
	if over := judged(n, later+71_000); len(over) != 1 || !over[0].ended {
		t.Errorf("not over: %+v", over)
	}
}

// A company whose firewall never let UDP out is no news.
func TestKMS_19b__ANetworkThatNeverUsedUDP(t *testing.T) {
	n := newNetworks()
	for i := range int64(12) {
		crowd(n, start+i*30_000, 3, "198.51.4.0/24")
		if a := judged(n, start+i*30_000+500); len(a) > 0 {
			t.Fatalf("alarm: %+v", a[0].record)
		}
	}
}

func TestOthersAreCounted(t *testing.T) {
	n := newNetworks()
	n.of("127.0.0.0/24").use(start, true, true)
	n.of("198.51.1.0/24").use(start, true, true)
	n.of("198.51.2.0/24").use(start-60_000, true, true)
	n.of("198.51.3.0/24").use(start, false, true)
	if got := n.others(start, "198.51.3.0/24", 0); got != (Others{UDP: 1, Lately: 2, Other: 1}) {
		t.Errorf("seen by another: %+v", got)
	}
	if got := n.others(start, "198.51.1.0/24", start-1); got != (Others{UDP: 1, Lately: 2, Other: 1}) {
		t.Errorf("seen by a neighbour of the first: %+v", got)
	}
	if got := n.others(start, "198.51.1.0/24", start); got != (Others{UDP: 0, Lately: 1, Other: 1}) {
		t.Errorf("seen by the first: %+v", got)
	}
	if n.of("") != nil {
		t.Error("nobody has a network")
	}
}

func TestNetworksAreBounded(t *testing.T) {
	n := newNetworks()
	for i := range maxNetworks + 10 {
		if k := n.of(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)); k != nil {
			for range 3 {
				k.use(start, true, true)
			}
		}
	}
	if len(n.known) != maxNetworks {
		t.Errorf("%d networks", len(n.known))
	}
	k := n.known["10.0.0.0/24"]
	for range 2 * maxArrivals {
		k.use(start, true, true)
	}
	if len(k.arrivals) != maxArrivals {
		t.Errorf("%d arrivals", len(k.arrivals))
	}
	n.sweep(start + baseOver + 1)
	if len(n.known) != 0 {
		t.Errorf("%d networks are kept for ever", len(n.known))
	}
}
