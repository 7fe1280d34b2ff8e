package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func watching(t *testing.T, allowed bool) (*Feed, string) {
	t.Helper()
	f := NewFeed(func(*http.Request) bool { return allowed }, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, "ws" + strings.TrimPrefix(server.URL, "http")
}

func (f *Feed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.watchers)
}

func TestFeed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f, url := watching(t, true)
	f.Tell("nobody hears this")
	socket, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for f.count() == 0 {
		runtime.Gosched()
	}
	for _, line := range []string{"one", "two"} {
		f.Tell(line)
		if _, got, err := socket.Read(ctx); err != nil || string(got) != line {
			t.Errorf("got %q, %v", got, err)
		}
	}
	_ = socket.CloseNow()
	for f.count() > 0 && ctx.Err() == nil {
		f.Tell("x") // who has gone is found out by writing, at the latest
		runtime.Gosched()
	}
	if f.count() > 0 {
		t.Error("who has left is still told")
	}
}

func TestTheFeedIsNotForEverybody(t *testing.T) {
	f, url := watching(t, false)
	for range burst {
		_, answer, err := websocket.Dial(t.Context(), url, nil)
		if err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
			t.Fatalf("answered %v, %v", answer, err)
		}
	}
	if _, answer, _ := websocket.Dial(t.Context(), url, nil); answer == nil || answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a guess too many: %v", answer)
	}
	for range maxWatchers {
		if !f.add(make(chan string)) {
			t.Fatal("refused too early")
		}
	}
	if f.add(make(chan string)) {
		t.Error("there is no limit")
	}
	f.Tell("nobody reads, nobody waits")
}
