package app_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"tertulia/internal/reach"
)

// TestFAQ_04__TURNFollowsTheSecret: OPENVIDU_SECRET is changed by REST. Who joins from then on is told another TURN
// credential; that of a call before goes on, over the next start too while the old secret is named as a previous one.
func TestFAQ_04__TURNFollowsTheSecret(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	data := t.TempDir()
	node := serve(t, data, "OPENVIDU_SECRET=MY_SECRET\n")
	r := running{t: t, url: node.url}
	r.rest("POST", "/openvidu/api/sessions", `{"customSessionId":"room"}`, http.StatusOK)
	target := func() reach.Target {
		_, joined := r.join(ctx, "room")
		first := joined["customIceServers"].([]any)[0].(map[string]any)
		return reach.Target{URL: first["url"].(string), Username: first["username"].(string), Credential: first["credential"].(string)}
	}
	allocates := func(who string, target reach.Target, want bool) {
		t.Helper()
		if p := reach.ProbeTURN(ctx, target); p.Allocated != want {
			t.Errorf("%s: %+v", who, p)
		}
	}
	before := target()
	allocates("before", before, true)
	if status, text := node.restart(map[string]any{"OPENVIDU_SECRET": "a longer secret 2", "OPENVIDU_SECRET_PREVIOUS": "MY_SECRET"}); status != http.StatusOK {
		t.Fatal(status, text)
	}
	after := target()
	allocates("after", after, true)
	allocates("before, after", before, true)
	mixed := after
	mixed.Credential = before.Credential
	allocates("nobody", mixed, false)

	node.stop()
	again := serve(t, data, "")
	r.url = again.url
	url := target().URL // another port
	before.URL, after.URL = url, url
	allocates("after, at the next start", after, true)
	allocates("before, at the next start", before, true)
}
