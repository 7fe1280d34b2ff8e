package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/internal/app"
	"tertulia/internal/config"
	"tertulia/internal/testkit"
)

// running is a node and the calls a test makes to it.
type running struct {
	t    *testing.T
	url  string
	stop func(cause error) error
}

var insecure = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}

// start runs a node on a data folder; port 0 is any.
func start(t *testing.T, data string, port string, flags ...string) running {
	t.Helper()
	return startLogged(t, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), data, port, flags...)
}

func startLogged(t *testing.T, log *slog.Logger, data, port string, flags ...string) running {
	t.Helper()
	c, err := config.Load(append([]string{"--data=" + data, "--https-port=" + port, "--openvidu-secret=MY_SECRET", "--address-discovery=off"}, flags...), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- app.Run(ctx, c, log, func(url string) { ready <- url })
		close(done)
	}()
	var once sync.Once
	r := running{t: t}
	r.stop = func(cause error) (err error) {
		once.Do(func() { cancel(cause); err = <-done })
		return err
	}
	t.Cleanup(func() { _ = r.stop(nil) })
	select {
	case r.url = <-ready:
	case err := <-done:
		t.Fatalf("the node ended before it was ready: %v", err)
	}
	return r
}

// rest makes a REST call and decodes the answer.
func (r running) rest(method, path, body string, status int) map[string]any {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", "MY_SECRET")
	request.Header.Set("Content-Type", "application/json")
	response, err := insecure.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		r.t.Fatalf("%s %s: %s %s, %v; want %d", method, path, response.Status, text, err, status)
	}
	answer := map[string]any{}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			r.t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
	return answer
}

// client is a participant: a websocket that speaks JSON-RPC, notifications unread.
type client struct {
	running
	socket *websocket.Conn
	id     int
}

func (r running) dial(ctx context.Context, session string) *client {
	r.t.Helper()
	url := "wss" + strings.TrimPrefix(r.url, "https") + "/openvidu?sessionId=" + session
	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: insecure})
	if err != nil {
		r.t.Fatal(err)
	}
	socket.SetReadLimit(1 << 20)
	r.t.Cleanup(func() { _ = socket.CloseNow() })
	return &client{running: r, socket: socket}
}

// call has two people join a session, of whom the first publishes and the second watches: the screen.
func (r running) call(ctx context.Context, session string) (ann, bob *client, screen *testkit.Client) {
	r.t.Helper()
	ann, _ = r.join(ctx, session)
	bob, _ = r.join(ctx, session)
	camera, screen := testkit.NewClient(r.t, testkit.ClientConfig{}), testkit.NewClient(r.t, testkit.ClientConfig{})
	answer := ann.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8)))
	camera.Accept(text(r.t, answer, "sdpAnswer"))
	camera.Publish(ctx)
	stream := text(r.t, answer, "id")
	offer := bob.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	bob.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(text(r.t, offer, "sdpOffer"))})
	return ann, bob, screen
}

// ask sends a request and returns its result, or fails the test.
func (c *client) ask(ctx context.Context, method string, params map[string]any) map[string]any {
	c.t.Helper()
	c.id++
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.socket.Write(ctx, websocket.MessageText, text); err != nil {
		c.t.Fatal(err)
	}
	for {
		var m struct {
			ID     *int
			Result map[string]any
			Error  map[string]any
		}
		_, text, err := c.socket.Read(ctx)
		if err != nil {
			c.t.Fatalf("%s: %v", method, err)
		}
		if err := json.Unmarshal(text, &m); err != nil {
			c.t.Fatalf("%s: %s: %v", method, text, err)
		}
		if m.ID == nil || *m.ID != c.id {
			continue
		}
		if m.Error != nil {
			c.t.Fatalf("%s: %v", method, m.Error)
		}
		return m.Result
	}
}

// told sends a request and returns the text of its answer, also of a refusal.
func (c *client) told(ctx context.Context, method string, params map[string]any) string {
	c.t.Helper()
	c.id++
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	if err == nil {
		err = c.socket.Write(ctx, websocket.MessageText, text)
	}
	for err == nil {
		var m struct{ ID *int }
		if _, text, err = c.socket.Read(ctx); err == nil && json.Unmarshal(text, &m) == nil && m.ID != nil && *m.ID == c.id {
			return string(text)
		}
	}
	c.t.Fatalf("%s: %v", method, err)
	return ""
}

// join makes a connection by REST and joins with its token.
func (r running) join(ctx context.Context, session string) (*client, map[string]any) {
	r.t.Helper()
	token := r.rest("POST", "/openvidu/api/sessions/"+session+"/connection", "{}", http.StatusOK)["token"]
	c := r.dial(ctx, session)
	return c, c.ask(ctx, "joinRoom", map[string]any{
		"token": token, "session": session, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": "", "secret": "", "recorder": false,
	})
}

func published(offer string) map[string]any {
	return map[string]any{
		"sdpOffer": offer, "doLoopback": false, "hasAudio": true, "hasVideo": true, "audioActive": true, "videoActive": true,
		"typeOfVideo": "CAMERA", "frameRate": 30, "videoDimensions": `{"width":640,"height":480}`,
	}
}

func text(t *testing.T, m map[string]any, key string) string {
	t.Helper()
	s, ok := m[key].(string)
	if !ok || s == "" {
		t.Fatalf("%s is %v in %v", key, m[key], m)
	}
	return s
}

// view is what REST shows of a session's connections and streams.
func (r running) view(session string) string {
	r.t.Helper()
	shown := r.rest("GET", "/openvidu/api/sessions/"+session, "", http.StatusOK)
	var lines []string
	for _, item := range shown["connections"].(map[string]any)["content"].([]any) {
		c := item.(map[string]any)
		lines = append(lines, fmt.Sprint(c["id"], c["status"], c["token"], c["publishers"].([]any)[:min(1, len(c["publishers"].([]any)))]))
	}
	return strings.Join(lines, "\n")
}

func TestACallOutlivesItsProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	data := t.TempDir()
	first := start(t, data, "0")
	first.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	alice, joined := first.join(ctx, "demo")
	bob, _ := first.join(ctx, "demo")
	camera, screen := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	answer := alice.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8)))
	stream := text(t, answer, "id")
	camera.Accept(text(t, answer, "sdpAnswer"))
	camera.Publish(ctx)
	offer := bob.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	bob.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(text(t, offer, "sdpOffer"))})
	screen.WaitPackets(ctx, "video", 20)
	screen.WaitPackets(ctx, "audio", 5)
	before := first.view("demo")

	if err := first.stop(nil); err != nil {
		t.Fatal(err)
	}
	again := start(t, data, first.url[strings.LastIndex(first.url, ":")+1:])
	if now := again.view("demo"); now != before {
		t.Errorf("after the restart REST shows\n%s\nbefore it\n%s", now, before)
	}
	back := again.dial(ctx, "demo")
	resumed := back.ask(ctx, "connect", map[string]any{"sessionId": text(t, joined, "sessionId"), "reconnect": true})
	if resumed["value"] != "reconnection successful" {
		t.Errorf("connect is answered with %v", resumed)
	}
	renewed := testkit.NewClient(t, testkit.ClientConfig{})
	answer = back.ask(ctx, "reconnectStream", map[string]any{"stream": stream, "sdpString": renewed.PublishOffer(testkit.VP8)})
	if answer["id"] != stream {
		t.Errorf("the stream is %v after reconnecting, was %s", answer["id"], stream)
	}
	renewed.Accept(text(t, answer, "sdpAnswer"))
	renewed.WaitConnected(ctx)

	if err := again.stop(app.ErrEndCalls); err != nil {
		t.Fatal(err)
	}
	last := start(t, data, "0")
	last.rest("GET", "/openvidu/api/sessions/demo", "", http.StatusNotFound)
}

func TestTheOnePort(t *testing.T) {
	r := start(t, t.TempDir(), "0")
	health := r.rest("GET", "/openvidu/api/health", "", http.StatusOK)
	if health["status"] != "UP" {
		t.Errorf("health %v", health)
	}
	for path, status := range map[string]int{"/livez": 200, "/readyz": 200, "/openvidu/accept-certificate": 200, "/call/x/y": 404} {
		response, err := insecure.Get("http" + strings.TrimPrefix(r.url, "https") + path) // in the clear: it is localhost
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("GET %s by HTTP: %s, want %d", path, response.Status, status)
		}
	}
	response, err := insecure.Post(r.url+"/call/tea", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var made struct{ Token string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || !strings.Contains(made.Token, "?sessionId=tea&token=tok_") {
		t.Errorf("POST /call/tea: %s, token %q, %v", response.Status, made.Token, err)
	}
}

func TestTwoProcessesOnOneDataFolder(t *testing.T) {
	data := t.TempDir()
	start(t, data, "0")
	c, err := config.Load([]string{"--data=" + data, "--https-port=0", "--openvidu-secret=MY_SECRET", "--address-discovery=off"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = app.Run(t.Context(), c, slog.New(slog.DiscardHandler), func(string) { t.Error("the second one serves") })
	if err == nil || !strings.Contains(err.Error(), "another tertulia") {
		t.Errorf("the second process ended with %v", err)
	}
}
