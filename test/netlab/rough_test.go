package netlab

import (
	"testing"
	"time"
)

// rich is a picture whose every frame takes more than one packet.
var rich = map[string]any{"noise": true}

// TestRoughLine: 100 ms each way, jitter and 5 % loss in both directions: what is lost is sent again, and the picture
// goes on.
func TestRoughLine(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{})
	rough := line{delay: 100 * time.Millisecond, jitter: 20 * time.Millisecond, loss: 0.05}
	alice := lab.internet.over(line{}).host("alice")
	people := server.meet(guest{at: alice, publishes: rich}, guest{at: lab.internet.host("bob"), publishes: rich})
	alice.wires[0].set(rough)
	a, b := people[0], people[1]
	first := b.receiving(a).Inbound.Video.Frames
	await(t, seeIn, "packets are resent on both legs and frames go on", func() bool {
		down, up := a.receiving(b), a.sending()
		return down.Inbound.Video.Retransmitted > 5 && up.Outbound.Video.Retransmitted > 5 &&
			b.receiving(a).Inbound.Video.Frames > first+60 && down.RTT > 0.19
	})
	a.seesAndHears(b)
	b.seesAndHears(a)
	if _, dropped := alice.wires[0].up.counts(); dropped < 10 {
		t.Errorf("the line has dropped %d packets", dropped)
	}
	assertPaths(t, server, people, "udp", "udp")
}

// TestMTUBlackHole: no packet of more than 700 bytes passes, and nobody is told. Sound flows, pictures do not; as soon as
// the hole is gone they are there, without anybody's help.
func TestMTUBlackHole(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{})
	alice := lab.internet.over(line{}).host("alice")
	people := server.meet(guest{at: alice}, guest{at: lab.internet.host("bob"), publishes: rich})
	a, b := people[0], people[1]
	alice.wires[0].upDown(line{}, line{largest: 700})
	frames, packets := -1, 0
	await(t, seeIn, "no more pictures arrive, and sound does", func() bool {
		now := a.receiving(b).Inbound
		stuck := frames == now.Video.Frames && now.Audio.Packets > packets+10
		if frames != now.Video.Frames {
			frames, packets = now.Video.Frames, now.Audio.Packets
		}
		return stuck
	})
	alice.wires[0].set(line{})
	a.seesAndHears(b)
}

// TestNATForgets: nobody sends pictures or sound, and the NAT forgets a flow after two seconds of silence, a fifteenth of
// what real ones do: the browser's checks come often enough, and the pair is the same afterwards.
func TestNATForgets(t *testing.T) {
	lab := newLab(t)
	server := lab.serve(lab.internet.host("srv"), settings{})
	home := lab.internet.router("home", symmetric)
	people := server.meet(guest{at: home.host("alice")}, guest{at: lab.internet.host("bob")})
	a, b := people[0], people[1]
	for _, p := range people {
		p.do(nil, "call", "publishVideo", false)
		p.do(nil, "call", "publishAudio", false)
	}
	before := a.sending()
	home.must("sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=2", "net.netfilter.nf_conntrack_udp_timeout_stream=2")
	hold(t, quiet(), "alice is connected", func() bool { return a.sending().State == "connected" && b.sending().State == "connected" })
	for _, p := range people {
		p.do(nil, "call", "publishVideo", true)
		p.do(nil, "call", "publishAudio", true)
	}
	allSeeAndHear(people)
	if after := a.sending(); after.Local != before.Local || after.Remote != before.Remote {
		t.Errorf("the selected pair is %+v %+v, was %+v %+v", after.Local, after.Remote, before.Local, before.Remote)
	}
}

// quiet is how long TestNATForgets says nothing.
func quiet() time.Duration {
	if long() {
		return 40 * time.Second
	}
	return 8 * time.Second
}
