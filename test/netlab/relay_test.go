package netlab

import (
	"encoding/json"
	"fmt"
	"testing"
)

// TestFAQ_07c__RelayedMediaCrossesOneNode: a client that may use nothing but the relay speaks to one node and to nobody
// else, and the node hands the packets to itself in memory.
func TestFAQ_07c__RelayedMediaCrossesOneNode(t *testing.T) {
	lab := newLab(t)
	srv, walled := lab.internet.host("srv"), lab.internet.host("walled")
	walled.firewall(noUDP)
	server := lab.serve(srv, settings{})
	looped := received(srv, "lo")
	people := server.meet(guest{at: walled, before: `trace.rtc.iceTransportPolicy = "relay"`}, guest{at: lab.internet.host("free")})
	a, b := people[0], people[1]
	assertPaths(t, server, people, "relay/tcp", "udp")
	for _, s := range []stats{a.receiving(b), a.sending()} {
		if s.Remote.Address != srv.ip.String() {
			t.Errorf("the relay's peer is %+v, want the node that relays", s.Remote)
		}
	}

	walled.nft(fmt.Sprintf(`table ip counted {
 chain out { type filter hook output priority 0; oifname "lo" accept; ip daddr 224.0.0.0/4 accept; ip daddr %s counter accept; counter; }
}`, srv.ip))
	srv.nft(fmt.Sprintf(`table ip counted {
 chain out { type filter hook output priority 0; ip daddr %s meta l4proto udp counter; }
}`, srv.ip))
	await(t, seeIn, "media crosses the network", func() bool { return walled.counted()[0].Bytes > 10_000 })
	allSeeAndHear(people)
	toNode, elsewhere, toItself := walled.counted()[0], walled.counted()[1], srv.counted()[0]
	if elsewhere.Packets != 0 || toItself.Packets != 0 {
		t.Errorf("%d packets went elsewhere, %d from the node to itself", elsewhere.Packets, toItself.Packets)
	}
	// The test's own looks at the figures pass there too.
	if through := received(srv, "lo") - looped; through > toNode.Bytes/2+100_000 {
		t.Errorf("%d bytes looped for %d relayed", through, toNode.Bytes)
	}
}

// count is one rule's counter.
type count struct{ Packets, Bytes int }

// counted are the counters of the node's table "counted", in the order of its rules.
func (n *node) counted() []count {
	n.lab.t.Helper()
	var list struct {
		Nftables []struct {
			Rule struct {
				Expr []struct{ Counter *count }
			}
		}
	}
	if err := json.Unmarshal([]byte(n.must("nft", "-j", "list", "table", "ip", "counted")), &list); err != nil {
		n.lab.t.Fatal(err)
	}
	var all []count
	for _, item := range list.Nftables {
		for _, e := range item.Rule.Expr {
			if e.Counter != nil {
				all = append(all, *e.Counter)
			}
		}
	}
	return all
}

// received are the bytes that came in by an interface of a node.
func received(n *node, device string) int {
	n.lab.t.Helper()
	var links []struct {
		Stats64 struct{ RX struct{ Bytes int } }
	}
	if err := json.Unmarshal([]byte(n.must("ip", "-s", "-j", "link", "show", device)), &links); err != nil || len(links) != 1 {
		n.lab.t.Fatal(err)
	}
	return links[0].Stats64.RX.Bytes
}
