package signal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/session"
)

// lobby is a server with the real registry behind real websockets.
type lobby struct {
	*Server
	registry *session.Registry
	url      string
}

func newLobby(t *testing.T, grace time.Duration) *lobby {
	t.Helper()
	registry := session.New(session.Config{Store: &session.MemoryStore{}, Media: echoNode{}, Log: quiet(t), Grace: grace})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { registry.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	s, url, _ := serveHTTP(t, Config{Sessions: Local(registry), Secret: "S"})
	if _, err := registry.Create(t.Context(), session.Properties{CustomSessionID: "Room"}); err != nil {
		t.Fatal(err)
	}
	return &lobby{s, registry, url}
}

// page is openvidu-browser from 2.21 on, as far as its socket goes.
type page struct {
	t       *testing.T
	ws      *websocket.Conn
	url     string
	request int
	id, rpc string
	user    string
}

// open joins session Room on a new socket; cookie is the browser's, "" for a new one.
func (l *lobby) open(t *testing.T, cookie string) (p *page, set string) {
	t.Helper()
	made, err := l.registry.Do(t.Context(), "Room", session.CreateConnection{Role: session.Publisher, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	if cookie != "" {
		header.Set("Cookie", "OVJSESSIONID="+cookie)
	}
	p = &page{t: t, url: l.url + "/openvidu?sessionId=Room"}
	var response *http.Response
	p.ws, response = dial(t, p.url, header)
	for _, c := range response.Cookies() {
		set = c.Value
	}
	p.ask("ping", `{"interval":5000}`)
	joined := p.ask("joinRoom", fmt.Sprintf(`{"token":"wss://h?sessionId=Room&token=%s","session":"Room","platform":"Chrome","sdkVersion":"2.32.2","metadata":"","secret":""}`, made.(*session.Connection).Token))
	p.id, p.rpc, p.user = joined.ID, joined.SessionID, joined.FinalUserID
	return p, set
}

// incoming is what a page reads in a frame.
type incoming struct {
	ID     *int
	Method string
	Params struct{ Data, Reason, ConnectionID string }
	Result *answerOf
	Error  *struct{ Code int }
}

type answerOf struct{ ID, SessionID, FinalUserID string }

// next reads one frame; pulls are answered as the client's library does, once what came before is handled.
func (p *page) next() (incoming, error) {
	for {
		_, text, err := p.ws.Read(p.t.Context())
		if err != nil {
			return incoming{}, err
		}
		var in incoming
		if err := json.Unmarshal(text, &in); err != nil {
			return incoming{}, err
		}
		if in.Method != "pull" {
			return in, nil
		}
		_ = p.ws.Write(p.t.Context(), websocket.MessageText, []byte(fmt.Sprintf(`{"jsonrpc":"2.0","result":"push","id":%d}`, *in.ID)))
	}
}

// send sends a request and returns its id.
func (p *page) send(method, params string) int {
	p.t.Helper()
	id := p.request
	p.request++
	if err := p.ws.Write(p.t.Context(), websocket.MessageText, []byte(frame(id, method, params))); err != nil {
		p.t.Fatal(err)
	}
	return id
}

// ask sends a request and waits for its answer; what else comes is skipped.
func (p *page) ask(method, params string) answerOf {
	p.t.Helper()
	id := p.send(method, params)
	for {
		in, err := p.next()
		if err != nil {
			p.t.Fatal(err)
		}
		if in.ID != nil && *in.ID == id {
			if in.Error != nil {
				p.t.Fatalf("%s is refused with %d", method, in.Error.Code)
			}
			return *in.Result
		}
	}
}

// until reads to a notification of that name.
func (p *page) until(method string) incoming {
	p.t.Helper()
	for {
		in, err := p.next()
		if err != nil {
			p.t.Fatal(err)
		}
		if in.Method == method {
			return in
		}
	}
}

// TestPageUnload: a closed tab (1001, no leaveRoom) is gone for the others after the grace time, and not before; a tab
// that leaves is gone at once (spec §2.8).
func TestPageUnload(t *testing.T) {
	const grace, never = 300 * time.Millisecond, time.Hour // longer than the test may take
	for _, c := range []struct {
		name, reason string
		end          func(*page)
		grace, least time.Duration
	}{
		{"unload", "networkDisconnect", func(p *page) { p.ws.Close(websocket.StatusGoingAway, "") }, grace, grace},
		{"crash", "networkDisconnect", func(p *page) { p.ws.CloseNow() }, grace, grace},
		{"leaveRoom", "disconnect", func(p *page) { p.ask("leaveRoom", `{}`); p.ws.Close(4102, "Connection closed by client") }, never, 0},
	} {
		l := newLobby(t, c.grace)
		stays, _ := l.open(t, "")
		goes, _ := l.open(t, "")
		start := time.Now()
		c.end(goes)
		left := stays.until("participantLeft")
		if took := time.Since(start); left.Params.Reason != c.reason || left.Params.ConnectionID != goes.id || took < c.least {
			t.Errorf("%s: left %+v after %v", c.name, left.Params, took)
		}
	}
}

// TestTwoTabs: one browser is one final user with two connections; each hears the other.
func TestTwoTabs(t *testing.T) {
	l := newLobby(t, time.Minute)
	first, cookie := l.open(t, "")
	second, _ := l.open(t, cookie)
	other, _ := l.open(t, "")
	if len(first.user) != 16 || second.user != first.user || other.user == first.user || second.id == first.id {
		t.Errorf("users %q, %q and %q, connections %s and %s", first.user, second.user, other.user, first.id, second.id)
	}
	second.send("sendMessage", `{"message":"{\"to\":[],\"data\":\"x\",\"type\":\"signal:x\"}"}`)
	if got := first.until("sendMessage"); got.Params.Data != "x" {
		t.Errorf("got %+v", got)
	}
}

// TestFlappingSocket: a socket that drops a hundred times, in bursts, while signals keep coming: every one arrives, in
// order; what is told again is the tail that could not be proved.
func TestFlappingSocket(t *testing.T) {
	const drops, most = 100, 2000 // signals: an outbox holds 4,096
	l := newLobby(t, time.Minute)
	p, _ := l.open(t, "")
	done := make(chan struct{})
	var sending sync.WaitGroup
	last := 0
	sending.Go(func() { // REST signals, until the last drop
		for last < most {
			data := fmt.Sprint(last + 1)
			if _, err := l.registry.Do(context.Background(), "Room", session.SendSignal{Data: &data}); err != nil {
				t.Error(err)
				return
			}
			last++
			select {
			case <-done:
				return
			case <-time.After(200 * time.Microsecond):
			}
		}
	})
	heard, again := 0, 0
	hear := func() bool {
		in, err := p.next()
		if err != nil {
			return false
		}
		if in.Method == "sendMessage" {
			switch n := number(in.Params.Data); {
			case n == heard+1:
				heard++
			case n > heard+1:
				t.Errorf("%d after %d", n, heard)
				heard = n
			default:
				again++
			}
		}
		return true
	}
	for i := range drops {
		for range i % 7 { // now and then it is gone before it has read anything
			if !hear() {
				t.Fatal("the socket ended by itself")
			}
		}
		old := p.ws
		if i%3 == 0 { // the new socket is there before the old one is gone
			defer old.CloseNow()
		} else {
			old.CloseNow()
		}
		p.ws, _ = dial(t, p.url+"&reconnect=true", nil)
		p.send("connect", fmt.Sprintf(`{"sessionId":%q,"reconnect":true}`, p.rpc))
		if i%5 == 4 { // a burst: it drops before it is answered
			continue
		}
		in, err := p.next()
		if err != nil || in.ID == nil || in.Error != nil || in.Result.SessionID != p.rpc {
			t.Fatalf("drop %d: connect answers %+v, %v", i, in, err)
		}
	}
	close(done)
	sending.Wait()
	p.ws.CloseNow()
	p.ws, _ = dial(t, p.url+"&reconnect=true", nil)
	p.ask("connect", fmt.Sprintf(`{"sessionId":%q,"reconnect":true}`, p.rpc))
	for heard < last && hear() {
	}
	if heard != last || last < drops {
		t.Errorf("heard %d of %d signals", heard, last)
	}
	if state, err := l.registry.State("Room"); err != nil || len(state.Connections) != 1 || state.Connections[0].DroppedAt != 0 {
		t.Errorf("after all: %+v, %v", state.Connections, err)
	}
	t.Logf("%d signals, %d told again over %d drops", last, again, drops)
}

func number(s string) (n int) {
	_, _ = fmt.Sscan(strings.TrimSpace(s), &n)
	return n
}
