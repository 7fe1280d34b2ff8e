package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"tertulia/internal/fault"
)

// TestCrashAtEveryStep plays each script with a crash after the n-th step, for every n, and goes on: nobody is a
// ghost when all grace is over.
func TestCrashAtEveryStep(t *testing.T) {
	for _, s := range scripts(t) {
		t.Run(filepath.Base(s.path), func(t *testing.T) {
			for crash := range s.steps {
				p := newPlay(t, s)
				for i, step := range s.steps {
					if p.ended {
						break
					}
					p.stepIfPossible(step.command)
					if i == crash && !p.ended {
						p.restart()
					}
				}
				p.abandon()
				p.check(t)
			}
		})
	}
}

// stepIfPossible leaves out what the media node was asked by a process that is gone.
func (p *play) stepIfPossible(line string) {
	var who, endpoint string
	if fmt.Sscan(line, &who, &endpoint); who == "media" {
		for _, a := range p.asked {
			if endpointOf(a.Request) == endpoint {
				p.step(line)
				return
			}
		}
		return
	}
	p.step(line)
}

// abandon has every client lose its socket, and lets all time pass.
func (w *world) abandon() {
	for len(w.asked) > 0 {
		w.settle(endpointOf(w.asked[0].Request), errors.New("node gone"))
	}
	for _, id := range w.state.joined("") {
		w.do(Origin{}, Drop{Connection: id})
	}
	w.wait(time.Hour)
	w.rest(unused{})
	if !w.ended || len(w.state.Connections) > 0 {
		w.t.Fatalf("ghosts: ended %v, %d connections", w.ended, len(w.state.Connections))
	}
}

// TestHistories draws commands at random and checks what must hold of any history.
func TestHistories(t *testing.T) {
	for seed := range uint64(300) {
		w := newWorld(t, Properties{AllowTranscoding: seed%2 == 0})
		r := rand.New(rand.NewPCG(seed, 1))
		for n := 0; n < 150 && !w.ended; n++ {
			w.draw(r, n)
			w.check(t)
		}
		if !w.ended {
			w.abandon()
			w.check(t)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// draw carries out one random step.
func (w *world) draw(r *rand.Rand, n int) {
	joined := w.state.joined("")
	switch k := r.IntN(40); {
	case k < 4 || len(joined) == 0:
		w.drawJoin(r, n)
	case k < 16 && len(w.asked) > 0:
		var err error
		if r.IntN(5) == 0 {
			err = fault.New([]fault.Kind{fault.CodecMismatch, fault.MediaFailed}[r.IntN(2)], "no")
		}
		w.settle(endpointOf(w.asked[r.IntN(len(w.asked))].Request), err)
	case k == 16:
		w.wait(time.Duration(r.IntN(12)) * time.Second)
	case k == 17 && r.IntN(3) == 0:
		w.restart()
	case k == 18:
		w.do(Origin{}, Drop{Connection: pick(r, joined)})
	case k == 19 || k == 20:
		w.rest(Resume{Connection: pick(r, joined)})
	case k == 21 && r.IntN(4) == 0:
		w.rest(DeleteConnection{Connection: pick(r, joined)})
	default:
		w.client(pick(r, joined), fmt.Sprint(n), w.drawCommand(r, joined))
	}
}

func (w *world) drawJoin(r *rand.Rand, n int) {
	rpc := fmt.Sprintf("rpc%d", n)
	if r.IntN(6) == 0 {
		w.rest(Join{Insecure: true, Recorder: r.IntN(2) == 0, RPC: rpc})
		return
	}
	role := []Role{Subscriber, Publisher, Moderator}[r.IntN(3)]
	w.rest(CreateConnection{Role: role, ServerData: []string{"", `{"openviduCustomConnectionId":"x"}`}[r.IntN(2)]})
	if made, ok := w.calls[len(w.calls)-1].Result.(*Connection); ok {
		w.rest(Join{Token: made.Token, RPC: rpc, SDKVersion: []string{"", "2.32.2"}[r.IntN(2)]})
	}
}

func (w *world) drawCommand(r *rand.Rand, joined []string) Command {
	other := pick(r, joined)
	stream := other
	if c := w.state.find(other); c.Stream != nil {
		stream = c.Stream.ID
	}
	offer := []string{"", "offer"}[r.IntN(2)]
	switch r.IntN(14) {
	case 0, 1, 2:
		return Publish{Offer: "offer", Media: camera}
	case 3:
		return Unpublish{}
	case 4, 5:
		return Subscribe{Sender: stream, Offer: offer}
	case 6:
		return AnswerSubscription{Sender: stream, SDP: "answer"}
	case 7:
		return Unsubscribe{Sender: other}
	case 8:
		return Reconnect{Stream: stream, SDP: "sdp", IsAnswer: r.IntN(2) == 0}
	case 9:
		return ClientSignal{To: [][]string{nil, {other}}[r.IntN(2)]}
	case 10:
		return ChangeStream{Property: "audioActive", NewValue: "false"}
	case 11:
		return ForceUnpublish{Stream: stream}
	case 12:
		return []Command{ForceDisconnect{Target: other}, Leave{}}[r.IntN(2)]
	}
	return Candidate{Endpoint: other}
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// check verifies the state, and every client's mail against the order it may rely on (spec §9).
func (w *world) check(t *testing.T) {
	ids, streams := map[string]bool{}, map[string]bool{}
	for _, c := range w.state.Connections {
		if ids[c.ID] {
			t.Errorf("two connections %s", c.ID)
		}
		ids[c.ID] = true
		if c.Stream != nil {
			streams[c.Stream.ID] = true
		}
	}
	for _, c := range w.state.Connections {
		mine := map[string]bool{}
		for _, s := range c.Subscriptions {
			if mine[s.Stream] || !streams[s.Stream] {
				t.Errorf("%s is subscribed twice, or to a stream that is gone: %s", c.ID, s.Stream)
			}
			mine[s.Stream] = true
		}
		if _, open := w.rpc[c.ID]; open != (c.ActiveAt != 0) {
			t.Errorf("%s has an outbox: %v", c.ID, open)
		}
	}
	if !w.ended && w.state.Active && w.state.participants() == 0 {
		t.Error("the session is active without participants")
	}
	for request := range w.open {
		if !w.underway(request) {
			t.Errorf("request %+v will never be answered", request)
		}
	}
	for _, line := range w.wrong {
		t.Error(line)
	}
	for rpc, mail := range w.mail {
		if err := readMail(mail); err != nil {
			t.Errorf("%s: %v", rpc, err)
		}
	}
}

// underway reports whether the media node works on a request, or its stream is waited for.
func (w *world) underway(request Origin) bool {
	for _, a := range w.asked {
		if a.To == request {
			return true
		}
	}
	for _, c := range w.state.Connections {
		for _, s := range c.Subscriptions {
			if s.parked != nil && s.parked.to == request {
				return true
			}
		}
	}
	return false
}

// readMail reads what one client was sent as openvidu-browser does, and reports what would confuse it.
func readMail(mail []Message) error {
	answered := map[string]bool{}
	known, published := map[string]bool{}, map[string]bool{}
	first, ok := mail[0].Reply, mail[0].Reply != nil
	if !ok {
		return errors.New("something came before the answer to joinRoom")
	}
	result := first.Result.(JoinResult)
	self := result.Self.ID
	for _, o := range result.Others {
		known[o.ID], published[o.ID] = true, o.Stream != nil
	}
	for _, m := range mail[1:] {
		if m.Reply != nil {
			if answered[m.Reply.Request] {
				return fmt.Errorf("request %s was answered twice", m.Reply.Request)
			}
			answered[m.Reply.Request] = true
			if r, ok := m.Reply.Result.(PublishResult); ok {
				published[self] = r.Stream != ""
			}
			continue
		}
		if err := readNotice(m.Notice, self, known, published); err != nil {
			return err
		}
	}
	return nil
}

func readNotice(n Notice, self string, known, published map[string]bool) error {
	wrong := false
	switch n := n.(type) {
	case Joined:
		wrong = known[n.Connection] || n.Connection == self
		known[n.Connection] = true
	case StreamPublished:
		wrong = !known[n.Connection] || published[n.Connection] || n.Connection == self
		published[n.Connection] = true
	case StreamUnpublished:
		wrong = !published[n.Connection]
		published[n.Connection] = false
	case Left:
		wrong = !known[n.Connection]
		known[n.Connection], published[n.Connection] = false, false
	case StreamChanged:
		wrong = !published[n.Connection]
	case Signal:
		wrong = n.From != "" && n.From != self && !known[n.From] && n.From != recorderID
	case Evicted:
		wrong = n.Connection != self
	case RemoteCandidate:
		wrong = n.Endpoint != self && !published[n.Endpoint]
	}
	if wrong {
		return fmt.Errorf("%s: out of order", showNotice(n))
	}
	return nil
}
