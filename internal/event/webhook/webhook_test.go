package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/fault"
)

// receiver is an application's server that answers with given statuses in turn, and 200 after them.
type receiver struct {
	*httptest.Server
	statuses []int
	got      []*http.Request
	bodies   []string
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.got, r.bodies = append(r.got, request), append(r.bodies, string(body))
		if len(r.statuses) > 0 {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(r.statuses[0])
			r.statuses = r.statuses[1:]
		}
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(r.Close)
	return r
}

func sender(t *testing.T, log io.Writer, c Config) *Sender {
	t.Helper()
	if c.Events == nil {
		c.Events = []string{"sessionCreated"}
	}
	s := New(Options{First: time.Millisecond, Longest: 4 * time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err := s.Adopt(c); err != nil {
		t.Fatal(err)
	}
	return s
}

// The request is the original's, to a receiver with a certificate that nobody knows.
func TestTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		want    http.Header
	}{
		"none": {nil, http.Header{"Content-Type": {"application/json"}}},
		"own": {[]string{"Authorization: Basic T1BFTg==", "X-A: first", "X-A: second: third", "User-Agent: mine"},
			http.Header{"Authorization": {"Basic T1BFTg=="}, "X-A": {"second: third"}, "User-Agent": {"mine"}, "Content-Type": {"application/json"}}},
		"the very type":  {[]string{"Content-Type: application/json"}, http.Header{"Content-Type": {"application/json"}}},
		"another type":   {[]string{"Content-Type: text/plain"}, http.Header{"Content-Type": {"text/plain", "application/json"}}},
		"another spell":  {[]string{"content-type: application/json"}, http.Header{"Content-Type": {"application/json", "application/json"}}},
		"the host's own": {[]string{"Host: my.app"}, http.Header{"Content-Type": {"application/json"}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			s := sender(t, io.Discard, Config{Endpoint: r.URL + "/hook?key=1", Headers: c.headers})
			if !s.Take(t.Context(), 17, "sessionCreated", []byte(`{"sessionId":"ñ","event":"sessionCreated"}`)) {
				t.Fatal("not taken")
			}
			got := r.got[0]
			if got.Method != "POST" || got.URL.String() != "/hook?key=1" || r.bodies[0] != `{"sessionId":"ñ","event":"sessionCreated"}` {
				t.Errorf("%s %s %s", got.Method, got.URL, r.bodies[0])
			}
			for header, want := range c.want {
				if have := got.Header[header]; !slices.Equal(have, want) {
					t.Errorf("%s is %q, want %q", header, have, want)
				}
			}
			if got.Header.Get("Ov-Event-Number") != "17" || got.Header.Get("Ov-Event-Attempt") != "1" {
				t.Errorf("ours are %v", got.Header)
			}
			if name == "the host's own" && got.Host != "my.app" {
				t.Errorf("Host is %s", got.Host)
			}
		})
	}
}

func TestTheFilter(t *testing.T) {
	r := newReceiver(t)
	s := sender(t, io.Discard, Config{Endpoint: r.URL, Events: []string{"signalSent", "diagnosis"}})
	for i, name := range []string{"sessionCreated", "signalSent", "diagnosis"} {
		s.Take(t.Context(), uint64(i), name, []byte(name))
	}
	if fmt.Sprint(r.bodies) != "[signalSent diagnosis]" {
		t.Errorf("sent %v", r.bodies)
	}
	if err := s.Adopt(Config{Endpoint: r.URL}); err != nil {
		t.Fatal(err)
	}
	s.Take(t.Context(), 3, "signalSent", nil)
	if len(r.bodies) != 2 {
		t.Errorf("none is wanted, sent %v", r.bodies[2:])
	}
}

// What an answer means: how often an event is sent, and whether it counts as delivered.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		answers  []int
		requests int
		want     Stats
	}{
		{[]int{200}, 1, Stats{Delivered: 1}},
		{[]int{204}, 1, Stats{Delivered: 1}},
		{[]int{404}, 1, Stats{Refused: 1}},
		{[]int{301}, 1, Stats{Refused: 1}}, // not followed
		{[]int{500, 200}, 2, Stats{Delivered: 1, Failed: 1, Repeated: 1}},
		{[]int{500, 500, 500, 200}, 3, Stats{Refused: 1, Failed: 2, Repeated: 2}},
		{[]int{503, 502, 504, 429, 408, 503, 503, 503, 200}, 9, Stats{Delivered: 1, Failed: 8, Repeated: 8}},
		{[]int{503, 503, 503, 500}, 4, Stats{Refused: 1, Failed: 3, Repeated: 3}},
	} {
		r, log := newReceiver(t, c.answers...), &bytes.Buffer{}
		s := sender(t, log, Config{Endpoint: r.URL + "/SECRETPATH"})
		if !s.Take(t.Context(), 1, "sessionCreated", nil) || len(r.got) != c.requests || s.Stats() != c.want {
			t.Errorf("%v: %d requests, %+v, want %d, %+v", c.answers, len(r.got), s.Stats(), c.requests, c.want)
		}
		if strings.Contains(log.String(), "SECRETPATH") || (s.Stats().Refused > 0) != strings.Contains(log.String(), "ERROR") {
			t.Errorf("%v: the log says %s", c.answers, log)
		}
		for i, request := range r.got {
			if request.Header.Get("Ov-Event-Attempt") != fmt.Sprint(i+1) {
				t.Errorf("%v: request %d is attempt %s", c.answers, i, request.Header.Get("Ov-Event-Attempt"))
			}
		}
	}
}

var wanted = []string{"sessionCreated", "signalSent"}

// wire is an application's server without a network, so that time can be simulated.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// An outage of an hour costs a request a minute, and loses and doubles nothing.
func TestAReceiverThatIsDownForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &bytes.Buffer{}
		s := New(Options{Log: slog.New(slog.NewTextHandler(log, nil))})
		back := time.Now().Add(time.Hour)
		var got []string
		tries := 0
		s.client.Transport = wire(func(r *http.Request) (*http.Response, error) {
			if time.Now().Before(back) {
				tries++
				return nil, errors.New("connection refused")
			}
			body, _ := io.ReadAll(r.Body)
			got = append(got, string(body))
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		if err := s.Adopt(Config{Endpoint: "http://my.app/?token=SECRET", Events: wanted}); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if !s.Take(t.Context(), uint64(i), "signalSent", fmt.Append(nil, i)) {
				t.Fatal("not taken")
			}
			if i == 0 && !strings.Contains(log.String(), "answers again") {
				t.Errorf("the log says %s", log)
			}
		}
		if len(got) != 100 || got[0] != "0" || got[99] != "99" {
			t.Errorf("received %v", got)
		}
		if tries < 60 || tries > 75 { // 5 at once, 6 up to a minute, then one each minute
			t.Errorf("%d tries in an hour", tries)
		}
		if late := time.Since(back); late < 0 || late > time.Minute {
			t.Errorf("the first came %v after the receiver was back", late)
		}
		if n := strings.Count(log.String(), "WARN"); n != 1 || strings.Contains(log.String(), "SECRET") {
			t.Errorf("%d warnings in %s", n, log)
		}
	})
}

// Other settings hold from the next try on, also in a long pause.
func TestSettingsThatChangeInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		var got []string
		s.client.Transport = wire(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "old.app" {
				return nil, errors.New("no such host")
			}
			got = append(got, r.URL.Host+r.Header.Get("X-A"))
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		if err := s.Adopt(Config{Endpoint: "http://old.app", Events: wanted}); err != nil {
			t.Fatal(err)
		}
		taken := make(chan bool)
		go func() { taken <- s.Take(t.Context(), 1, "sessionCreated", nil) }()
		time.Sleep(30 * time.Minute)
		began := time.Now()
		if err := s.Adopt(Config{Endpoint: "http://new.app", Events: wanted, Headers: []string{"X-A: b"}}); err != nil {
			t.Fatal(err)
		}
		if !<-taken || time.Since(began) != 0 || fmt.Sprint(got) != "[new.appb]" {
			t.Errorf("after %v: %v", time.Since(began), got)
		}
		if err := s.Adopt(Config{Endpoint: "http://old.app", Events: wanted}); err != nil {
			t.Fatal(err)
		}
		go func() { taken <- s.Take(t.Context(), 2, "sessionCreated", nil) }()
		time.Sleep(time.Minute)
		if err := s.Adopt(Config{}); err != nil { // off: there is nobody to wait for
			t.Fatal(err)
		}
		if !<-taken || s.Stats().Down {
			t.Error("a sender that is off still waits")
		}
		if wanted, _ := s.Wanted(); wanted {
			t.Error("a sender that is off wants events")
		}
	})
}

func TestTheEndInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		s.client.Transport = wire(func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") })
		if err := s.Adopt(Config{Endpoint: "http://my.app", Events: wanted}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		taken := make(chan bool)
		go func() { taken <- s.Take(ctx, 1, "sessionCreated", nil) }()
		time.Sleep(10 * time.Minute)
		cancel()
		if <-taken {
			t.Error("what nobody received counts as taken")
		}
	})
}

// The request that is under way when everything stops is finished, unless that takes too long.
func TestTheEndInARequest(t *testing.T) {
	for answer, want := range map[time.Duration]bool{2 * time.Second: true, 8 * time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{})
			s.client.Transport = wire(func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(answer):
					return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			})
			if err := s.Adopt(Config{Endpoint: "http://my.app", Events: wanted}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			began := time.Now()
			if got := s.Take(ctx, 1, "sessionCreated", nil); got != want || time.Since(began) > 4*time.Second {
				t.Errorf("an answer after %v: %v after %v", answer, got, time.Since(began))
			}
		})
	}
}

// A receiver that takes connections and says nothing is given up, and tried again.
func TestAReceiverThatHangs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := New(Options{Timeout: 20 * time.Millisecond, First: time.Millisecond})
	if err := s.Adopt(Config{Endpoint: "http://" + listener.Addr().String(), Events: wanted}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if s.Take(ctx, 1, "sessionCreated", nil) || s.Stats().Failed < 5 || !s.Stats().Down {
		t.Errorf("%+v", s.Stats())
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	s := New(Options{})
	for setting, c := range map[string]Config{
		"OPENVIDU_WEBHOOK_ENDPOINT ":       {Endpoint: "my.app/webhook"},
		"OPENVIDU_WEBHOOK_ENDPOINT":        {Endpoint: "ftp://my.app"},
		"OPENVIDU_WEBHOOK_HEADERS entry 1": {Endpoint: "http://a", Headers: []string{"X-A:b"}},
		"OPENVIDU_WEBHOOK_HEADERS entry 2": {Endpoint: "http://a", Headers: []string{"X-A: b", "X-B: a\r\nX-C: d"}},
		"OPENVIDU_WEBHOOK_HEADERS":         {Endpoint: "http://a", Headers: []string{"X A: b"}},
		"OPENVIDU_WEBHOOK_EVENTS":          {Endpoint: "http://a", Events: []string{"recordingStarted"}},
	} {
		err := s.Adopt(c)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), strings.TrimSpace(setting)) {
			t.Errorf("%+v: %v", c, err)
		}
		if wanted, _ := s.Wanted(); wanted {
			t.Errorf("%+v was taken", c)
		}
	}
}
