package rest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tertulia/internal/fault"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// fakeRegistry holds states, notes what it is asked, and fails on demand.
type fakeRegistry struct {
	ready    chan struct{}
	states   []session.State
	stats    []mediactl.EndpointStats
	fail     error // of Create, Do and Stats
	created  []session.Properties
	commands []session.Command
	asked    int // for a state
}

func (f *fakeRegistry) Ready() <-chan struct{} { return f.ready }

func (f *fakeRegistry) List() []session.State { return f.states }

func (f *fakeRegistry) State(id string) (session.State, error) {
	f.asked++
	for _, s := range f.states {
		if s.ID == id {
			return s, nil
		}
	}
	return session.State{}, fault.New(fault.SessionNotFound, "session %s not found", id)
}

func (f *fakeRegistry) Create(_ context.Context, p session.Properties) (session.State, error) {
	f.created = append(f.created, p)
	if _, err := f.State(p.CustomSessionID); err == nil {
		return session.State{}, fault.New(fault.SessionExists, "session %s exists", p.CustomSessionID)
	}
	s := session.State{ID: p.CustomSessionID, CreatedAt: 1700000000000, Properties: p}
	if s.ID == "" {
		s.ID = "ses_Random"
	}
	return s, f.fail
}

func (f *fakeRegistry) Do(_ context.Context, id string, c session.Command) (any, error) {
	s, err := f.State(id)
	if err != nil {
		return nil, err
	}
	if f.fail != nil {
		return nil, f.fail
	}
	f.commands = append(f.commands, c)
	switch c := c.(type) {
	case session.CreateConnection:
		return &session.Connection{
			ID: "con_New", Token: "tok_New", CreatedAt: 1700000000500, Role: c.Role, Record: c.Record, ServerData: c.ServerData,
			Kurento: c.Kurento, ICEServers: c.ICEServers,
		}, nil
	case session.UpdateConnection:
		i := slices.IndexFunc(s.Connections, func(have *session.Connection) bool { return have.ID == c.Connection })
		changed := *s.Connections[i]
		if c.Role != nil {
			changed.Role = *c.Role
		}
		if c.Record != nil {
			changed.Record = *c.Record
		}
		return &changed, nil
	}
	return nil, nil
}

func (f *fakeRegistry) Stats(_ context.Context, id string) ([]mediactl.EndpointStats, error) {
	return f.stats, f.fail
}

// aCall is a session with one publisher, one subscriber, one pending connection and the recorder.
func aCall() session.State {
	limit := 500
	p := Defaults(openvidu.RESTConfig{ForcedVideoCodec: "VP8"})
	p.CustomSessionID = "Call"
	return session.State{
		ID: "Call", CreatedAt: 1700000000000, Active: true, Properties: p,
		Connections: []*session.Connection{
			{
				ID: "con_Pub", Token: "tok_Pub", CreatedAt: 1700000000100, ActiveAt: 1700000000200, Role: session.Publisher, Record: true,
				ServerData: "server", ClientData: `{"clientData":"Ada"}`, Platform: "Chrome 143", Address: "192.0.2.7",
				Stream: &session.Stream{ID: "str_CAM_Abcd_con_Pub", CreatedAt: 1700000000300, Phase: session.Published, Media: session.StreamMedia{
					HasAudio: true, HasVideo: true, AudioActive: true, TypeOfVideo: "CAMERA", FrameRate: 30, Dimensions: `{"width":640,"height":480}`,
				}},
			},
			{
				ID: "con_Sub", Token: "tok_Sub", CreatedAt: 1700000000110, ActiveAt: 1700000000210, Role: session.Subscriber,
				Subscriptions: []*session.Subscription{
					{Stream: "str_SCR_Wxyz_con_Gone", Publisher: "con_Gone", CreatedAt: 1700000000350, Phase: session.Waiting}, // shown nowhere
					{Stream: "str_CAM_Abcd_con_Pub", Publisher: "con_Pub", CreatedAt: 1700000000400, Since: 1700000000400, Phase: session.Flowing},
				},
			},
			{
				ID: "con_Wait", Token: "tok_Wait", CreatedAt: 1700000000120, Role: session.Moderator,
				Kurento:    &session.KurentoOptions{VideoMaxSendBandwidth: &limit},
				ICEServers: []session.ICEServer{{URL: "turn:t.example", Username: "u", Credential: "p"}},
			},
			{ID: "RECORDER", ActiveAt: 1700000000500, Recorder: true},
		},
	}
}

const secret = "MY_SECRET"

func fixed(c openvidu.RESTConfig) func() openvidu.RESTConfig {
	return func() openvidu.RESTConfig { return c }
}

// server makes the API over a registry that holds one call.
func server(t *testing.T, change func(*Config)) (http.Handler, *fakeRegistry) {
	t.Helper()
	registry := &fakeRegistry{ready: make(chan struct{}), states: []session.State{aCall()}}
	close(registry.ready)
	cfg := Config{
		Registry: registry, Log: slog.New(slog.DiscardHandler), Secret: secret,
		Settings: fixed(openvidu.RESTConfig{
			Domain: "call.example", HTTPSPort: 4443, MaxRecvBandwidth: 1000, MinRecvBandwidth: 300, MaxSendBandwidth: 1000, MinSendBandwidth: 300,
			ForcedVideoCodec: "VP8", AllowTranscoding: true, GarbageInterval: 900, GarbageThreshold: 3600,
		}),
		Deprecated: true,
	}
	if change != nil {
		change(&cfg)
	}
	handler, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return handler, registry
}

// do sends a request with the right credentials; target is "METHOD /path".
func do(h http.Handler, target, body string) *httptest.ResponseRecorder {
	r := newRequest(target, body)
	r.SetBasicAuth("OPENVIDUAPP", secret)
	return send(h, r)
}

func newRequest(target, body string) *http.Request {
	method, path, _ := strings.Cut(target, " ")
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func send(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
