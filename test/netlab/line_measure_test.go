package netlab

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"
)

// measured is a line between two sockets, a on the line and b behind it.
type measured struct {
	wire        *wire
	mine, far   socket
	there, back netip.AddrPort
}

func measure(t *testing.T) measured {
	t.Helper()
	lab := newLab(t)
	a, b := lab.internet.over(line{}).host("a"), lab.internet.host("b")
	m := measured{a.wires[0], a.socket(1), b.socket(1), netip.AddrPortFrom(b.ip, 1), netip.AddrPortFrom(a.ip, 1)}
	m.mine.send("so that both know each other", m.there)
	m.far.hear()
	return m
}

// TestLine measures what the lines of the lab do, from the far side.
func TestLine(t *testing.T) {
	t.Run("delay", func(t *testing.T) {
		m := measure(t)
		m.wire.upDown(line{delay: 50 * time.Millisecond}, line{delay: 30 * time.Millisecond})
		best := time.Hour
		for range 5 {
			began := time.Now()
			m.mine.send("ping", m.there)
			m.far.hear()
			m.far.send("pong", m.back)
			m.mine.hear()
			best = min(best, time.Since(began))
		}
		if best < 80*time.Millisecond || best > 120*time.Millisecond {
			t.Errorf("the round trip takes %v, want 80 ms", best)
		}
	})

	t.Run("jitter", func(t *testing.T) {
		m := measure(t)
		m.wire.set(line{delay: 10 * time.Millisecond, jitter: 40 * time.Millisecond})
		shortest, longest := time.Hour, time.Duration(0)
		for i := range 30 {
			began := time.Now()
			m.mine.send(fmt.Sprint(i), m.there)
			m.mine.send(fmt.Sprint(i, " second"), m.there)
			if text, _ := m.far.hear(); text != fmt.Sprint(i) {
				t.Fatalf("heard %q in place of %d: out of order", text, i)
			}
			took := time.Since(began)
			m.far.hear()
			shortest, longest = min(shortest, took), max(longest, took)
		}
		if shortest < 10*time.Millisecond || longest-shortest < 15*time.Millisecond {
			t.Errorf("one way takes %v to %v, want 10 to 50 ms", shortest, longest)
		}
	})

	t.Run("loss", func(t *testing.T) {
		m := measure(t)
		m.wire.set(line{loss: 0.2})
		const all, atATime = 2000, 50 // no more at a time than a device holds
		passedBefore, droppedBefore := m.wire.up.counts()
		arrived := 0
		for sent := atATime; sent <= all; sent += atATime {
			for range atATime {
				m.mine.send("x", m.there)
			}
			var passed int
			await(t, answersIn, "the line has taken them", func() bool {
				p, dropped := m.wire.up.counts()
				passed = p - passedBefore
				return passed+dropped-droppedBefore >= sent
			})
			for ; arrived < passed; arrived++ {
				m.far.hear()
			}
		}
		if share := 1 - float64(arrived)/all; math.Abs(share-0.2) > 0.04 {
			t.Errorf("%.1f %% are lost, want 20", 100*share)
		}
	})

	t.Run("rate and queue", func(t *testing.T) {
		m := measure(t)
		m.wire.set(line{rate: 1_000_000, queue: 20_000})
		for i := range 40 { // 40 kB at once: half of it finds no room
			m.mine.send(fmt.Sprintf("%4d%*s", i, 996, ""), m.there)
		}
		m.far.hear()
		began := time.Now()
		for range 15 {
			m.far.hear()
		}
		if rate := 15 * 1042 * 8 / time.Since(began).Seconds(); rate < 800_000 || rate > 1_250_000 {
			t.Errorf("%.0f bit/s pass, want 1000000", rate)
		}
		var last string
		m.wire.set(line{})
		m.mine.send("the end", m.there)
		heard := 16
		for last != "the end" {
			last, _ = m.far.hear()
			heard++
		}
		if heard > 24 {
			t.Errorf("%d of 40 packets arrive, want about 20: the queue holds 20 kB", heard-1)
		}
	})

	t.Run("largest", func(t *testing.T) {
		m := measure(t)
		m.wire.set(line{largest: 700})
		m.mine.send(fmt.Sprintf("%*s", 673, ""), m.there)                   // 701 bytes with UDP's and IP's headers
		m.mine.send(fmt.Sprintf("%*s", 672, "as large as can be"), m.there) // 700
		if text, _ := m.far.hear(); len(text) != 672 {
			t.Errorf("a packet of %d bytes arrives", len(text)+28)
		}
	})
}

func TestUnplugged(t *testing.T) {
	lab := newLab(t)
	a, b := lab.internet.only("46").host("a"), lab.internet.only("46").host("b")
	mine, far := a.socket(1), b.socket(1)
	mine.send("over IPv6", netip.AddrPortFrom(b.ip6, 1))
	if text, from := far.hear(); text != "over IPv6" || from.Addr() != a.ip6 {
		t.Errorf("%q from %v", text, from)
	}
	a.unplug("eth0")
	if _, err := mine.WriteToUDPAddrPort([]byte("nobody hears"), netip.AddrPortFrom(b.ip, 1)); err == nil {
		t.Error("an interface without a cable takes a packet")
	}
	a.plug("eth0")
	mine.send("back", netip.AddrPortFrom(b.ip, 1))
	if text, _ := far.hear(); text != "back" {
		t.Errorf("heard %q", text)
	}
}
