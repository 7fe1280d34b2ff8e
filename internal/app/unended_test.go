package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

// kill runs a node in a process of its own until killed, which is SIGKILL.
func (r *running) kill(data string) (killed func()) {
	r.t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "TERTULIA_TEST_SERVES="+data)
	command.Stderr = io.Discard
	stdin, err := command.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		r.t.Fatal(err)
	}
	killed = func() {
		if command.ProcessState == nil {
			_ = command.Process.Kill()
			_ = stdin.Close()
			_ = command.Wait()
		}
	}
	r.t.Cleanup(killed)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		r.t.Fatalf("the node says %q, %v", line, err)
	}
	r.url = url
	return killed
}

// events are those of streams that a node has told, and what was told to begin and not to end: when, by connection and stream.
func (r running) events() (list []string, open map[string]string) {
	r.t.Helper()
	open = map[string]string{}
	for _, item := range r.rest("GET", "/openvidu/api/events?after=0&limit=100", "", http.StatusOK)["content"].([]any) {
		e := item.(map[string]any)["event"].(map[string]any)
		what := fmt.Sprint(e["connectionId"], " ", e["streamId"])
		switch e["event"] {
		case "webrtcConnectionCreated":
			if open[what] != "" {
				r.t.Errorf("%s begins twice", what)
			}
			open[what] = compact(fmt.Sprint(e["timestamp"]))
		case "webrtcConnectionDestroyed":
			if began := compact(fmt.Sprint(e["startTime"])); open[what] != began {
				r.t.Errorf("%s ends, which began at %s; it was told with %q", what, began, open[what])
			}
			delete(open, what)
			what += " " + fmt.Sprint(e["reason"])
		default:
			continue
		}
		list = append(list, fmt.Sprint(e["event"], " ", what))
	}
	return list, open
}

// TestLOSS_19__KilledInACall: a process is killed while Bob and Cy watch Ann. The next one tells their ends; Bob comes back
// and begins anew, Cy does not. Each begin has one end once the session is over, and GET sessions says the same meanwhile.
func TestLOSS_19__KilledInACall(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	data := t.TempDir()
	r := running{t: t}
	kill := r.kill(data)
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	alice, ann := r.enter(ctx, "demo", "PUBLISHER", "Ann")
	stream := alice.publish(ctx)
	bobby, bob := r.enter(ctx, "demo", "SUBSCRIBER", "Bob")
	bobby.subscribe(ctx, stream)
	cyril, cy := r.enter(ctx, "demo", "SUBSCRIBER", "Cy")
	cyril.subscribe(ctx, stream)
	rpc := map[*client]string{}
	for _, c := range []*client{alice, bobby} {
		rpc[c] = text(t, c.ask(ctx, "connect", nil), "sessionId")
	}
	for begun := 0; begun < 3; { // on the disk
		_, open := r.events()
		begun = len(open)
	}
	kill()

	again := start(t, data, "0")
	list, open := again.events()
	what := func(viewer string) string { return viewer + " " + stream }
	if len(list) != 5 || len(open) != 1 || open[what(ann)] == "" ||
		list[3] != "webrtcConnectionDestroyed "+what(bob)+" mediaServerReconnect" || list[4] != "webrtcConnectionDestroyed "+what(cy)+" mediaServerReconnect" {
		t.Fatalf("after the kill: %q, without end %v", list, open)
	}
	back := func(c *client) *client {
		n := again.dial(ctx, "demo")
		n.ask(ctx, "connect", map[string]any{"sessionId": rpc[c], "reconnect": true})
		return n
	}
	camera, screen := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	back(alice).ask(ctx, "reconnectStream", map[string]any{"stream": stream, "sdpString": camera.PublishOffer(testkit.VP8)})
	viewer := back(bobby)
	offer := viewer.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": true})
	viewer.ask(ctx, "reconnectStream", map[string]any{"stream": stream, "sdpString": screen.Answer(text(t, offer, "sdpOffer")), "forciblyReconnect": false})
	for len(open) != 2 {
		_, open = again.events()
	}
	shown := map[string]string{}
	for _, item := range again.rest("GET", "/openvidu/api/sessions/demo", "", http.StatusOK)["connections"].(map[string]any)["content"].([]any) {
		c := item.(map[string]any)
		for _, one := range append(c["publishers"].([]any), c["subscribers"].([]any)...) {
			s := one.(map[string]any)
			shown[fmt.Sprint(c["id"], " ", s["streamId"])] = compact(fmt.Sprint(s["createdAt"]))
		}
	}
	if !maps.Equal(open, shown) {
		t.Errorf("events tell of %v, GET sessions of %v", open, shown)
	}
	again.rest("DELETE", "/openvidu/api/sessions/demo", "", http.StatusNoContent)
	for len(list) != 8 {
		list, open = again.events()
	}
	if len(open) > 0 {
		t.Errorf("never ended: %v of\n%s", open, strings.Join(list, "\n"))
	}
	if err := again.stop(nil); err != nil {
		t.Fatal(err)
	}
	if list, _ := start(t, data, "0").events(); len(list) != 8 {
		t.Errorf("another start tells more:\n%s", strings.Join(list, "\n"))
	}
}
