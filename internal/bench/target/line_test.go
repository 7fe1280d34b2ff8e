package target

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	check(t, err)
	return string(text)
}

func lineTo(t *testing.T, f *fake) *line {
	t.Helper()
	l, err := dial(t.Context(), fmt.Sprintf("ws://127.0.0.1:%d/", f.port), websocket.MessageText, websocket.DialOptions{})
	check(t, err)
	return l
}

func TestLineTellsWhoWaits(t *testing.T) {
	l := lineTo(t, newFake(t, func(s *script) {
		s.say(websocket.MessageText, []byte("one"))
		s.say(websocket.MessageText, []byte("two"))
	}))
	var heard []string
	l.listen(func(m []byte) { l.note(func() { heard = append(heard, string(m)) }) })
	check(t, l.wait(t.Context(), "both", func() bool { return len(heard) == 2 }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.wait(ctx, "a third", func() bool { return len(heard) == 3 }); err == nil || err.Error() != "waiting for a third: context canceled" {
		t.Errorf("wait = %v", err)
	}
	l.close()
	if err := l.wait(t.Context(), "a third", func() bool { return len(heard) == 3 }); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("wait after close = %v", err)
	}
}

func TestLineEndsWithTheServer(t *testing.T) {
	l := lineTo(t, newFake(t, func(s *script) { s.conn.CloseNow() }))
	l.listen(func([]byte) {})
	if err := l.wait(t.Context(), "word", func() bool { return false }); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("wait = %v", err)
	}
	l.close()
}

func TestLineBoundsMessages(t *testing.T) {
	l := lineTo(t, newFake(t, func(s *script) { s.say(websocket.MessageText, make([]byte, maxMessage+1)) }))
	l.listen(func([]byte) { t.Error("a message over the limit came through") })
	if err := l.wait(t.Context(), "it", func() bool { return false }); err == nil {
		t.Error("no error")
	}
	l.close()
}

func TestPulseGoesOn(t *testing.T) {
	third := make(chan struct{})
	l := lineTo(t, newFake(t, func(s *script) {
		for range 3 {
			if string(s.read()) != "ping" {
				t.Error("no ping")
			}
		}
		close(third)
	}))
	l.listen(func([]byte) {})
	check(t, l.pulse(time.Millisecond, func() error { return l.write([]byte("ping")) }))
	<-third
	l.close()
}
