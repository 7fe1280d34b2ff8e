package target

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"tertulia/internal/api/jsonrpc"
)

func TestServersThatAreNoAddress(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost:4443": "is not https://HOST[:PORT]", "https://": "is not https://", "localhost": "is not https://",
		"https://localhost/path": "is not https://", "https://[::1]:4443": "no IPv4 address",
	} {
		if _, err := At(url, "secret", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	there, err := At("https://localhost", "secret", false)
	if err != nil || there.server.host != "localhost:443" || !there.Local().IsLoopback() {
		t.Errorf("%+v, %v", there, err)
	}
}

// notice is a notification as the server sends it.
func notice(method, params string) jsonrpc.Message {
	return jsonrpc.Message{Method: method, Params: json.RawMessage(params)}
}

func TestFollowersKnowWhoPublishes(t *testing.T) {
	p := &tertuliaParticipant{line: &line{}, others: map[string]Stream{}}
	f := Follower{p}
	for _, step := range []struct {
		message jsonrpc.Message
		want    map[string]Stream
	}{
		{notice("participantPublished", `{"id":"con_A","streams":[{"id":"str_1"}]}`), map[string]Stream{"str_1": {"str_1", "con_A"}}},
		{notice("participantPublished", `{"id":"con_B","streams":[{"id":"str_2"}]}`), map[string]Stream{"str_1": {"str_1", "con_A"}, "str_2": {"str_2", "con_B"}}},
		{notice("participantUnpublished", `{"connectionId":"con_A"}`), map[string]Stream{"str_2": {"str_2", "con_B"}}},
		{notice("participantPublished", `not JSON`), map[string]Stream{"str_2": {"str_2", "con_B"}}},
		{notice("participantLeft", `{"connectionId":"con_B"}`), map[string]Stream{}},
	} {
		if !p.follow(step.message) {
			t.Errorf("%s was not taken", step.message.Method)
		}
		if !maps.Equal(p.others, step.want) {
			t.Errorf("after %s %s: %v, want %v", step.message.Method, step.message.Params, p.others, step.want)
		}
	}
	if p.follow(notice("iceCandidate", `{}`)) {
		t.Error("a candidate was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Changed(ctx, map[string]Stream{}); err == nil {
		t.Error("it did not wait for a change")
	}
	if now, err := f.Changed(ctx, map[string]Stream{"str_9": {}}); err != nil || len(now) != 0 {
		t.Errorf("%v, %v", now, err)
	}
	if (Follower{}).Joined() || !f.Joined() {
		t.Error("who has joined?")
	}
}
