package signal

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/cluster/kv"
	"tertulia/internal/cluster/natsd"
	"tertulia/internal/fault"
	"tertulia/internal/session"
)

// BenchmarkJoinRoom is joinRoom by token over websockets that are open already, one after the other, with the real
// registry and the log of production; client and server share the processors, so run it with -cpu 1.
// A benchmark of 1,000 iterations is 1,000 sockets:
//
//	go test ./internal/api/signal -run - -bench JoinRoom -benchtime 2000x -cpu 1
//
// The cpu metric is user and system time of the whole process, clients included.
func BenchmarkJoinRoom(b *testing.B) {
	for _, c := range []struct {
		name    string
		members int
		store   func(*testing.B) session.Store
	}{
		{"session=4", 4, memoryStore}, {"session=50", 50, memoryStore}, {"session=4/store=disk", 4, diskStore},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHall(b, c.members, c.store(b))
			h.measure(b, func(i int) { h.join(b, i) })
		})
	}
}

// BenchmarkLeaveRoom is leaveRoom of those who have joined sessions of four.
func BenchmarkLeaveRoom(b *testing.B) {
	h := newHall(b, 4, memoryStore(b))
	for i := range h.sockets {
		h.join(b, i)
	}
	h.measure(b, func(i int) { h.ask(b, i, frame(2, "leaveRoom", `{}`), 2) })
}

func memoryStore(*testing.B) session.Store { return &session.MemoryStore{} }

// diskStore is the store of production: JetStream in this process.
func diskStore(b *testing.B) session.Store {
	ctx, cancel := context.WithCancel(context.Background())
	server, ended := natsd.New(natsd.Config{Dir: b.TempDir()}), make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	conn, err := server.Connect(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		conn.Close()
		cancel()
		<-ended
	})
	bucket, err := kv.Open(ctx, conn, kv.Config{Name: "sessions", Taken: fault.SessionExists})
	if err != nil {
		b.Fatal(err)
	}
	return bucket
}

// hall is a server with b.N sockets, each with a token for a place in a session.
type hall struct {
	sockets []*websocket.Conn
	joins   []string // frames
}

func newHall(b *testing.B, members int, store session.Store) *hall {
	b.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = null.Close() })
	log := slog.New(slog.NewJSONHandler(null, nil))
	registry := session.New(session.Config{Store: store, Media: echoNode{}, Secrets: turnServer{}, Log: log, MaxSessions: b.N + 1})
	server := New(Config{Sessions: Local(registry), Secret: "MY_SECRET", Log: log, MaxSocketsByAddress: b.N + 1})
	ctx, cancel := context.WithCancel(context.Background())
	web := httptest.NewServer(server)
	ended := make(chan struct{}, 2)
	go func() { registry.Run(ctx); ended <- struct{}{} }()
	go func() { server.Run(ctx); ended <- struct{}{} }()
	b.Cleanup(func() {
		cancel()
		<-ended
		<-ended
		web.Close()
	})
	h := &hall{}
	id := ""
	for i := range b.N {
		if i%members == 0 {
			made, err := registry.Create(ctx, session.Properties{})
			if err != nil {
				b.Fatal(err)
			}
			id = made.ID
		}
		answer, err := registry.Do(ctx, id, session.CreateConnection{Role: session.Publisher, Record: true})
		if err != nil {
			b.Fatal(err)
		}
		h.joins = append(h.joins, frame(1, "joinRoom", fmt.Sprintf(`{"token":"wss://localhost:4443?sessionId=%s&token=%s","session":%q,"platform":"Chrome 126.0.0.0 on Linux 64-bit","sdkVersion":"2.32.2","metadata":"{\"clientData\":\"Participant%d\"}","secret":"","recorder":false,"stt":false}`,
			id, answer.(*session.Connection).Token, id, i)))
		ws, _, err := websocket.Dial(ctx, strings.Replace(web.URL, "http", "ws", 1)+"/openvidu?sessionId="+id, nil)
		if err != nil {
			b.Fatal(err)
		}
		ws.SetReadLimit(-1)
		b.Cleanup(func() { ws.CloseNow() })
		h.sockets = append(h.sockets, ws)
	}
	return h
}

func (h *hall) join(b *testing.B, i int) {
	h.ask(b, i, h.joins[i], 1)
}

// ask sends a request and reads until its answer.
func (h *hall) ask(b *testing.B, i int, request string, id int) {
	ws := h.sockets[i]
	if err := ws.Write(context.Background(), websocket.MessageText, []byte(request)); err != nil {
		b.Fatal(err)
	}
	want := fmt.Sprintf(`{"id":%d,"result":{`, id)
	for {
		_, text, err := ws.Read(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if strings.HasPrefix(string(text), want) {
			return
		}
		if strings.Contains(string(text), `"error"`) {
			b.Fatalf("refused: %s", text)
		}
	}
}

// measure times b.N runs, and the processor time they took.
func (h *hall) measure(b *testing.B, run func(i int)) {
	before := cpu(b)
	b.ResetTimer()
	for i := range b.N {
		run(i)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
