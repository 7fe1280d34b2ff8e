package target

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// fake is the other end of websockets: it runs talk for each, and keeps the queries they came with.
type fake struct {
	port int

	mu      sync.Mutex
	queries []url.Values
}

func newFake(t *testing.T, talk func(s *script)) *fake {
	t.Helper()
	f := &fake{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.queries = append(f.queries, r.URL.Query())
		f.mu.Unlock()
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"janus-protocol"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		s := &script{conn: c}
		talk(s)
		for s.read() != nil { // until the client says goodbye
		}
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	check(t, err)
	f.port, err = strconv.Atoi(port)
	check(t, err)
	return f
}

// script is one conversation.
type script struct{ conn *websocket.Conn }

// read returns the next message; nil at the end.
func (s *script) read() []byte {
	_, m, err := s.conn.Read(context.Background())
	if err != nil {
		return nil
	}
	return m
}

func (s *script) say(kind websocket.MessageType, m []byte) {
	_ = s.conn.Write(context.Background(), kind, m) // the client sees what is missing
}

// paper is a Transport that writes down what it is given.
type paper struct {
	offer    string
	accepted string
	answered []string
}

func (p *paper) Offer() (string, error) { return p.offer, nil }

func (p *paper) Accept(answer string) error { p.accepted = answer; return nil }

func (p *paper) Answer(offer string) (string, error) {
	p.answered = append(p.answered, offer)
	return fmt.Sprintf("answer %d", len(p.answered)), nil
}
