package load

import (
	"bytes"
	"context"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
)

// running is a loop that runs until the test ends.
func running(t *testing.T) *Loop {
	t.Helper()
	loop, end := start(t)
	t.Cleanup(end)
	return loop
}

func start(t *testing.T) (loop *Loop, end func()) {
	t.Helper()
	loop, err := NewLoop()
	ok(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	return loop, func() {
		t.Helper()
		cancel()
		ok(t, <-ended)
	}
}

// TestCloseDuringHandshake: neither closing nor the loop's end waits for a server that says nothing, and no goroutine stays.
func TestCloseDuringHandshake(t *testing.T) {
	for _, closes := range []bool{true, false} {
		loop, end := start(t)
		var clients []*Client
		for range 30 {
			c, err := NewViewer(Config{Loop: loop})
			ok(t, err)
			_, err = c.Answer(server("passive", "audio", "video"))
			ok(t, err)
			ok(t, loop.do(func() { c.selectPair(c.local) }))
			clients = append(clients, c)
		}
		if closes {
			for _, c := range clients {
				ok(t, c.Close())
			}
			ok(t, loop.do(func() {
				if len(loop.clients) != 0 || loop.connecting != 0 {
					t.Errorf("%d clients, %d connecting", len(loop.clients), loop.connecting)
				}
			}))
		}
		end()
		for _, c := range clients {
			if err := c.Connected(t.Context()); err == nil {
				t.Error("a client that was closed is connected")
			}
			ok(t, c.Close())
		}
		var stacks bytes.Buffer
		ok(t, pprof.Lookup("goroutine").WriteTo(&stacks, 1))
		for _, of := range []string{"(*handshake).run", "(*keys).shake", "(*Loop).Run"} {
			if bytes.Contains(stacks.Bytes(), []byte(of)) {
				t.Errorf("a goroutine is left in %s:\n%s", of, &stacks)
			}
		}
	}
}

// TestAfterTheEnd: clients that were never begun can be closed, and wait for nothing.
func TestAfterTheEnd(t *testing.T) {
	loop, end := start(t)
	c, err := NewViewer(Config{Loop: loop})
	ok(t, err)
	end()
	if _, err := c.Answer(server("passive", "audio")); err == nil {
		t.Error("a client connects without its loop")
	}
	ok(t, c.Close())
	ok(t, c.Close())
	if err := c.Connected(t.Context()); err == nil || c.Chosen() != "" {
		t.Errorf("connected with %q", c.Chosen())
	}
	if loop.post(func() {}) {
		t.Error("a loop takes messages after its end")
	}
	if _, err := NewViewer(Config{}); err == nil {
		t.Error("a client without a loop")
	}
}

// TestFailureIsFinal: after a handshake failed, what the server sends begins no other.
func TestFailureIsFinal(t *testing.T) {
	s := newStage(t, Config{}, false)
	s.client.checkCandidates()
	s.reply(s.server, s.one(), serverPwd, stun.BindingSuccess)
	s.reply(s.server, s.one(), serverPwd, stun.BindingSuccess)
	h := s.client.handshake
	if h == nil {
		t.Fatal("no handshake")
	}
	s.client.shaken(h, true, srtp.Config{}, errClosed)
	s.say(s.server, []byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	if s.client.handshake != nil || s.client.Connected(t.Context()) == nil {
		t.Error("a handshake that failed has begun anew")
	}
}

// TestWheel ticks whom it should, once, however far the loop has fallen behind.
func TestWheel(t *testing.T) {
	s := newStage(t, Config{}, false)
	l := s.client.loop
	l.turned = 0
	for _, after := range []int64{0, 1, 5, 511, 5000} {
		l.schedule(s.client, slot*time.Duration(after))
		at := int64(-1)
		for i := range l.wheel {
			if len(l.wheel[i]) > 0 {
				at = int64(i)
				l.wheel[i] = nil
			}
		}
		if want := min(max(after, 1), int64(len(l.wheel)-1)); at != want {
			t.Errorf("%d slots from now is slot %d, want %d", after, at, want)
		}
	}
}
