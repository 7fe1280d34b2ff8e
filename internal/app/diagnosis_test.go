package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

// content is what REST lists at a path, as maps.
func (r running) content(path string) []map[string]any {
	r.t.Helper()
	var list []map[string]any
	for _, item := range r.rest("GET", path, "", http.StatusOK)["content"].([]any) {
		list = append(list, item.(map[string]any))
	}
	return list
}

// diagnosed waits until a connection has records, and returns what was found and how long after a time.
func (r running) diagnosed(ctx context.Context, session, connection string, since time.Time) ([]map[string]any, time.Duration) {
	r.t.Helper()
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		if list := r.content("/openvidu/api/sessions/" + session + "/connection/" + connection + "/diagnosis"); len(list) > 0 {
			return list, time.Since(since)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			r.t.Fatalf("%s of %s was never diagnosed", connection, session)
		}
	}
}

// A real node says of real clients who cannot be reached and who sends nothing, and nothing of who is well.
func TestWhyThereIsNoVideo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r := start(t, t.TempDir(), "0")
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"demo"}`, http.StatusOK)
	well, wellID := r.join(ctx, "demo")
	deaf, deafID := r.join(ctx, "demo")
	dark, darkID := r.join(ctx, "demo")
	viewer, viewerID := r.join(ctx, "demo")

	camera := testkit.NewClient(t, testkit.ClientConfig{})
	answer := well.ask(ctx, "publishVideo", published(camera.PublishOffer(testkit.VP8)))
	stream := text(t, answer, "id")
	camera.Accept(text(t, answer, "sdpAnswer"))
	camera.Publish(ctx)
	screen := testkit.NewClient(t, testkit.ClientConfig{})
	offer := viewer.ask(ctx, "prepareReceiveVideoFrom", map[string]any{"sender": stream, "reconnect": false})
	viewer.ask(ctx, "receiveVideoFrom", map[string]any{"sender": stream, "sdpAnswer": screen.Answer(text(t, offer, "sdpOffer"))})
	screen.WaitPackets(ctx, "video", 20)

	began := time.Now()
	deaf.ask(ctx, "publishVideo", published(testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8))) // its checks never come
	lens := testkit.NewClient(t, testkit.ClientConfig{})
	answer = dark.ask(ctx, "publishVideo", published(lens.PublishOffer(testkit.VP8)))
	lens.Accept(text(t, answer, "sdpAnswer"))
	lens.WaitConnected(ctx) // and sends nothing

	for id, code := range map[string]string{text(t, deafID, "id"): "NET_UNREACHABLE", text(t, darkID, "id"): "NO_MEDIA_SENT"} {
		records, after := r.diagnosed(ctx, "demo", id, began)
		if len(records) != 1 || records[0]["code"] != code || records[0]["connectionId"] != id || after > 10*time.Second {
			t.Errorf("after %s %s has %v, want %s", after, id, records, code)
		}
	}
	for _, id := range []string{text(t, wellID, "id"), text(t, viewerID, "id")} {
		if records := r.content("/openvidu/api/sessions/demo/connection/" + id + "/diagnosis"); len(records) != 0 {
			t.Errorf("%s is well and has %v", id, records)
		}
	}
	var kinds []string
	for _, entry := range r.content("/openvidu/api/sessions/demo/timeline") {
		kinds = append(kinds, fmt.Sprint(entry["kind"]))
	}
	for _, kind := range []string{"connection.joined", "stream.published", "stream.subscribed", "transport", "diagnosis"} {
		if !strings.Contains(strings.Join(kinds, " "), kind) {
			t.Errorf("the timeline has no %s: %v", kind, kinds)
		}
	}
}
