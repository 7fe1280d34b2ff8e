package load_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"tertulia/internal/testkit"
)

var insecure = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}

// rest makes a REST call and returns a field of the answer.
func (s *server) rest(t *testing.T, method, path, body, field string) string {
	t.Helper()
	answer := map[string]any{}
	s.read(t, method, path, body, &answer)
	value, _ := answer[field].(string)
	return value
}

// read makes a REST call and takes the answer, if there is one.
func (s *server) read(t *testing.T, method, path, body string, answer any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/openvidu/api"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	request.Header.Set("Content-Type", "application/json")
	response, err := s.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s, %v", method, path, response.Status, text, err)
	}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
}

// participant is a websocket that speaks JSON-RPC; notifications are not looked at.
type participant struct {
	t      *testing.T
	socket *websocket.Conn
	name   string // connection id
	id     int    // of the latest request
}

// join makes a connection by REST and joins with its token.
func (s *server) join(ctx context.Context, t *testing.T, session string) *participant {
	t.Helper()
	token := s.rest(t, "POST", "/sessions/"+session+"/connection", "{}", "token")
	url := "wss" + strings.TrimPrefix(s.url, "https") + "/openvidu?sessionId=" + session
	alone := insecure.Clone() // a connection of its own, as every client has
	defer alone.CloseIdleConnections()
	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: alone}})
	if err != nil {
		t.Fatal(err)
	}
	socket.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = socket.CloseNow() })
	p := &participant{t: t, socket: socket}
	joined := p.ask(ctx, "joinRoom", map[string]any{
		"token": token, "session": session, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false,
	})
	p.name = p.text(joined, "id")
	return p
}

// ask sends a request and returns its result, or fails the test.
func (p *participant) ask(ctx context.Context, method string, params map[string]any) map[string]any {
	p.t.Helper()
	p.id++
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": p.id, "method": method, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.socket.Write(ctx, websocket.MessageText, text); err != nil {
		p.t.Fatal(err)
	}
	for {
		var m struct {
			ID            *int
			Result, Error map[string]any
		}
		_, text, err := p.socket.Read(ctx)
		if err != nil {
			p.t.Fatalf("%s: %v", method, err)
		}
		if err := json.Unmarshal(text, &m); err != nil {
			p.t.Fatalf("%s: %s: %v", method, text, err)
		}
		if m.ID == nil || *m.ID != p.id {
			continue
		}
		if m.Error != nil {
			p.t.Fatalf("%s: %v", method, m.Error)
		}
		return m.Result
	}
}

// offer offers a stream of a client and returns the server's answer.
func (p *participant) offer(ctx context.Context, camera *testkit.Client) map[string]any {
	return p.ask(ctx, "publishVideo", map[string]any{
		"sdpOffer": camera.PublishOffer(testkit.VP8), "doLoopback": false, "hasAudio": true, "hasVideo": true, "audioActive": true,
		"videoActive": true, "typeOfVideo": "CAMERA", "frameRate": 30, "videoDimensions": `{"width":640,"height":480}`,
	})
}

// text is a result's field that must be there.
func (p *participant) text(result map[string]any, field string) string {
	p.t.Helper()
	s, ok := result[field].(string)
	if !ok || s == "" {
		p.t.Fatalf("%s is %v in %v", field, result[field], result)
	}
	return s
}
