package rest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/diagnosis"
	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// TestLOSS_10__SubscribersAreFilled: who receives what is told for as long as it does.
func TestLOSS_10__SubscribersAreFilled(t *testing.T) {
	h, registry := realServer(t)
	const api = " /openvidu/api/sessions"
	want[struct{}](t, h, 200, "POST"+api, `{"customSessionId":"Room"}`)
	join := func(role string) *session.Attachment {
		made := want[openvidu.RESTConnection](t, h, 200, "POST"+api+"/Room/connection", `{"role":"`+role+`"}`)
		state, _ := registry.State("Room")
		a, err := registry.Join(t.Context(), "Room", "1", session.Join{Token: state.Connections[len(state.Connections)-1].Token, SDKVersion: "2.32.2"})
		if err != nil || a.Connection != made.ID {
			t.Fatal(a, err)
		}
		return a
	}
	ask := func(a *session.Attachment, id string, c session.Command) any {
		a.Send(t.Context(), id, c)
		answer := next(t, a, func(m session.Message) bool { return m.Reply != nil && m.Reply.Request == id }).Reply
		if answer.Err != nil {
			t.Fatal(answer.Err)
		}
		return answer.Result
	}
	publisher, subscriber := join("PUBLISHER"), join("SUBSCRIBER")
	media := session.StreamMedia{HasVideo: true, VideoActive: true, TypeOfVideo: "CAMERA", FrameRate: 24}
	stream := ask(publisher, "2", session.Publish{Connection: publisher.Connection, Offer: "offer", Media: media}).(session.PublishResult).Stream
	shown := func() []openvidu.RESTSubscriber {
		return want[openvidu.RESTConnection](t, h, 200, "GET"+api+"/Room/connection/"+subscriber.Connection, "").Subscribers
	}
	if got := shown(); len(got) != 0 {
		t.Errorf("before it subscribes: %+v", got)
	}
	ask(subscriber, "2", session.Subscribe{Connection: subscriber.Connection, Sender: stream, Offer: "offer"})
	if got := shown(); len(got) != 1 || got[0].StreamID != stream || got[0].CreatedAt == 0 {
		t.Errorf("while it receives: %+v", got)
	}
	whole := want[openvidu.RESTSession](t, h, 200, "GET"+api+"/Room", "")
	if p := whole.Connections.Content[0].Publishers; len(p) != 1 || *p[0].MediaOptions.FrameRate != 24 {
		t.Errorf("the publisher is %+v", p)
	}
	if s := whole.Connections.Content[1].Subscribers; len(s) != 1 || s[0].StreamID != stream {
		t.Errorf("the session shows %+v", s)
	}
	ask(subscriber, "3", session.Unsubscribe{Connection: subscriber.Connection, Sender: publisher.Connection})
	if got := shown(); len(got) != 0 {
		t.Errorf("after it unsubscribed: %+v", got)
	}
}

// TestLOSS_21__LocationIsShown: where a client is, if that is known.
func TestLOSS_21__LocationIsShown(t *testing.T) {
	h, registry := server(t, nil)
	registry.states[0].Connections[0].Location = "Madrid, Spain"
	for id, place := range map[string]string{"con_Pub": "Madrid, Spain", "con_Sub": "unknown"} {
		if got := want[openvidu.RESTConnection](t, h, 200, "GET /openvidu/api/sessions/Call/connection/"+id, ""); *got.Location != place {
			t.Errorf("%s is in %q", id, *got.Location)
		}
	}
	if got := want[openvidu.RESTConnection](t, h, 200, "GET /openvidu/api/sessions/Call/connection/con_Wait", ""); got.Location != nil {
		t.Errorf("who has not joined is in %q", *got.Location)
	}
}

// TestLOSS_25__Restart: settings are handed over as they were written, and the counter tells that it is done.
func TestLOSS_25__Restart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var given []string
		h, _ := server(t, func(c *Config) {
			c.Restart = func(_ context.Context, author string, changes map[string]any) error {
				if author != "OPENVIDUAPP" {
					t.Errorf("the author is %q", author)
				}
				given = append(given, fmt.Sprint(changes))
				if changes["HTTPS_PORT"] != nil {
					return fault.New(fault.Invalid, "HTTPS_PORT cannot be changed while the server runs")
				}
				return nil
			}
		})
		began := time.Now().UnixMilli()
		status := func() openvidu.RESTStatus {
			return want[openvidu.RESTStatus](t, h, 200, "GET /openvidu/api/status", "")
		}
		if got := status(); got != (openvidu.RESTStatus{StartTime: began, LastRestartTime: began}) {
			t.Errorf("at the start: %+v", got)
		}
		<-time.After(time.Minute)
		if w := do(h, "POST /openvidu/api/restart", `{"A":"x","B":1000000,"C":true,"D":null}`); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		want[struct{}](t, h, 200, "POST /openvidu/api/restart", "")
		if w := do(h, "POST /openvidu/api/restart", `{"HTTPS_PORT":1}`); w.Code != 400 || !strings.Contains(w.Body.String(), "HTTPS_PORT cannot be changed") {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		if got := fmt.Sprint(given); got != "[map[A:x B:1000000 C:true] map[] map[HTTPS_PORT:1]]" {
			t.Errorf("handed over %s", got)
		}
		want[struct{}](t, h, 400, "POST /openvidu/api/restart", `[]`)
		if got := status(); got != (openvidu.RESTStatus{StartTime: began, RestartCounter: 2, LastRestartTime: began + 60_000}) || len(given) != 3 {
			t.Errorf("afterwards: %+v", got)
		}
	})
}

// TestFAQ_05__SessionsOfOldBackEnds: a back end of 1.x gets a URL, makes a token with it, and ParseSession and ParseToken,
// with which signalling reads joinRoom, lead to the same session.
func TestFAQ_05__SessionsOfOldBackEnds(t *testing.T) {
	_, registry := realServer(t)
	old, err := New(Config{
		Registry: registry, Secret: secret, Settings: fixed(openvidu.RESTConfig{Domain: "call.example", HTTPSPort: 8443}), Deprecated: true,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	made := want[openvidu.RESTSession](t, old, 200, "POST /api/sessions", `{"recordingLayout":"BEST_FIT","recordingMode":"MANUAL","mediaMode":"ROUTED"}`)
	if made.ID != "wss://call.example:8443/"+made.SessionID {
		t.Errorf("the session is %s", made.ID)
	}
	token := want[openvidu.RESTToken](t, old, 200, "POST /api/tokens", `{"session":"`+made.ID+`","role":"PUBLISHER","data":"d"}`)
	if token.Session != made.ID || token.ID != token.Token {
		t.Errorf("the token is %+v", token)
	}
	id, isURL := openvidu.ParseSession(token.Session)
	a, err := registry.Join(t.Context(), id, "1", session.Join{Token: openvidu.ParseToken(token.ID).Token})
	if err != nil || !isURL || a.Connection != token.ConnectionID {
		t.Errorf("joined as %+v, %v", a, err)
	}
	// By the present path, or with an id of its own, it is nobody of 1.x.
	for target, body := range map[string]string{
		"POST /openvidu/api/sessions": `{"recordingLayout":"BEST_FIT"}`, "POST /api/sessions": `{"recordingLayout":"BEST_FIT","customSessionId":"Mine"}`,
	} {
		if got := want[openvidu.RESTSession](t, old, 200, target, body); got.ID != got.SessionID {
			t.Errorf("%s %s: %s", target, body, got.ID)
		}
	}
}

// transports is a Diagnosis whose timeline has what happened to transports, among other things.
type transports struct {
	journal
	entries []diagnosis.Entry
}

func (d *transports) Timeline(_ string, after int64, limit int) (page []diagnosis.Entry, known bool) {
	for _, e := range d.entries {
		if e.At > after && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, true
}

// TestStatsTellEvents: what happened to an endpoint stands in its statistics, however long the timeline is.
func TestStatsTellEvents(t *testing.T) {
	told := &transports{}
	add := func(at int64, kind, endpoint, state string) {
		told.entries = append(told.entries, diagnosis.Entry{At: at, Kind: kind, Fields: map[string]any{"endpoint": endpoint, "state": state}})
	}
	add(1700000000350, "transport", "con_Pub", "connected")
	for i := range int64(2500) {
		add(1700000000400+i, "log", "con_Pub", "connected")
	}
	add(1700000009000, "transport", "con_Pub", "failed")
	add(1700000009001, "transport", "con_Pub", "checking")
	add(1700000009002, "transport", "con_Other", "failed")
	h, registry := server(t, func(c *Config) { c.Diagnosis = told })
	registry.stats = []mediactl.EndpointStats{{Endpoint: "con_Pub"}}
	got := want[openvidu.RESTSession](t, h, 200, "GET /openvidu/api/sessions/Call?webRtcStats=true", "")
	events := got.Connections.Content[0].Publishers[0].Events
	if text := fmt.Sprint(events); text != "[{IceComponentStateChanged CONNECTED 1 1 1700000000350 Call_1700000000000 50} {IceComponentStateChanged FAILED 1 1 1700000009000 Call_1700000000000 8700}]" {
		t.Errorf("told %s", text)
	}
	if other := got.Connections.Content[1].Subscribers[0].Events; other == nil || len(other) != 0 {
		t.Errorf("an endpoint the node does not know has %v", other)
	}
}
