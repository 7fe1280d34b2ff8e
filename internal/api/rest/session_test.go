package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// fakeMedia answers every offer.
type fakeMedia struct{}

func (fakeMedia) Publish(_ context.Context, p mediactl.Publish) (mediactl.Description, error) {
	return mediactl.Description{SDP: "answer to " + p.Endpoint}, nil
}

func (fakeMedia) Subscribe(_ context.Context, s mediactl.Subscribe) (mediactl.Description, error) {
	return mediactl.Description{SDP: "answer to " + s.Endpoint}, nil
}

func (fakeMedia) Answer(context.Context, mediactl.Answer) error   { return nil }
func (fakeMedia) Trickle(context.Context, mediactl.Trickle) error { return nil }
func (fakeMedia) Release(context.Context, mediactl.Release) error { return nil }

func (fakeMedia) Stats(context.Context, string) ([]mediactl.EndpointStats, error) { return nil, nil }

// realServer makes the API over a running registry, which stops with the test.
func realServer(t *testing.T, changes ...func(*session.Config)) (http.Handler, *session.Registry) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	cfg := session.Config{Store: &session.MemoryStore{}, Media: fakeMedia{}, Log: log, Node: "A"}
	for _, change := range changes {
		change(&cfg)
	}
	registry := session.New(cfg)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- registry.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	<-registry.Ready()
	h, err := New(Config{Registry: registry, Log: log, Secret: secret, Settings: fixed(openvidu.RESTConfig{Domain: "call.example", HTTPSPort: 443})})
	if err != nil {
		t.Fatal(err)
	}
	return h, registry
}

// want sends a request, checks the status and decodes the body.
func want[T any](t *testing.T, h http.Handler, status int, target, body string) T {
	t.Helper()
	w := do(h, target, body)
	if w.Code != status {
		t.Fatalf("%s %s: %d %s, want %d", target, body, w.Code, w.Body, status)
	}
	var v T
	if err := json.NewDecoder(w.Body).Decode(&v); err != nil && err != io.EOF {
		t.Fatalf("%s: %v", target, err)
	}
	return v
}

// next reads a client's messages up to the first that satisfies found.
func next(t *testing.T, a *session.Attachment, found func(session.Message) bool) session.Message {
	t.Helper()
	for {
		m, err := a.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a.Ack(m.Seq)
		if found(m) {
			return m
		}
	}
}

// TestLifeOfASession drives the API over the real session rules, with one client that joins and publishes.
func TestLifeOfASession(t *testing.T) {
	h, registry := realServer(t)
	type none = struct{}
	const api = " /openvidu/api"
	made := want[openvidu.RESTSession](t, h, 200, "POST"+api+"/sessions", `{"customSessionId":"Room"}`)
	if made.ID != "Room" || made.CustomSessionID != "Room" {
		t.Errorf("created %+v", made)
	}
	want[none](t, h, 409, "POST"+api+"/sessions", `{"customSessionId":"Room"}`)
	want[none](t, h, 406, "POST"+api+"/signal", `{"session":"Room"}`)
	connection := want[openvidu.RESTConnection](t, h, 200, "POST"+api+"/sessions/Room/connection", `{"data":"d"}`)
	path := api + "/sessions/Room/connection/" + connection.ID
	if got := want[openvidu.RESTConnection](t, h, 200, "GET"+path, ""); got.Status != "pending" || *got.Token != *connection.Token {
		t.Errorf("pending: %+v", got)
	}

	state, _ := registry.State("Room")
	client, err := registry.Join(t.Context(), "Room", "1", session.Join{Token: state.Connections[0].Token, ClientData: "c", Platform: "test", Address: "192.0.2.9"})
	if err != nil {
		t.Fatal(err)
	}
	client.Send(t.Context(), "2", session.Publish{Connection: client.Connection, Offer: "offer", Media: session.StreamMedia{HasAudio: true, AudioActive: true}})
	answered := next(t, client, func(m session.Message) bool { return m.Reply != nil && m.Reply.Request == "2" })
	stream := answered.Reply.Result.(session.PublishResult).Stream
	list := want[openvidu.RESTList[openvidu.RESTSession]](t, h, 200, "GET"+api+"/sessions", "")
	active := list.Content[0].Connections.Content[0]
	if active.Status != "active" || *active.IP != "192.0.2.9" || len(active.Publishers) != 1 || active.Publishers[0].StreamID != stream {
		t.Errorf("active: %+v", active)
	}

	want[none](t, h, 200, "POST"+api+"/signal", `{"session":"Room","to":["`+connection.ID+`"],"type":"t","data":"hi"}`)
	signal := next(t, client, func(m session.Message) bool { _, ok := m.Notice.(session.Signal); return ok })
	if s := signal.Notice.(session.Signal); s.From != "" || *s.Data != "hi" {
		t.Errorf("signal %+v", s)
	}
	want[none](t, h, 406, "POST"+api+"/signal", `{"session":"Room","to":["con_Other"]}`)

	changed := want[openvidu.RESTConnection](t, h, 200, "PATCH"+path, `{"role":"SUBSCRIBER"}`)
	if *changed.Role != "SUBSCRIBER" || *changed.Token != *connection.Token {
		t.Errorf("changed: %+v; the token was %s", changed, *connection.Token)
	}
	next(t, client, func(m session.Message) bool { _, ok := m.Notice.(session.ConnectionChanged); return ok })

	want[none](t, h, 404, "DELETE"+api+"/sessions/Room/stream/str_Other", "")
	want[none](t, h, 204, "DELETE"+api+"/sessions/Room/stream/"+stream, "")
	next(t, client, func(m session.Message) bool { _, ok := m.Notice.(session.StreamUnpublished); return ok })
	want[none](t, h, 404, "DELETE"+api+"/sessions/Room/stream/"+stream, "")

	pending := want[openvidu.RESTToken](t, h, 200, "POST"+api+"/tokens", `{"session":"Room"}`)
	want[none](t, h, 204, "DELETE"+api+"/sessions/Room/connection/"+pending.ConnectionID, "")
	want[none](t, h, 404, "DELETE"+api+"/sessions/Room/connection/"+pending.ConnectionID, "")
	want[none](t, h, 204, "DELETE"+path, "")
	next(t, client, func(m session.Message) bool { _, ok := m.Notice.(session.Evicted); return ok })
	want[none](t, h, 404, "GET"+api+"/sessions/Room", "") // its last participant has left

	want[none](t, h, 200, "POST"+api+"/sessions", `{"customSessionId":"Room"}`)
	want[none](t, h, 204, "DELETE"+api+"/sessions/Room", "")
	want[none](t, h, 404, "DELETE"+api+"/sessions/Room", "")
}
