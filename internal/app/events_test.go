package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tertulia/internal/app"
	"tertulia/internal/testkit"
)

// application is a server that takes webhooks, unless it is down.
type application struct {
	*httptest.Server
	down    atomic.Bool
	refused chan struct{} // gets something for each that was refused
	took    chan webhook
}

type webhook struct{ number, attempt, kind, body string }

func newApplication(t *testing.T) *application {
	t.Helper()
	a := &application{refused: make(chan struct{}, 1000), took: make(chan webhook, 1000)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if a.down.Load() || err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			a.refused <- struct{}{}
			return
		}
		a.took <- webhook{r.Header.Get("Ov-Event-Number"), r.Header.Get("Ov-Event-Attempt"), r.Header.Get("Content-Type") + r.Header.Get("Authorization"), string(body)}
	}))
	t.Cleanup(a.Close)
	return a
}

// told are the settings of a node that sends its webhooks there, and writes files if they have a folder.
func (a *application) told(files string) []string {
	flags := []string{"--openvidu-webhook=true", "--openvidu-webhook-endpoint=" + a.URL, `--openvidu-webhook-headers=["Authorization: Basic T1BFTg=="]`}
	if files != "" {
		flags = append(flags, "--openvidu-cdr=true", "--openvidu-cdr-path="+files)
	}
	return flags
}

// next is what comes, without the name of the event it must be.
func (a *application) next(ctx context.Context, t *testing.T, name string) webhook {
	t.Helper()
	select {
	case w := <-a.took:
		if !strings.HasSuffix(w.body, `,"event":"`+name+`"}`) {
			t.Fatalf("number %s is %s, want %s", w.number, w.body, name)
		}
		return w
	case <-ctx.Done():
		t.Fatalf("no %s comes", name)
		return webhook{}
	}
}

// field is one field of an event, as text.
func (w webhook) field(name string) string {
	var object map[string]any
	if json.Unmarshal([]byte(w.body), &object) != nil || object[name] == nil {
		return ""
	}
	return fmt.Sprint(object[name])
}

// enter joins a session with a name and what the server says of it.
func (r running) enter(ctx context.Context, session, role, name string) (*client, string) {
	r.t.Helper()
	token := r.rest("POST", "/openvidu/api/sessions/"+session+"/connection", fmt.Sprintf(`{"role":%q,"data":"server of %s"}`, role, name), http.StatusOK)["token"]
	c := r.dial(ctx, session)
	joined := c.ask(ctx, "joinRoom", map[string]any{
		"token": token, "session": session, "platform": "Chrome", "sdkVersion": "2.32.2", "metadata": name, "secret": "", "recorder": false,
	})
	return c, text(r.t, joined, "id")
}

// publish sends a camera, and returns the stream's id.
func (c *client) publish(ctx context.Context) string {
	c.t.Helper()
	camera := testkit.NewClient(c.t, testkit.ClientConfig{})
	answer := c.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8)))
	camera.Accept(text(c.t, answer, "sdpAnswer"))
	return text(c.t, answer, "id")
}

func (c *client) subscribe(ctx context.Context, stream string) {
	c.t.Helper()
	screen := testkit.NewClient(c.t, testkit.ClientConfig{})
	offer := c.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	c.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(text(c.t, offer, "sdpOffer"))})
}

var moment = regexp.MustCompile(`("timestamp":|"startTime":)(\d+)|("duration":)(\d+)`)

// A call as its application is told of it, body by body, over a restart of the process in its middle; files and GET
// /events say the same.
func TestLOSS_19__InboundConnectionsAreTold(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	data, files, receiver := t.TempDir(), t.TempDir(), newApplication(t)
	began := time.Now().UnixMilli()
	first := start(t, data, "0", receiver.told(files)...)
	made := first.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	alice, ann := first.enter(ctx, "demo", "PUBLISHER", "Ann")
	bobby, bob := first.enter(ctx, "demo", "PUBLISHER", "Bob <b>")
	stream := alice.publish(ctx)
	bobby.subscribe(ctx, stream)
	alice.ask(ctx, "sendMessage", map[string]any{"message": `{"to":[],"type":"signal:chat","data":"hi & bye"}`})
	bobby.ask(ctx, "leaveRoom", map[string]any{})

	unique := fmt.Sprintf("demo_%.0f", made["createdAt"])
	head := `{"sessionId":"demo","uniqueSessionId":"` + unique + `","timestamp":T`
	end := func(reason string) string { return head + `,"startTime":T,"duration":D,"reason":"` + reason + `"` }
	who := func(id, name string) string {
		return `,"participantId":"` + id + `","connectionId":"` + id + `","location":"unknown","ip":"127.0.0.1","platform":"Chrome","clientData":"` + name + `","serverData":"server of ` + name + `"`
	}
	out := `,"streamId":"` + stream + `","participantId":"` + ann + `","connectionId":"` + ann + `","connection":"OUTBOUND"`
	in := `,"streamId":"` + stream + `","participantId":"` + bob + `","connectionId":"` + bob + `","connection":"INBOUND","receivingFrom":"` + ann + `"`
	camera := `,"videoSource":"CAMERA","videoFramerate":30,"videoDimensions":"{\"width\":640,\"height\":480}","audioEnabled":true,"videoEnabled":true`
	chat := `,"from":"` + ann + `","to":["` + ann + `","` + bob + `"],"type":"chat","data":"hi & bye"`
	want := []struct{ name, body string }{
		{"sessionCreated", head},
		{"participantJoined", head + who(ann, "Ann")},
		{"participantJoined", head + who(bob, "Bob <b>")},
		{"webrtcConnectionCreated", head + out + camera},
		{"webrtcConnectionCreated", head + in + camera},
		{"signalSent", head + chat},
		{"webrtcConnectionDestroyed", end("disconnect") + in + camera},
		{"participantLeft", end("disconnect") + who(bob, "Bob <b>")},
		{"webrtcConnectionDestroyed", end("sessionClosedByServer") + out + camera}, // after the restart
		{"participantLeft", end("sessionClosedByServer") + who(ann, "Ann")},
		{"sessionDestroyed", end("sessionClosedByServer")},
	}
	var bodies []string
	starts := map[string]string{} // of what has an end, by what it is
	node := first
	for i, w := range want {
		if i == 8 {
			if err := first.stop(nil); err != nil {
				t.Fatal(err)
			}
			node = start(t, data, "0", receiver.told(files)...)
			node.rest("DELETE", "/openvidu/api/sessions/demo", "", http.StatusNoContent)
		}
		got := receiver.next(ctx, t, w.name)
		if plain := moment.ReplaceAllStringFunc(got.body, plainly); plain != w.body+`,"event":"`+w.name+`"}` {
			t.Errorf("number %d is\n%s\nwant\n%s", i+1, plain, w.body)
		}
		if got.number != fmt.Sprint(i+1) || got.attempt != "1" || got.kind != "application/jsonBasic T1BFTg==" {
			t.Errorf("number %d has headers %s, %s, %s", i+1, got.number, got.attempt, got.kind)
		}
		bodies = append(bodies, got.body)
		var at, since, lasted int64
		_, _ = fmt.Sscan(compact(got.field("timestamp")), &at)
		if at < began-1 || at > time.Now().UnixMilli() {
			t.Errorf("number %d is of %d", i+1, at)
		}
		what := got.field("streamId") + got.field("connectionId")
		if started := got.field("startTime"); w.name == "signalSent" {
			continue
		} else if started == "" {
			starts[what] = got.field("timestamp")
		} else {
			if started != starts[what] {
				t.Errorf("number %d began at %s, it was told with %s", i+1, started, starts[what])
			}
			_, _ = fmt.Sscan(compact(started), &since)
			if lasted = (at - since) / 1000; got.field("duration") != fmt.Sprint(lasted) {
				t.Errorf("number %d lasted %s, want %d", i+1, got.field("duration"), lasted)
			}
		}
	}
	var replayed []string
	answer := node.rest("GET", "/openvidu/api/events?after=0&limit=100", "", http.StatusOK)
	for _, item := range answer["content"].([]any) {
		replayed = append(replayed, fmt.Sprint(item.(map[string]any)["number"], item.(map[string]any)["event"].(map[string]any)["event"]))
	}
	for i, w := range want {
		if i >= len(replayed) || replayed[i] != fmt.Sprint(i+1, w.name) {
			t.Fatalf("GET /events says %v", replayed)
		}
	}
	if fmt.Sprint(answer["oldest"], answer["latest"]) != fmt.Sprint(1, len(want)) {
		t.Errorf("GET /events keeps %v to %v", answer["oldest"], answer["latest"])
	}
	if err := node.stop(nil); err != nil {
		t.Fatal(err)
	}
	if lines := written(t, files); !slices.Equal(lines, inFiles(bodies)) {
		t.Errorf("files have\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(inFiles(bodies), "\n"))
	}
	if len(receiver.took) != 0 {
		t.Errorf("%v came too", <-receiver.took)
	}
}

// plainly is a moment or a duration without its value.
func plainly(field string) string {
	name, _, _ := strings.Cut(field, ":")
	if name == `"duration"` {
		return name + ":D"
	}
	return name + ":T"
}

// compact is a JSON number as %v shows it, without its exponent.
func compact(number string) string {
	var f float64
	_, _ = fmt.Sscan(number, &f)
	return fmt.Sprintf("%.0f", f)
}

// inFiles is what files hold of what webhooks carry.
func inFiles(bodies []string) []string {
	var lines []string
	for _, body := range bodies {
		at := strings.LastIndex(body, `,"event":`)
		lines = append(lines, "{"+strings.TrimSuffix(body[at+len(`,"event":`):], "}")+":"+body[:at]+"}}")
	}
	return lines
}

// written are the lines of all files, in order.
func written(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "CDR.*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	slices.Sort(files)
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
	}
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

// Every cause that a client or REST can bring about has its reason; a receiver that is down meanwhile, over a restart
// too, gets all of it in order, once.
func TestLOSS_20__ReasonsAreTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	data, files, receiver := t.TempDir(), t.TempDir(), newApplication(t)
	receiver.down.Store(true)
	r := start(t, data, "0", receiver.told(files)...)
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	moderator, mo := r.enter(ctx, "demo", "MODERATOR", "Mo")
	alice, ann := r.enter(ctx, "demo", "PUBLISHER", "Ann")
	api := "/openvidu/api/sessions/demo"

	stream := alice.publish(ctx)
	moderator.subscribe(ctx, stream)
	moderator.ask(ctx, "unsubscribeFromVideo", map[string]any{"sender": stream})
	alice.ask(ctx, "unpublishVideo", map[string]any{})
	moderator.ask(ctx, "forceUnpublish", map[string]any{"streamId": alice.publish(ctx)})
	stream = alice.publish(ctx)
	moderator.subscribe(ctx, stream)
	r.rest("DELETE", api+"/stream/"+stream, "", http.StatusNoContent)
	moderator.ask(ctx, "forceDisconnect", map[string]any{"connectionId": ann})
	_, bob := r.enter(ctx, "demo", "SUBSCRIBER", "Bob")
	r.rest("DELETE", api+"/connection/"+bob, "", http.StatusNoContent)

	<-receiver.refused // it has been tried
	if err := r.stop(nil); err != nil {
		t.Fatal(err)
	}
	r = start(t, data, "0", receiver.told(files)...)
	<-receiver.refused
	receiver.down.Store(false)
	r.rest("DELETE", api+"/connection/"+mo, "", http.StatusNoContent) // the last one

	number := 0
	for _, want := range []struct{ name, who, reason string }{
		{"sessionCreated", "", ""}, {"participantJoined", mo, ""}, {"participantJoined", ann, ""},
		{"webrtcConnectionCreated", ann, ""}, {"webrtcConnectionCreated", mo, ""},
		{"webrtcConnectionDestroyed", mo, "unsubscribe"}, {"webrtcConnectionDestroyed", ann, "unpublish"},
		{"webrtcConnectionCreated", ann, ""}, {"webrtcConnectionDestroyed", ann, "forceUnpublishByUser"},
		{"webrtcConnectionCreated", ann, ""}, {"webrtcConnectionCreated", mo, ""},
		{"webrtcConnectionDestroyed", mo + ann, "forceUnpublishByServer"}, {"webrtcConnectionDestroyed", mo + ann, "forceUnpublishByServer"},
		{"participantLeft", ann, "forceDisconnectByUser"},
		{"participantJoined", bob, ""}, {"participantLeft", bob, "forceDisconnectByServer"},
		{"participantLeft", mo, "forceDisconnectByServer"}, {"sessionDestroyed", "", "lastParticipantLeft"},
	} {
		number++
		got := receiver.next(ctx, t, want.name)
		if got.number != fmt.Sprint(number) || got.field("reason") != want.reason || !strings.Contains(want.who, got.field("connectionId")) {
			t.Errorf("number %d is %s %s, want %v", number, got.number, got.body, want)
		}
	}
	if err := r.stop(app.ErrEndCalls); err != nil {
		t.Fatal(err)
	}
	if lines := written(t, files); len(lines) != number || len(receiver.took) != 0 {
		t.Errorf("%d lines and %d more webhooks for %d events", len(lines), len(receiver.took), number)
	}
}

// A node that is stopped for good says so of every call, before it goes.
func TestLOSS_20__TheServerStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	receiver := newApplication(t)
	r := start(t, t.TempDir(), "0", receiver.told("")...)
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	_, ann := r.enter(ctx, "demo", "PUBLISHER", "Ann")
	if err := r.stop(app.ErrEndCalls); err != nil {
		t.Fatal(err)
	}
	receiver.next(ctx, t, "sessionCreated")
	receiver.next(ctx, t, "participantJoined")
	for _, name := range []string{"participantLeft", "sessionDestroyed"} {
		if got := receiver.next(ctx, t, name); got.field("reason") != "openviduServerStopped" || !strings.Contains(ann, got.field("connectionId")) {
			t.Errorf("%s", got.body)
		}
	}
}
