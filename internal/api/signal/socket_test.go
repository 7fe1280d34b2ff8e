package signal

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/fault"
	"tertulia/internal/session"
)

// script is a node whose one connection does what the test says.
type script struct {
	hold     chan struct{} // joins wait for it, if not nil
	refuses  error         // resumptions
	messages chan session.Message
	mu       sync.Mutex
	sent     []session.Command
	acked    []uint64
	taken    int // seats
	detached int
	lost     []event.SocketLost
}

func newScript() *script { return &script{messages: make(chan session.Message, 100)} }

func (s *script) Join(ctx context.Context, _, _ string, _ session.Join) (*Seat, error) {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.sit(), nil
}

func (s *script) Resume(context.Context, string) (*Seat, error) {
	if s.refuses != nil {
		return nil, s.refuses
	}
	return s.sit(), nil
}

func (s *script) sit() *Seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	return &Seat{Outbox: s, Session: "S", Connection: "con_A", RPC: "rpc", Self: session.Connection{Platform: "Chrome"}}
}

func (s *script) Send(_ context.Context, _ string, c session.Command) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, c)
	return nil
}

func (s *script) Next(ctx context.Context) (session.Message, error) {
	select {
	case m, ok := <-s.messages:
		if !ok {
			return m, fault.New(fault.ConnectionClosed, "ended")
		}
		return m, nil
	case <-ctx.Done():
		return session.Message{}, ctx.Err()
	}
}

func (s *script) Ack(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = append(s.acked, seq)
}

func (s *script) Detach(lost event.SocketLost) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.detached++
	s.lost = append(s.lost, lost)
}

// bubble runs a test in fake time with one wire to a server; when play returns, all of it must end. The node is made
// inside the bubble, where its channels have to be.
func bubble(t *testing.T, cfg Config, play func(s *Server, node *script, w *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		node := newScript()
		cfg.Log, cfg.Sessions = quiet(t), node
		s := New(cfg)
		var running sync.WaitGroup
		w := connect(s, "/openvidu", &running)
		synctest.Wait()
		play(s, node, w)
		select {
		case <-w.gone:
		default:
			close(w.gone)
		}
		running.Wait() // the bubble fails if a goroutine is left
		if got := s.Stats().Sockets; got != 0 {
			t.Errorf("%d sockets are left", got)
		}
		if node.detached != node.taken {
			t.Errorf("%d seats were taken, %d given back", node.taken, node.detached)
		}
	})
}

func frame(id int, method, params string) string {
	if params != "" {
		params = `,"params":` + params
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":%q%s,"id":%d}`, method, params, id)
}

// closesAfter waits for the close and checks when it came, and its reason.
func closesAfter(t *testing.T, w *wire, since time.Time, want time.Duration, reason string) {
	t.Helper()
	<-w.closed
	if took := time.Since(since); took != want || w.code != 1000 || w.reason != reason {
		t.Errorf("closed after %v with %d %q, want %v %q", took, w.code, w.reason, want, reason)
	}
}

func TestWatchdog(t *testing.T) {
	for name, c := range map[string]struct {
		pings []string // params, one ping every 4 s
		want  time.Duration
	}{
		"2.x":              {pings: []string{`{"interval":5000}`, ``}, want: 19 * time.Second},
		"1.x":              {pings: []string{`{"interval":3000}`}, want: 9 * time.Second},
		"no interval":      {pings: []string{``, `{}`}, want: 24 * time.Second},
		"an hour":          {pings: []string{`{"interval":3600000}`}, want: time.Minute},
		"nothing":          {pings: []string{`{"interval":-1}`}, want: 3 * time.Second},
		"wrong":            {pings: []string{`{"interval":"x"}`}, want: 20 * time.Second},
		"Android":          {pings: []string{`{"interval":"5000"}`, `{}`}, want: 19 * time.Second},
		"never":            {want: time.Minute},
		"after reconnects": {pings: []string{`{"interval":5000}`, `{"interval":5000}`, `{"interval":5000}`}, want: 23 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
				start := time.Now()
				for i, params := range c.pings {
					if i > 0 {
						time.Sleep(4 * time.Second)
					}
					w.say(frame(i, "ping", params))
				}
				closesAfter(t, w, start, c.want, "Close for not receive ping from client")
			})
		})
	}
}

// Talk keeps a socket that never pings; once it pings, only pings do.
func TestIdle(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		start := time.Now()
		time.Sleep(50 * time.Second)
		w.say(frame(0, "echo", ""))
		closesAfter(t, w, start, 110*time.Second, noPing)
	})
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		start := time.Now()
		w.say(frame(0, "ping", `{"interval":5000}`))
		for i := range 10 {
			w.say(frame(1+i, "echo", ""))
			time.Sleep(time.Second)
		}
		closesAfter(t, w, start, 15*time.Second, noPing)
	})
}

// A join that takes long does not keep pings waiting, and what was asked meanwhile comes after it.
func TestPingPassesASlowJoin(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		node.hold = make(chan struct{})
		w.say(frame(1, "joinRoom", `{"session":"S","token":"tok_A"}`))
		w.say(frame(2, "unpublishVideo", `{}`))
		w.say(frame(3, "ping", `{"interval":5000}`))
		synctest.Wait()
		if got := w.taken(); len(got) != 1 || !strings.Contains(got[0], "pong") {
			t.Errorf("while joining: %q", got)
		}
		close(node.hold)
		synctest.Wait()
		if got := fmt.Sprintf("%#v", node.sent); got != `[]session.Command{session.Unpublish{Connection:"con_A"}}` {
			t.Errorf("after joining: %s", got)
		}
	})
}

// A client that goes while it joins leaves no connection behind that nobody holds.
func TestGoingWhileJoining(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		node.hold = make(chan struct{})
		w.say(frame(1, "joinRoom", `{"session":"S","token":"tok_A"}`))
		synctest.Wait()
		close(node.hold)
		close(w.gone)
	})
}

// Any error tells a client that comes back to give up (openvidu-browser, onreconnected); only an RPC session that is
// really gone is one. Else its socket is closed, and it tries again.
func TestResumingLater(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		answered bool
	}{
		"gone":     {fault.New(fault.ReconnectionUnknown, "reconnection error"), true},
		"stopping": {fault.New(fault.NoCapacity, "this server is stopping"), false},
		"loading":  {fault.Wrap(fault.Timeout, context.DeadlineExceeded, "not loaded yet"), false},
		"other":    {io.ErrUnexpectedEOF, false},
	} {
		bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
			node.refuses = c.err
			w.say(frame(7, "connect", `{"sessionId":"rpc","reconnect":true}`))
			synctest.Wait()
			got := strings.Join(w.taken(), "")
			if answered := got == `{"id":7,"error":{"code":40007,"message":"reconnection error"},"jsonrpc":"2.0"}`; answered != c.answered || !answered && got != "" {
				t.Errorf("%s: answered %q", name, got)
			}
			select {
			case <-w.closed:
				if c.answered || w.code != 1001 {
					t.Errorf("%s: closed with %d", name, w.code)
				}
			default:
				if !c.answered {
					t.Errorf("%s: left open", name)
				}
			}
		})
	}
}

// What a flood asks for is answered in full, only more slowly; garbage and bulk are no faster way in.
func TestFloodIsReadSlowly(t *testing.T) {
	const more = 400
	for name, c := range map[string]struct {
		frame string
		n     int
	}{
		"pings":    {frame(1, "ping", ""), maxBurst + more},
		"garbage":  {`{"jsonrpc":`, maxBurst + more},
		"batches":  {`[{"jsonrpc":"2.0","method":"ping","id":1}]`, maxBurst + more},
		"unasked":  {frame(1, "echo", ""), maxBurst + more},
		"in bulk":  {frame(1, "ping", `{"x":"`+strings.Repeat("x", 9*bytesPerToken)+`"}`), (maxBurst + more) / 10},
		"too deep": {strings.Repeat("[", 100), maxBurst + more},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{MaxMessageRate: 200}, func(_ *Server, node *script, w *wire) {
				start := time.Now()
				for range c.n {
					w.say(c.frame)
				}
				time.Sleep(10 * time.Millisecond)
				if took := time.Since(start); took < 1900*time.Millisecond || took > 2100*time.Millisecond {
					t.Errorf("took %v, want 2 s", took)
				}
				time.Sleep(time.Second)
				if got := len(w.taken()); got != c.n {
					t.Errorf("%d answers, want %d", got, c.n)
				}
			})
		})
	}
}

// The session may owe a client only so many answers.
func TestTooManyUnanswered(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		w.say(frame(0, "joinRoom", `{"session":"S","token":"tok_A"}`))
		for i := range maxPending {
			w.say(frame(1+i, "unpublishVideo", ""))
		}
		time.Sleep(time.Minute / 4)
		if got := w.taken(); len(got) != 1 || !strings.Contains(got[0], "slow down. Code: 999") {
			t.Errorf("got %q", got)
		}
	})
}

// TestAskedWhileTheConnectionEnds: the session drops what it reads after the end; the socket, open for another ten seconds,
// answers for it, once, after what the session has answered and told itself.
func TestAskedWhileTheConnectionEnds(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		w.say(frame(0, "joinRoom", `{"session":"S","token":"tok_A","platform":"Chrome"}`))
		synctest.Wait()
		node.messages <- session.Message{Reply: &session.Answered{Request: "0", Result: session.JoinResult{Self: new(session.Connection)}}}
		for i, method := range []string{"unpublishVideo", "leaveRoom", "onIceCandidate"} {
			w.say(frame(i+1, method, `{"candidate":"c"}`))
		}
		synctest.Wait()
		w.taken()
		node.messages <- session.Message{Reply: &session.Answered{Request: "1"}}
		node.messages <- session.Message{Seq: 1, Notice: session.Evicted{Connection: "con_A", Reason: "forceDisconnectByUser"}}
		close(node.messages)
		synctest.Wait()
		got, want := w.taken(), []string{`{"id":1,"result":{"sessionId":"rpc"}`, `participantEvicted`, `"pull"`, `{"id":2,"error":{"code":999`, `{"id":3,"result":{"sessionId":"rpc"}`}
		if len(got) != len(want) {
			t.Fatalf("got %q", got)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("frame %d: %s, want %s", i, got[i], want[i])
			}
		}
	})
}

// TestReceipts: one pull is in flight while there is something to prove; candidates alone wait for pings.
func TestReceipts(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		w.say(frame(0, "connect", `{"sessionId":"rpc"}`))
		tell := func(seq uint64, n session.Notice) {
			node.messages <- session.Message{Seq: seq, Notice: n}
			synctest.Wait()
		}
		tell(1, session.RemoteCandidate{})
		tell(2, session.Signal{})
		tell(3, session.StreamPublished{}) // while a pull is in flight none follows
		tell(4, session.RemoteCandidate{})
		w.say(`{"jsonrpc":"2.0","result":"push","id":-1}`) // was not asked
		w.say(`{"jsonrpc":"2.0","result":"push","id":-2}`) // proves 2, and the next pull is for all up to 4
		w.say(`{"jsonrpc":"2.0","result":"push","id":-4}`)
		w.say(`{"jsonrpc":"2.0","result":"push","id":-4}`) // again
		tell(5, session.RemoteCandidate{})
		for i := range 4 {
			w.say(frame(1+i, "ping", ""))
		}
		synctest.Wait()
		var pulls []string
		for _, f := range w.taken() {
			if strings.Contains(f, "pull") {
				pulls = append(pulls, f)
			}
		}
		if got, want := fmt.Sprint(pulls), `[{"id":-2,"method":"pull","jsonrpc":"2.0"} {"id":-4,"method":"pull","jsonrpc":"2.0"}]`; got != want {
			t.Errorf("pulls %s", got)
		}
		if got := fmt.Sprint(node.acked); got != "[2 4 5]" {
			t.Errorf("acknowledged %s, want [2 4 5]", got)
		}
	})
}

// FuzzSocket: whatever a client sends, requests with an id are answered, and the server goes on.
func FuzzSocket(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","method":"joinRoom","params":{"session":"wss://h/x","secret":"s","token":"wss://h?token=%41"},"id":1}`,
		`{"jsonrpc":"2.0","method":"publishVideo","params":{"sdpOffer":"v=0","filter":{"type":7}},"id":"a"}`,
		`{"jsonrpc":"2.0","method":"sendMessage","params":{"message":"{\"to\":[1]}"},"id":1e3}`,
		`{"jsonrpc":"2.0","result":"push","id":-9223372036854775808}`, `{"jsonrpc":"2.0","method":"connect","id":0}`, `[`, ``,
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, joined bool) {
		bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
			if joined {
				w.say(frame(0, "joinRoom", `{"session":"S","token":"tok_A"}`))
			}
			w.say(text)
			w.say(frame(77, "ping", ""))
			synctest.Wait()
			out := w.taken()
			if len(out) == 0 || !strings.Contains(strings.Join(out, ""), `{"id":77,"result":{"value":"pong"}`) {
				t.Errorf("%q: the ping after it got %q", text, out)
			}
		})
	})
}

// TestHowASocketEnds: the session learns how long it was open, how long silent, and by which close frame it ended.
func TestHowASocketEnds(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		w.say(frame(0, "joinRoom", `{"session":"S","token":"tok_A"}`))
		time.Sleep(7 * time.Second)
		w.say(frame(1, "ping", `{"interval":5000}`))
		<-w.closed
		synctest.Wait()
		want := []event.SocketLost{{Age: 22_000, Silent: 15_000, Code: 1000, Reason: noPing}}
		if !slices.Equal(node.lost, want) {
			t.Errorf("ours: %+v, want %+v", node.lost, want)
		}
	})
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		w.say(frame(0, "joinRoom", `{"session":"S","token":"tok_A"}`))
		synctest.Wait()
		close(w.gone)
		synctest.Wait()
		if want := []event.SocketLost{{}}; !slices.Equal(node.lost, want) {
			t.Errorf("cut: %+v, want %+v", node.lost, want)
		}
	})
}

// TestCandidatesAreNeverRefused: an error to onIceCandidate would be an exception of the application's (spec §4.8). What
// cannot be read goes no further.
func TestCandidatesAreNeverRefused(t *testing.T) {
	bubble(t, Config{}, func(_ *Server, node *script, w *wire) {
		w.say(frame(0, "onIceCandidate", `{"candidate":"c"}`))
		synctest.Wait()
		if out := w.taken(); len(out) != 1 || !strings.Contains(out[0], `"code":803`) {
			t.Errorf("before joinRoom: %q, want error 803", out)
		}
		w.say(frame(1, "joinRoom", `{"session":"S"}`))
		synctest.Wait()
		w.taken()
		for i, params := range []string{
			`{"candidate":"c","sdpMid":0}`, `{"candidate":"c","sdpMLineIndex":"x"}`, `["c"]`, `{"candidate":"` + strings.Repeat("c", 5000) + `"}`,
		} {
			w.say(frame(i+2, "onIceCandidate", params))
			synctest.Wait()
			if out := w.taken(); len(out) != 1 || !strings.Contains(out[0], `"result":{"sessionId":"rpc"}`) {
				t.Errorf("%.60s: %q, want an empty result", params, out)
			}
		}
		if len(node.sent) != 0 {
			t.Errorf("the session got %+v", node.sent)
		}
	})
}
