package netlab

import (
	"strings"
	"testing"
	"time"
)

// TestKMS_20__HiddenAddressesConnectSoonAndSilently: visitors who have granted nothing hide their addresses behind mDNS
// names that nobody here can resolve.
func TestKMS_20__HiddenAddressesConnectSoonAndSilently(t *testing.T) {
	const limit = 2 * time.Second
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{"ADDRESS_DISCOVERY": "off"})
	session := server.session()
	first := guest{at: lab.internet.host("alice"), browser: browserOptions{Hidden: true}}
	a := first.open(0)
	first.enter(a, server.token(session, nil))

	second := lab.internet.host("bob").browser(browserOptions{Hidden: true})
	// Chromium, asked before it knows its default route, now and then offers no address at all: then there is nothing to
	// test, and the visitor comes again.
	for visit := 1; ; visit++ {
		b := second.participant(1, newestSDK)
		b.join(server.token(session, nil))
		b.seesAndHears(a)
		var offered []string
		b.script(&offered, `trace.lines.filter((l) => l.includes(' candidate '))`)
		all := strings.Join(offered, "\n")
		for _, c := range offered {
			if strings.Contains(c, "typ host") && !strings.Contains(c, ".local") {
				t.Fatalf("an address is not hidden: %s", c)
			}
		}
		if strings.Contains(all, ".local") {
			var times struct{ Media float64 } // ms after streamCreated
			b.do(&times, "call", "times", a.Stream)
			t.Logf("connected after %.0f ms", times.Media)
			if times.Media > float64(limit.Milliseconds()) {
				t.Errorf("connected after %.0f ms, want %v", times.Media, limit)
			}
			if path := b.receiving(a).Local.path(); path != "udp" {
				t.Errorf("travels by %s", path)
			}
			break
		}
		if visit == 3 {
			t.Fatal("in three visits Chromium offered no hidden address")
		}
		b.do(nil, "call", "leave")
	}
	for line := range strings.Lines(server.logged()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			t.Errorf("the server complains: %s", line)
		}
	}
}
