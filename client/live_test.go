package client_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tertulia/client"
	"tertulia/internal/app"
	"tertulia/internal/config"
	"tertulia/internal/testkit"
)

var trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}

// live runs a node on a data folder, which tells its events to a receiver; stop ends it as a restart would.
func live(t *testing.T, data, receiver string) (url string, stop func()) {
	t.Helper()
	c, err := config.Load([]string{
		"--data=" + data, "--https-port=0", "--openvidu-secret=MY_SECRET", "--address-discovery=off",
		"--openvidu-webhook=true", "--openvidu-webhook-endpoint=" + receiver,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	go func() { ended <- app.Run(ctx, c, log, func(url string) { ready <- url }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case url = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("the node ended before it was ready: %v", err)
	}
	return url, stop
}

// application speaks with a node as an application's server does.
func application(t *testing.T, url, secret string) *client.Client {
	t.Helper()
	c, err := client.New(url, secret, client.HTTP(trusting))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// browser is a page that has joined: a websocket that speaks JSON-RPC.
type browser struct {
	t      *testing.T
	socket *websocket.Conn
	id     int
}

// join joins with a token.
func join(ctx context.Context, t *testing.T, url string, c *client.Connection, name string) *browser {
	t.Helper()
	socket, _, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(url, "https")+"/openvidu?sessionId="+c.SessionID, &websocket.DialOptions{HTTPClient: trusting})
	if err != nil {
		t.Fatal(err)
	}
	socket.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = socket.CloseNow() })
	b := &browser{t: t, socket: socket}
	joined := b.ask(ctx, "joinRoom", map[string]any{
		"token": c.Token, "session": c.SessionID, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": name, "secret": "", "recorder": false,
	})
	if joined["id"] != c.ID {
		t.Fatalf("joined as %v, want %s", joined["id"], c.ID)
	}
	return b
}

// frame is one that a page gets.
type frame struct {
	ID             *int
	Method         string
	Params, Result map[string]any
	Error          any
}

// until reads to a frame and returns it.
func (b *browser) until(ctx context.Context, what string, ok func(frame) bool) frame {
	b.t.Helper()
	for {
		_, text, err := b.socket.Read(ctx)
		if err != nil {
			b.t.Fatalf("no %s comes: %v", what, err)
		}
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			b.t.Fatalf("%s: %v", text, err)
		}
		if ok(f) {
			return f
		}
	}
}

// ask sends a request and returns its result.
func (b *browser) ask(ctx context.Context, method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.id++
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": b.id, "method": method, "params": params})
	if err == nil {
		err = b.socket.Write(ctx, websocket.MessageText, text)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	f := b.until(ctx, "answer to "+method, func(f frame) bool { return f.Method == "" && f.ID != nil && *f.ID == b.id })
	if f.Error != nil {
		b.t.Fatalf("%s: %v", method, f.Error)
	}
	return f.Result
}

// publish sends a camera and returns the stream's id.
func (b *browser) publish(ctx context.Context) string {
	b.t.Helper()
	camera := testkit.NewClient(b.t, testkit.ClientConfig{})
	answer := b.ask(ctx, "publishVideo", map[string]any{
		"sdpOffer": camera.PublishOffer(testkit.VP8), "doLoopback": false, "hasAudio": true, "hasVideo": true, "audioActive": true,
		"videoActive": true, "typeOfVideo": "CAMERA", "frameRate": 30, "videoDimensions": `{"width":640,"height":480}`,
	})
	camera.Accept(answer["sdpAnswer"].(string))
	return answer["id"].(string)
}

func (b *browser) subscribe(ctx context.Context, stream string) {
	b.t.Helper()
	screen := testkit.NewClient(b.t, testkit.ClientConfig{})
	offer := b.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	b.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(offer["sdpOffer"].(string))})
}

// told is a receiver of webhooks that keeps what it took; it refuses each third event once.
type told struct {
	mu      sync.Mutex
	took    []client.Event
	refused map[uint64]bool
	news    chan struct{} // of capacity 1
}

func (r *told) take(_ context.Context, e client.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Number%3 == 0 && !r.refused[e.Number] {
		r.refused[e.Number] = true
		return errors.New("not now")
	}
	r.took = append(r.took, e)
	select {
	case r.news <- struct{}{}:
	default:
	}
	return nil
}

// all waits for so many events.
func (r *told) all(ctx context.Context, t *testing.T, n int) []client.Event {
	t.Helper()
	for {
		r.mu.Lock()
		took := slices.Clone(r.took)
		r.mu.Unlock()
		if len(took) >= n {
			return took
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			t.Fatalf("%d events came, want %d: %s", len(took), n, lines(took))
		}
	}
}

// lines are events as text, with what a session's history is told by.
func lines(events []client.Event) string {
	var text strings.Builder
	for _, e := range events {
		fmt.Fprintln(&text, strings.Join(strings.Fields(fmt.Sprint(e.Number, " ", e.Name, " ", e.Session, " ", e.Connection, " ", e.Stream, " ", e.Reason)), " "))
	}
	return text.String()
}

func ok[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// TestAgainstANode: every call, event and webhook of the package, with a real node, restarted in the middle.
func TestAgainstANode(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	receiver := &told{refused: map[uint64]bool{}, news: make(chan struct{}, 1)}
	hook := httptest.NewServer(client.Webhook(receiver.take))
	t.Cleanup(hook.Close)
	data := t.TempDir()
	url, stop := live(t, data, hook.URL)
	ov := application(t, url, "MY_SECRET")
	if _, err := application(t, url, "wrong").Sessions(ctx); !errors.Is(err, client.ErrUnauthorized) {
		t.Errorf("a wrong secret: %v", err)
	}

	session, connection := ok[*client.Session](t), ok[*client.Connection](t)
	made := session(ov.CreateSession(ctx, client.SessionOptions{CustomSessionID: "lesson", ForcedVideoCodec: "VP8"}))
	again := session(ov.CreateSession(ctx, client.SessionOptions{CustomSessionID: "lesson"}))
	if made.ID != "lesson" || made.CustomID != "lesson" || made.ForcedVideoCodec != "VP8" || time.Since(made.CreatedAt).Abs() > time.Minute ||
		!again.CreatedAt.Equal(made.CreatedAt) || again.ForcedVideoCodec != "VP8" {
		t.Errorf("made %+v, then there is %+v", made, again)
	}
	if err := ov.Signal(ctx, "lesson", client.Signal{Data: "x"}); !errors.Is(err, client.ErrNobody) {
		t.Errorf("a signal to an empty session: %v", err)
	}
	if err := ov.Signal(ctx, "none", client.Signal{Data: "x"}); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a signal to no session: %v", err)
	}
	if _, err := ov.CreateConnection(ctx, "lesson", client.ConnectionOptions{Role: "TEACHER"}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a role that is none: %v", err)
	}

	no := false
	ann := connection(ov.CreateConnection(ctx, "lesson", client.ConnectionOptions{Role: client.Subscriber, Data: "server's Ann", Record: &no}))
	ben := connection(ov.CreateConnection(ctx, "lesson", client.ConnectionOptions{}))
	if ann.Active || ann.Token == "" || ann.Role != client.Subscriber || ann.Record || ann.ServerData != "server's Ann" || ann.SessionID != "lesson" ||
		ben.Role != client.Publisher || !ben.Record {
		t.Errorf("Ann is %+v, Ben %+v", ann, ben)
	}
	publisher, yes := client.Publisher, true
	if changed := connection(ov.UpdateConnection(ctx, "lesson", ann.ID, client.Update{Role: &publisher, Record: &yes})); changed.Role != publisher || !changed.Record {
		t.Errorf("updated: %+v", changed)
	}
	if all := ok[[]client.Connection](t)(ov.Connections(ctx, "lesson")); len(all) != 2 {
		t.Errorf("connections: %+v", all)
	}

	annPage, benPage := join(ctx, t, url, ann, "client's Ann"), join(ctx, t, url, ben, "client's Ben")
	if err := ov.Signal(ctx, "lesson", client.Signal{To: []string{ben.ID}, Type: "bell", Data: "break"}); err != nil {
		t.Error(err)
	}
	heard := benPage.until(ctx, "signal", func(f frame) bool { return f.Method == "sendMessage" })
	if heard.Params["type"] != "signal:bell" || heard.Params["data"] != "break" {
		t.Errorf("heard %v", heard.Params)
	}
	if err := ov.Signal(ctx, "lesson", client.Signal{To: []string{"con_nobody"}, Data: "x"}); !errors.Is(err, client.ErrNobody) {
		t.Errorf("a signal to somebody who is not there: %v", err)
	}

	stream := annPage.publish(ctx)
	benPage.subscribe(ctx, stream)
	shown := session(ov.Session(ctx, "lesson"))
	for _, c := range shown.Connections {
		if !c.Active || c.Platform != "Chrome" || c.Address != "127.0.0.1" || time.Since(c.ActiveAt).Abs() > time.Minute {
			t.Errorf("has joined: %+v", c)
		}
	}
	if c := connection(ov.Connection(ctx, "lesson", ann.ID)); len(c.Publishers) != 1 || c.Publishers[0].ID != stream || !c.Publishers[0].HasVideo ||
		c.Publishers[0].FrameRate != 30 || c.ClientData != "client's Ann" {
		t.Errorf("publishes: %+v", c)
	}
	if c := connection(ov.Connection(ctx, "lesson", ben.ID)); len(c.Subscribers) != 1 || c.Subscribers[0].ID != stream {
		t.Errorf("subscribes: %+v", c)
	}
	if err := ov.Unpublish(ctx, "lesson", stream); err != nil {
		t.Error(err)
	}
	if err := ov.Unpublish(ctx, "lesson", stream); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("unpublished again: %v", err)
	}
	if err := ov.Disconnect(ctx, "lesson", ben.ID); err != nil {
		t.Error(err)
	}
	if _, err := ov.Connection(ctx, "lesson", ben.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("Ben is put out: %v", err)
	}

	before := follow(ctx, t, ov, 0, "participantLeft")
	stop()
	url, _ = live(t, data, hook.URL)
	ov = application(t, url, "MY_SECRET")
	if kept := session(ov.Session(ctx, "lesson")); !kept.CreatedAt.Equal(made.CreatedAt) || len(kept.Connections) != 1 || kept.Connections[0].ID != ann.ID {
		t.Errorf("after a restart: %+v", kept)
	}
	if err := ov.CloseSession(ctx, "lesson"); err != nil {
		t.Error(err)
	}
	if err := ov.CloseSession(ctx, "lesson"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("closed again: %v", err)
	}
	if all := ok[[]client.Session](t)(ov.Sessions(ctx)); len(all) != 0 {
		t.Errorf("sessions: %+v", all)
	}
	events := append(before, follow(ctx, t, ov, before[len(before)-1].Number, "sessionDestroyed")...)

	want := fmt.Sprintf(`1 sessionCreated lesson
2 participantJoined lesson %[1]s
3 participantJoined lesson %[2]s
4 signalSent lesson
5 webrtcConnectionCreated lesson %[1]s %[3]s
6 webrtcConnectionCreated lesson %[2]s %[3]s
7 webrtcConnectionDestroyed lesson %[1]s %[3]s forceUnpublishByServer
8 webrtcConnectionDestroyed lesson %[2]s %[3]s forceUnpublishByServer
9 participantLeft lesson %[2]s forceDisconnectByServer
10 participantLeft lesson %[1]s sessionClosedByServer
11 sessionDestroyed lesson sessionClosedByServer
`, ann.ID, ben.ID, stream)
	if got := lines(events); got != want {
		t.Errorf("followed\n%swant\n%s", got, want)
	}
	if page := ok[[]client.Event](t)(ov.Events(ctx, 4, 2)); len(page) != 2 || page[0].Number != 5 || string(page[1].JSON) != string(events[5].JSON) {
		t.Errorf("two after 4: %s", lines(page))
	}
	if got := lines(receiver.all(ctx, t, len(events))); got != want {
		t.Errorf("the webhook took\n%swant\n%s", got, want)
	}
	if len(receiver.refused) != len(events)/3 {
		t.Errorf("told again: %v", receiver.refused)
	}
}

// follow takes events up to one of a name.
func follow(ctx context.Context, t *testing.T, ov *client.Client, after uint64, last string) (events []client.Event) {
	t.Helper()
	for e, err := range ov.Follow(ctx, after) {
		if err != nil {
			t.Fatalf("after %s%v", lines(events), err)
		}
		if events = append(events, e); e.Name == last {
			break
		}
	}
	return events
}
