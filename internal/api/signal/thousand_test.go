package signal

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/session"
)

// TestThousandSessionsLeaveNothing: a thousand sessions of four, created, joined over websockets, half of them left by
// their clients and half closed by REST, leave memory, goroutines and descriptors where they were.
func TestThousandSessionsLeaveNothing(t *testing.T) {
	const rounds, sessions, members = 20, 50, 4
	registry := session.New(session.Config{Store: &session.MemoryStore{}, Media: echoNode{}, Secrets: turnServer{}, Log: quiet(t)})
	server := New(Config{Sessions: Local(registry), Log: quiet(t)})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { registry.Run(ctx) })
	running.Go(func() { server.Run(ctx) })
	web := httptest.NewServer(server)
	defer web.Close()
	defer running.Wait()
	defer cancel()
	url := strings.Replace(web.URL, "http", "ws", 1) + "/openvidu"

	first := usage{}
	for round := range rounds {
		var all sync.WaitGroup
		for i := range sessions {
			all.Go(func() { callOfMany(t, registry, url, fmt.Sprintf("s%d-%d", round, i), members, i%2 == 0) })
			if i%8 == 7 {
				all.Wait()
			}
		}
		all.Wait()
		eventually(t, func() bool { return server.Stats().Sockets == 0 && len(registry.List()) == 0 })
		web.CloseClientConnections()
		if round == 1 { // pools and tables have their size
			first = measureUsage(t)
		}
	}
	last := usage{}
	defer func() {
		t.Logf("after %d sessions %+v, after %d sessions %+v", 2*sessions, first, rounds*sessions, last)
	}()
	eventually(t, func() bool { // what has ended may still be on its way out
		last = measureUsage(t)
		return last.within(first)
	})
}

// eventually waits until something is so, for half a minute.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it is not so")
		}
	}
}

// callOfMany is the life of one session.
func callOfMany(t *testing.T, registry *session.Registry, url, id string, members int, leaves bool) {
	if _, err := registry.Create(t.Context(), session.Properties{CustomSessionID: id}); err != nil {
		t.Error(err)
		return
	}
	var sockets []*websocket.Conn
	for range members {
		made, err := registry.Do(t.Context(), id, session.CreateConnection{Role: session.Publisher})
		if err != nil {
			t.Error(err)
			return
		}
		ws, _, err := websocket.Dial(t.Context(), url+"?sessionId="+id, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		sockets = append(sockets, ws)
		exchange(t, ws, frame(1, "joinRoom", fmt.Sprintf(`{"token":%q,"session":%q,"platform":"Chrome","sdkVersion":"2.32.2"}`, made.(*session.Connection).Token, id)), `{"id":1,"result":{"id":"con_`)
	}
	exchange(t, sockets[0], frame(2, "publishVideo", `{"sdpOffer":"OFFER","hasAudio":true,"hasVideo":true}`), `{"id":2,"result":{"sdpAnswer"`)
	if !leaves {
		if _, err := registry.Do(t.Context(), id, session.Close{Reason: "sessionClosedByServer"}); err != nil {
			t.Error(err)
		}
	}
	for _, ws := range sockets {
		if leaves {
			exchange(t, ws, frame(3, "leaveRoom", `{}`), `{"id":3,"result"`)
		} else {
			exchange(t, ws, frame(3, "ping", ``), `"method":"participantEvicted"`)
		}
		ws.Close(4102, "Connection closed by client")
	}
}

// exchange sends a frame and reads until one holds want.
func exchange(t *testing.T, ws *websocket.Conn, request, want string) {
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(request)); err != nil {
		t.Error(err)
		return
	}
	for {
		_, text, err := ws.Read(t.Context())
		if err != nil {
			t.Errorf("no %s: %v", want, err)
			return
		}
		if strings.Contains(string(text), want) {
			return
		}
	}
}

// usage is what a process holds.
type usage struct{ heap, goroutines, descriptors int }

func measureUsage(t *testing.T) usage {
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return usage{int(m.HeapAlloc), runtime.NumGoroutine(), len(files)}
}

// within allows for a heap that is not the same twice: less than 128 bytes for each of 900 sessions more.
func (u usage) within(first usage) bool {
	return u.heap < first.heap+128<<10 && u.goroutines <= first.goroutines && u.descriptors <= first.descriptors
}
