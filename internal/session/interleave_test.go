package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// events are what may happen between any two steps of a call.
var events = map[string]func(*play){
	"nothing":                   func(*play) {},
	"the node answers":          func(p *play) { p.settleAll(nil) },
	"the node fails":            func(p *play) { p.settleAll(fault.New(fault.MediaFailed, "no")) },
	"the node has no codec":     func(p *play) { p.settleAll(fault.New(fault.CodecMismatch, "no")) },
	"the node is too late":      func(p *play) { p.settleAll(errors.New("unknown to us")) },
	"the publisher leaves":      func(p *play) { p.step("con_1 leave") },
	"the subscriber leaves":     func(p *play) { p.step("con_2 leave") },
	"the publisher unpublishes": func(p *play) { p.step("con_1 unpublish") },
	"the publisher reconnects":  func(p *play) { p.step("con_1 reconnect Stream=str_CAM_1_con_1 SDP=o") },
	"the subscriber reconnects": func(p *play) { p.step("con_2 reconnect Stream=str_CAM_1_con_1 SDP=o") },
	"the subscriber asks again": func(p *play) { p.step("con_2 subscribe Sender=con_1") },
	"the publisher is evicted":  func(p *play) { p.step("con_2 forceDisconnect Target=con_1") },
	"the stream is ended":       func(p *play) { p.step("con_2 forceUnpublish Stream=str_CAM_1_con_1") },
	"REST ends the stream":      func(p *play) { p.step("rest deleteStream Stream=str_CAM_1_con_1") },
	"REST evicts":               func(p *play) { p.step("rest delete Connection=con_2") },
	"the publisher drops":       func(p *play) { p.step("con_1 drop") },
	"the subscriber drops":      func(p *play) { p.step("con_2 drop") },
	"both come back":            func(p *play) { p.step("con_1 resume"); p.step("con_2 resume") },
	"a while passes":            func(p *play) { p.wait(9 * time.Second) },
	"the grace passes":          func(p *play) { p.wait(time.Minute) },
	"the process dies":          func(p *play) { p.restart() },
	"the session is closed":     func(p *play) { p.step("rest close") },
}

// settleAll ends everything that is asked now.
func (p *play) settleAll(err error) {
	for _, a := range slices.Clone(p.asked) {
		if slices.ContainsFunc(p.asked, func(b Ask) bool { return b.Serial == a.Serial }) {
			p.settle(endpointOf(a.Request), err)
		}
	}
}

// TestInterleavings: in every phase, every command, with every event before and after it. Whatever comes of it, each
// request is answered once or still under way, nobody is told anything out of order, and in the end nobody is left.
func TestInterleavings(t *testing.T) {
	names := make([]string, 0, len(events))
	for name := range events {
		names = append(names, name)
	}
	slices.Sort(names)
	for situation, lines := range situations {
		t.Run(situation, func(t *testing.T) {
			for row, command := range rows {
				for _, before := range names {
					for _, after := range names {
						p := &play{world: newWorld(t, Properties{AllowTranscoding: len(before)%2 == 0})}
						for _, line := range slices.Concat([]string{"rest create Role=MODERATOR", "rest create Role=MODERATOR", "join Token=tok_1", "join Token=tok_2 SDKVersion=2.32.2"}, lines) {
							p.step(line)
						}
						for _, happen := range []func(){func() { events[before](p) }, func() { p.step(command) }, func() { events[after](p) }} {
							if p.ended {
								break
							}
							happen()
							p.check(t)
						}
						p.finish(t)
						if t.Failed() {
							t.Fatalf("%s, then %s, then %s", before, row, after)
						}
					}
				}
			}
		})
	}
}

// finish brings a play to its end: the node answers, all leave.
func (p *play) finish(t *testing.T) {
	for range 4 {
		p.settleAll(nil)
	}
	p.check(t)
	for request := range p.open {
		if len(p.asked) == 0 && !p.underway(request) {
			t.Errorf("%+v was never answered", request)
		}
	}
	if !p.ended {
		p.abandon()
		p.check(t)
	}
	if len(p.open) > 0 {
		t.Errorf("%d requests were never answered", len(p.open))
	}
}

// ledger keeps what the node holds, as it is told in order: what is asked for and not released.
type ledger map[string]bool

func (l ledger) note(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Ask:
			if _, answer := e.Request.(mediactl.Answer); !answer {
				l[endpointOf(e.Request)] = true
			}
		case Tell:
			if q, ok := e.Request.(mediactl.Release); ok {
				delete(l, q.Endpoint)
			}
		case End:
			clear(l)
		}
	}
}

// TestNothingIsLeftAtTheNode: every endpoint that was asked for is released when its stream or its client has gone,
// whether its request succeeded, failed or was overtaken.
func TestNothingIsLeftAtTheNode(t *testing.T) {
	ends := map[string][]string{
		"leaves":      {"con_1 leave", "con_2 leave", "con_3 leave"},
		"evictions":   {"con_3 forceDisconnect Target=con_1", "con_3 forceDisconnect Target=con_2", "rest delete Connection=con_3"},
		"unpublishes": {"con_1 unpublish", "con_3 unpublish"},
		"forced":      {"rest deleteStream Stream=str_CAM_1_con_1", "con_3 unpublish"},
		"mixed":       {"con_2 unsubscribe Sender=con_1", "con_2 unsubscribe Sender=con_3", "con_1 unpublish", "con_3 leave"},
	}
	for _, outcome := range []error{nil, fault.New(fault.MediaFailed, "no")} {
		for name, lines := range ends {
			for settled := range 6 { // how many of the requests have been answered by then
				p := &play{world: newWorld(t, Properties{})}
				held := ledger{}
				play := func(line string) {
					if !p.ended {
						held.note(p.step(line))
					}
				}
				for _, line := range []string{
					"rest create Role=MODERATOR", "rest create Role=MODERATOR", "rest create Role=MODERATOR",
					"join Token=tok_1", "join Token=tok_2", "join Token=tok_3",
					"con_1 publish Offer=o", "media con_1 ok", "con_3 publish Offer=o", "media con_3 ok",
					"con_2 subscribe Sender=con_1 Offer=o", "con_2 subscribe Sender=con_3", "con_1 subscribe Sender=con_3 Offer=o",
					"con_2 subscribe Sender=con_1 Offer=again", "con_1 reconnect Stream=str_CAM_1_con_1 SDP=o",
				} {
					play(line)
				}
				for range settled {
					if len(p.asked) > 0 {
						held.note(p.settle(endpointOf(p.asked[0].Request), outcome))
					}
				}
				for _, line := range lines {
					play(line)
				}
				for len(p.asked) > 0 && !p.ended {
					held.note(p.settle(endpointOf(p.asked[0].Request), outcome))
				}
				for endpoint := range held {
					t.Errorf("%s, after %d answers (%v): the node still has %s", name, settled, outcome, endpoint)
				}
			}
		}
	}
}

// TestLateResultsAreVoid: a result that comes after its connection has gone, even if another has its id by then,
// changes nothing and tells nobody.
func TestLateResultsAreVoid(t *testing.T) {
	const custom = `ServerData={"openviduCustomConnectionId":"x"}`
	for _, again := range []bool{false, true} {
		p := &play{world: newWorld(t, Properties{})}
		for _, line := range []string{"rest create", "join Token=tok_1", "rest create " + custom, "join Token=tok_2", "con_x publish Offer=o", "con_x leave"} {
			p.step(line)
		}
		if again {
			for _, line := range []string{"rest create " + custom, "join Token=tok_3", "con_x publish Offer=other"} {
				p.step(line)
			}
		}
		effects := p.settle("con_x", nil)
		for _, e := range effects {
			if r, ok := e.(Reply); !ok || r.To.RPC != "rpc2" {
				t.Errorf("again %v: a late result has effects %q", again, show(effects))
			}
		}
		if again {
			if s := p.state.find("con_x").Stream; s == nil || s.Phase != Publishing {
				t.Errorf("the result of the earlier connection was taken for the later: %+v", s)
			}
			if got := strings.Join(show(p.settle("con_x", nil)), "\n"); !strings.Contains(got, "con_1 <- StreamPublished con_x") {
				t.Errorf("its own result: %s", got)
			}
		}
	}
}

// TestReconnectWhileOnePends: the newer request wins, the older is told so, and nobody else notices.
func TestReconnectWhileOnePends(t *testing.T) {
	for _, command := range []string{"con_1 reconnect Stream=str_CAM_1_con_1 SDP=o", "con_2 reconnect Stream=str_CAM_1_con_1 SDP=o", "con_2 subscribe Sender=con_1"} {
		p := &play{world: newWorld(t, Properties{})}
		for _, line := range append([]string{"rest create", "rest create", "join Token=tok_1", "join Token=tok_2"}, situations["flowing"]...) {
			p.step(line)
		}
		const times = 5
		for range times {
			p.step(command)
		}
		refused, answered := 0, 0
		for range times {
			for _, e := range p.settle(endpointOf(p.asked[0].Request), nil) {
				switch e := e.(type) {
				case Reply:
					if fault.Is(e.Err, fault.MediaFailed) {
						refused++
					} else if e.Err == nil {
						answered++
					}
				case Notify:
					if _, candidate := e.Notice.(RemoteCandidate); !candidate {
						t.Errorf("%s: somebody is told %s", command, showNotice(e.Notice))
					}
				}
			}
		}
		if refused != times-1 || answered != 1 {
			t.Errorf("%s: %d refused, %d answered", command, refused, answered)
		}
	}
}

// TestTakeover: the client's second socket is the one that counts, however often it opens another.
func TestTakeover(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.create("room")
		a, b := h.join("room", Publisher), h.join("room", Publisher)
		h.next(a) // Joined
		sockets := []*Attachment{a}
		for i := range 20 {
			again, err := h.Resume(t.Context(), a.RPC, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				sockets[len(sockets)-1].Detach(event.SocketLost{}) // the old one notices at last
			}
			sockets = append(sockets, again)
		}
		last := sockets[len(sockets)-1]
		for _, old := range sockets[:len(sockets)-1] {
			wantKind(t, old.Send(t.Context(), "x", Leave{}), fault.ConnectionClosed)
			old.Ack(1000)
			old.Detach(event.SocketLost{})
		}
		h.expect(last, "Joined Connection:"+b.Connection+" CreatedAt:"+itoa(b.Self.ActiveAt)+" Metadata:")
		h.pass(time.Minute)
		h.send(last, "7", Unpublish{})
		h.expect(last, "#7 error not_publishing")
		if s, _ := h.State("room"); s.participants() != 2 {
			t.Fatal("somebody was evicted")
		}
		last.Detach(event.SocketLost{})
		h.expect(b, fmt.Sprintf("Left Connection:%s Reason:networkDisconnect", a.Connection))
	})
}
