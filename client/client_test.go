package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/client"
)

// said is what a server was asked.
type said struct{ line, body string }

// serve makes a client of a server that answers by a function.
func serve(t *testing.T, answer func(said) (status int, body string)) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if user, secret, _ := r.BasicAuth(); err != nil || user != "OPENVIDUAPP" || secret != "s3cret:/@" {
			t.Errorf("%s %s came with user %q, secret %q, %v", r.Method, r.URL, user, secret, err)
		}
		status, text := answer(said{r.Method + " " + r.URL.RequestURI(), string(body)})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL+"/", "s3cret:/@")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRequests: each call asks what the original's REST reference says.
func TestRequests(t *testing.T) {
	moderator, record, limit := client.Moderator, false, 0
	for want, call := range map[said]func(context.Context, *client.Client) error{
		{"POST /openvidu/api/sessions", `{"customSessionId":"a","forcedVideoCodec":"VP8","allowTranscoding":false,"recordingMode":"ALWAYS"}`}: func(ctx context.Context, c *client.Client) error {
			_, err := c.CreateSession(ctx, client.SessionOptions{CustomSessionID: "a", ForcedVideoCodec: "VP8", AllowTranscoding: &record, RecordingMode: "ALWAYS"})
			return err
		},
		{"GET /openvidu/api/sessions/a%2Fb?pendingConnections=true", ""}: func(ctx context.Context, c *client.Client) error {
			_, err := c.Session(ctx, "a/b")
			return err
		},
		{"GET /openvidu/api/sessions?pendingConnections=true", ""}: func(ctx context.Context, c *client.Client) error {
			_, err := c.Sessions(ctx)
			return err
		},
		{"DELETE /openvidu/api/sessions/..", ""}: func(ctx context.Context, c *client.Client) error {
			return c.CloseSession(ctx, "..")
		},
		{"POST /openvidu/api/sessions/a/connection", `{"role":"MODERATOR","data":"x","record":false,"kurentoOptions":{"videoMaxRecvBandwidth":0},"customIceServers":[{"url":"stun:s"}]}`}: func(ctx context.Context, c *client.Client) error {
			_, err := c.CreateConnection(ctx, "a", client.ConnectionOptions{
				Role: client.Moderator, Data: "x", Record: &record, Limits: &client.Limits{MaxRecv: &limit}, ICEServers: []client.ICEServer{{URL: "stun:s"}},
			})
			return err
		},
		{"GET /openvidu/api/sessions/a/connection/con_1", ""}: func(ctx context.Context, c *client.Client) error {
			_, err := c.Connection(ctx, "a", "con_1")
			return err
		},
		{"GET /openvidu/api/sessions/a/connection?pendingConnections=true", ""}: func(ctx context.Context, c *client.Client) error {
			_, err := c.Connections(ctx, "a")
			return err
		},
		{"PATCH /openvidu/api/sessions/a/connection/con_1", `{"role":"MODERATOR","record":false}`}: func(ctx context.Context, c *client.Client) error {
			_, err := c.UpdateConnection(ctx, "a", "con_1", client.Update{Role: &moderator, Record: &record})
			return err
		},
		{"DELETE /openvidu/api/sessions/a/connection/con_1", ""}: func(ctx context.Context, c *client.Client) error {
			return c.Disconnect(ctx, "a", "con_1")
		},
		{"DELETE /openvidu/api/sessions/a/stream/str_1", ""}: func(ctx context.Context, c *client.Client) error {
			return c.Unpublish(ctx, "a", "str_1")
		},
		{"POST /openvidu/api/signal", `{"session":"a","to":["con_1"],"type":"t","data":"d"}`}: func(ctx context.Context, c *client.Client) error {
			return c.Signal(ctx, "a", client.Signal{To: []string{"con_1"}, Type: "t", Data: "d"})
		},
		{"GET /openvidu/api/events?after=7&limit=2", ""}: func(ctx context.Context, c *client.Client) error {
			_, err := c.Events(ctx, 7, 2)
			return err
		},
	} {
		c := serve(t, func(got said) (int, string) {
			if got != want {
				t.Errorf("asked %s\n%s\nwant %s\n%s", got.line, got.body, want.line, want.body)
			}
			return 200, "{}"
		})
		if err := call(t.Context(), c); err != nil {
			t.Errorf("%s: %v", want.line, err)
		}
	}
}

// TestRefusals: an answer that is no success says what it is, in the server's words.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		is     error
		says   string
	}{
		{400, `{"timestamp":1,"status":400,"error":"Bad Request","message":"role is \"X\"; write PUBLISHER","path":"/openvidu/api/x"}`, client.ErrInvalid, "write PUBLISHER"},
		{401, "", client.ErrUnauthorized, "Unauthorized"},
		{403, "no", client.ErrUnauthorized, "no"},
		{404, "", client.ErrNotFound, "Not Found"},
		{405, "", client.ErrNotAllowed, ""},
		{406, "", client.ErrNobody, ""},
		{409, "", client.ErrConflict, ""},
		{422, "", client.ErrInvalid, ""},
		{501, "", client.ErrUnavailable, ""},
		{503, "full", client.ErrUnavailable, "full"},
		{302, "", nil, "Found"},
		{500, "", nil, ""},
	} {
		c := serve(t, func(said) (int, string) { return test.status, test.body })
		err := c.CloseSession(t.Context(), "a")
		var refused *client.Error
		if !errors.As(err, &refused) || refused.Status != test.status || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d %s: %v", test.status, test.body, err)
		}
		for _, kind := range []error{
			client.ErrInvalid, client.ErrUnauthorized, client.ErrNotFound, client.ErrNotAllowed, client.ErrNobody, client.ErrConflict, client.ErrUnavailable,
		} {
			if errors.Is(err, kind) != errors.Is(test.is, kind) {
				t.Errorf("%d: errors.Is(%v) is %t", test.status, kind, errors.Is(err, kind))
			}
		}
	}
}

// TestASessionThatIsThere is taken as it is, but only one that was asked for by its id.
func TestASessionThatIsThere(t *testing.T) {
	c := serve(t, func(s said) (int, string) {
		if strings.HasPrefix(s.line, "POST") {
			return 409, ""
		}
		return 200, `{"id":"a","customSessionId":"a","createdAt":1700000000123}`
	})
	s, err := c.CreateSession(t.Context(), client.SessionOptions{CustomSessionID: "a"})
	if err != nil || s.ID != "a" || s.CustomID != "a" || !s.CreatedAt.Equal(time.UnixMilli(1700000000123)) {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := c.CreateSession(t.Context(), client.SessionOptions{}); !errors.Is(err, client.ErrConflict) {
		t.Error(err)
	}
}

// TestWhatAConnectionSays reads a connection in both of its states, null where the server has nothing.
func TestWhatAConnectionSays(t *testing.T) {
	const pending = `{"id":"con_1","connectionId":"con_1","status":"pending","sessionId":"a","createdAt":1000,"activeAt":null,"location":null,"ip":null,
		"platform":null,"token":"wss://h?sessionId=a&token=tok_1","type":"WEBRTC","record":true,"role":"PUBLISHER","serverData":"s","clientData":null,"publishers":null,"subscribers":null}`
	const active = `{"id":"con_2","connectionId":"con_2","status":"active","sessionId":"a","createdAt":1000,"activeAt":2000,"location":"Bilbao, Spain","ip":"192.0.2.1",
		"platform":"Chrome","token":null,"record":false,"role":"MODERATOR","serverData":"","clientData":"c",
		"publishers":[{"createdAt":3000,"streamId":"str_1","mediaOptions":{"hasAudio":true,"audioActive":false,"hasVideo":true,"videoActive":true,"typeOfVideo":"CAMERA","frameRate":30,"videoDimensions":"{}"}},
		{"createdAt":3000,"streamId":"str_2","mediaOptions":{"hasAudio":false,"hasVideo":true,"frameRate":null}}],
		"subscribers":[{"createdAt":4000,"streamId":"str_3"}]}`
	c := serve(t, func(said) (int, string) {
		return 200, `{"numberOfElements":2,"content":[` + pending + `,` + active + `]}`
	})
	got, err := c.Connections(t.Context(), "a")
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	want := []client.Connection{{
		ID: "con_1", SessionID: "a", Token: "wss://h?sessionId=a&token=tok_1", CreatedAt: at(1000), Role: client.Publisher, Record: true, ServerData: "s",
	}, {
		ID: "con_2", SessionID: "a", Active: true, CreatedAt: at(1000), ActiveAt: at(2000), Role: client.Moderator, ClientData: "c",
		Location: "Bilbao, Spain", Address: "192.0.2.1", Platform: "Chrome",
		Publishers: []client.Stream{
			{ID: "str_1", CreatedAt: at(3000), HasAudio: true, HasVideo: true, VideoActive: true, TypeOfVideo: "CAMERA", FrameRate: 30},
			{ID: "str_2", CreatedAt: at(3000), HasVideo: true},
		},
		Subscribers: []client.Stream{{ID: "str_3", CreatedAt: at(4000)}},
	}}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "calls.example.com", "ftp://a", "https://", "https://a:b:c", "://"} {
		if _, err := client.New(bad, "s"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestBadAnswers are errors that name the call.
func TestBadAnswers(t *testing.T) {
	c := serve(t, func(said) (int, string) { return 200, "<html>" })
	if _, err := c.Session(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "GET /sessions/a") {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.CloseSession(ended, "a"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// answers is a transport that needs no network, and so may be used in a bubble of fake time.
type answers func(*http.Request) string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(a(r))), Request: r}, nil
}

// TestFollow: events come in order, what is new a second later at most, and an error is the last thing said.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		pages := []string{
			`{"content":[{"number":4,"event":{"event":"sessionCreated","sessionId":"a","timestamp":1000}},{"number":6,"event":{"event":"participantJoined","connectionId":"con_1"}}]}`,
			`{"content":[]}`,
			`{"content":[{"number":7,"event":{"event":"sessionDestroyed","reason":"lastParticipantLeft"}}]}`,
			`]`,
		}
		c, err := client.New("https://h", "s", client.HTTP(&http.Client{Transport: answers(func(r *http.Request) string {
			asked = append(asked, r.URL.RawQuery)
			return pages[len(asked)-1]
		})}))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var got []string
		for e, err := range c.Follow(t.Context(), 3) {
			if err != nil {
				got = append(got, "error")
				continue
			}
			got = append(got, fmt.Sprint(e.Number, " ", e.Name, " ", e.Session, e.Connection, e.Reason))
		}
		if want := []string{"4 sessionCreated a", "6 participantJoined con_1", "7 sessionDestroyed lastParticipantLeft", "error"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		if want := []string{"after=3", "after=6", "after=6", "after=7"}; !slices.Equal(asked, want) {
			t.Errorf("asked %q", asked)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %v", took)
		}
	})
}

// TestFollowEnds with its context, and with its caller.
func TestFollowEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := client.New("https://h", "s", client.HTTP(&http.Client{Transport: answers(func(*http.Request) string {
			return `{"content":[{"number":1},{"number":2}]}`
		})}))
		if err != nil {
			t.Fatal(err)
		}
		for range c.Follow(t.Context(), 0) {
			break
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		quiet, err := client.New("https://h", "s", client.HTTP(&http.Client{Transport: answers(func(*http.Request) string { return `{}` })}))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range quiet.Follow(ctx, 0) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
	})
}

// TestWebhook takes OpenVidu's body; the number comes beside it.
func TestWebhook(t *testing.T) {
	var got client.Event
	fail := error(nil)
	hook := client.Webhook(func(_ context.Context, e client.Event) error { got = e; return fail })
	post := func(body, number string) int {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Ov-Event-Number", number)
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, r)
		return w.Code
	}
	const body = `{"sessionId":"a","timestamp":1500,"streamId":"str_1","connection":"INBOUND","reason":"unsubscribe","connectionId":"con_1","event":"webrtcConnectionDestroyed"}`
	if code := post(body, "12"); code != 200 || got.Number != 12 || got.Name != "webrtcConnectionDestroyed" || got.Stream != "str_1" || got.Reason != "unsubscribe" {
		t.Errorf("%d, %+v", code, got)
	}
	var all map[string]any
	if err := json.Unmarshal(got.JSON, &all); err != nil || all["connection"] != "INBOUND" || !got.Time.Equal(time.UnixMilli(1500)) {
		t.Errorf("%s, %v, %v", got.JSON, got.Time, err)
	}
	if code := post("{", "1"); code != 400 {
		t.Error(code)
	}
	if code := post(`{"timestamp":"`+strings.Repeat("9", 2<<20)+`"}`, "1"); code != 400 {
		t.Error(code)
	}
	fail = errors.New("no database")
	if code := post(body, ""); code != 503 || got.Number != 0 {
		t.Errorf("%d, number %d", code, got.Number)
	}
}
