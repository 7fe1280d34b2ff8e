package peer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"tertulia/internal/media"
)

// linked makes the key of a path over a link, and counts what is sent along it.
func linked(port uint16, protocol string, sent *int) pathKey {
	key := at(port)
	key.via = &link{protocol: protocol, send: func(pathKey, []byte) { *sent++ }}
	return key
}

// TestBackToUDP: media of a client that is on a TCP connection or a relay follows at once when it nominates a path over
// UDP; a check alone moves nothing while the link lives, and neither does what is forged.
func TestBackToUDP(t *testing.T) {
	for _, protocol := range []string{"tcp", "relay"} {
		b := newBench(t, 1)
		v := b.watch(t)
		overLink := 0
		slow := linked(30, protocol, &overLink)
		b.check(t, v.endpoint, slow, stun.RawAttribute{Type: stun.AttrUseCandidate})
		b.shard.send()
		overLink = 0
		b.send(t, 1, 10)
		if overLink != 10 || v.endpoint.selected.pathKey != slow {
			t.Fatalf("%s: %d of 10 packets over the link", protocol, overLink)
		}
		fast, overUDP := at(31), len(v.opened)
		for range 8 { // regular checks, as of a browser that tries a pair
			b.shard.now += 2500 * media.Time(time.Millisecond)
			b.check(t, v.endpoint, slow)
			b.check(t, v.endpoint, fast)
		}
		wrong := *v.endpoint // nobody's
		wrong.pwd = "another password"
		b.check(t, &wrong, fast, stun.RawAttribute{Type: stun.AttrUseCandidate})
		if v.endpoint.selected.pathKey != slow {
			t.Fatalf("%s: moved without a nomination", protocol)
		}
		b.check(t, v.endpoint, fast, stun.RawAttribute{Type: stun.AttrUseCandidate})
		b.shard.send()
		overLink = 0
		b.send(t, 20, 10)
		if overLink != 0 || len(v.opened) != overUDP+10 || v.failed != 0 {
			t.Errorf("%s: after the nomination %d packets over the link, %d of 10 over UDP, %d did not open", protocol, overLink, len(v.opened)-overUDP, v.failed)
		}
		if f := snapshot(v.endpoint); f.Moved != 2 || !strings.HasPrefix(f.Moves[1].From, protocol+" ") || f.Moves[1].Silence != 0 {
			t.Errorf("%s: moves %+v", protocol, f.Moves)
		}
	}
}

// TestUDPIsOfferedAgain to a client that is not on it: rarely, under new names each time, and not once it is.
func TestUDPIsOfferedAgain(t *testing.T) {
	b := newBench(t, 0)
	e := b.endpoint(t, linked(1, "tcp", new(int)))
	e.again.mid, e.again.line = "video", 1
	e.offered = "candidate:1 1 udp 2130706431 192.0.2.1 4443 typ host\ncandidate:2 1 udp 2130706175 2001:db8::1 4443 typ host\n" +
		"candidate:3 1 tcp 1526726655 192.0.2.1 4443 typ host tcptype passive"
	var times []media.Time
	names := map[string]bool{}
	e.config.Event = func(event Event) {
		times = append(times, b.shard.now)
		if event.State != Connected || len(event.Candidates) != 2 {
			t.Fatalf("event %+v, want the candidates of UDP", event)
		}
		for i, c := range event.Candidates {
			words := strings.Fields(c.Candidate)
			if names[words[0]] || c.MID != "video" || c.Line != 1 || words[3] >= []string{"2130706431", "2130706175"}[i] || words[3] <= []string{"2130706175", "2130705919"}[i] {
				t.Errorf("candidate %+v", c)
			}
			names[words[0]] = true
			words[0], words[3] = "candidate:1", "1"
			if got, want := strings.Join(words, " "), []string{"192.0.2.1", "2001:db8::1"}[i]+" 4443 typ host"; got != "candidate:1 1 udp 1 "+want {
				t.Errorf("candidate %q, want of %q", got, want)
			}
		}
	}
	beats := func(d time.Duration, from pathKey) {
		for end := b.shard.now + media.Time(d); b.shard.now < end; b.shard.now += second {
			b.check(t, e, from)
			e.tick(b.shard.now)
		}
	}
	start := b.shard.now
	beats(20*time.Minute, e.selected.pathKey)
	var after []int64
	for _, at := range times {
		after = append(after, int64((at-start)/second))
	}
	if want := []int64{30, 90, 210, 450, 750, 1050}; !slices.EqualFunc(after, want, func(a, b int64) bool { return a >= b && a <= b+8 }) {
		t.Errorf("offered after %v s, want about %v", after, want)
	}
	told := len(times)
	b.check(t, e, at(2), stun.RawAttribute{Type: stun.AttrUseCandidate})
	beats(20*time.Minute, at(2))
	if len(times) != told {
		t.Errorf("%d offers to a client on UDP", len(times)-told)
	}
	b.check(t, e, linked(3, "relay", new(int)), stun.RawAttribute{Type: stun.AttrUseCandidate})
	beats(35*time.Second, e.selected.pathKey)
	if len(times) != told+1 {
		t.Errorf("%d offers within 35 s after it left UDP, want one", len(times)-told)
	}
}
