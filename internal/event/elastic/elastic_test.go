package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/event/record"
	"tertulia/internal/wire/mediactl"
	"tertulia/internal/wire/openvidu"
)

// doc is what Elasticsearch was given.
type doc struct {
	index, id string
	body      map[string]any
}

// server is an Elasticsearch that remembers. It is an http.RoundTripper too, for tests in simulated time.
type server struct {
	mu       sync.Mutex
	docs     []doc
	requests []string // method, path, user and password
	bodies   []string
	answer   func(r *http.Request, bulk []doc) (int, string) // nil: all is well
	changed  chan struct{}
}

func newServer() *server { return &server{changed: make(chan struct{}, 1)} }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := s.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	user, password, _ := r.BasicAuth()
	s.requests = append(s.requests, fmt.Sprintf("%s %s %s:%s", r.Method, r.URL.RequestURI(), user, password))
	s.bodies = append(s.bodies, string(body))
	var bulk []doc
	if strings.HasSuffix(r.URL.Path, "/_bulk") {
		lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
		for i := 0; i+1 < len(lines); i += 2 {
			var action struct {
				Create struct {
					Index string `json:"_index"`
					ID    string `json:"_id"`
				}
			}
			d := doc{body: map[string]any{}}
			if json.Unmarshal([]byte(lines[i]), &action) != nil || json.Unmarshal([]byte(lines[i+1]), &d.body) != nil || action.Create.ID == "" {
				return nil, errors.New("bad bulk")
			}
			d.index, d.id = action.Create.Index, action.Create.ID
			bulk = append(bulk, d)
		}
	}
	status, text := http.StatusOK, `{"errors":false}`
	if s.answer != nil {
		status, text = s.answer(r, bulk)
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	if status == http.StatusOK {
		s.docs = append(s.docs, bulk...)
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}, Request: r}, nil
}

func (s *server) all() []doc {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]doc(nil), s.docs...)
}

// run starts an exporter in a bubble of simulated time.
func run(t *testing.T, s *server, c Config, log *slog.Logger) *Exporter {
	t.Helper()
	e := New(Options{Master: "master_A", Node: "media_A", Log: log})
	e.client.Transport = s
	if err := e.Adopt(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

// Every way to write the URL leads to the same place.
func TestENT_06__AnyURL(t *testing.T) {
	s := newServer()
	real := httptest.NewServer(s)
	defer real.Close()
	host := strings.TrimPrefix(real.URL, "http://")
	for written, want := range map[string]string{
		"http://" + host:                           "POST /_bulk :",
		"http://" + host + "/":                     "POST /_bulk :",
		"http://" + host + "/elastic":              "POST /elastic/_bulk :",
		"http://" + host + "/elastic/":             "POST /elastic/_bulk :",
		"http://ann:s3%20cret@" + host + "/":       "POST /_bulk ann:s3 cret",
		"http://ann:s3cret@" + host + "/a/b/":      "POST /a/b/_bulk ann:s3cret",
		"http://ann:s3cret@" + host + "/?x=1#part": "POST /_bulk ann:s3cret",
	} {
		c := Config{URL: written}
		e := New(Options{Master: "m"})
		if err := e.Adopt(c); err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if _, err := e.bulk(t.Context(), e.target.Load(), []document{{"openvidu", "1", []byte("{}")}}); err != nil {
			t.Errorf("%s: %v", written, err)
		}
		if got := s.requests[len(s.requests)-1]; got != want {
			t.Errorf("%s asks %q, want %q", written, got, want)
		}
		if where, _, _ := e.Check(); where != "http://"+host {
			t.Errorf("%s is shown as %s", written, where)
		}
	}
	for written, base := range map[string]string{
		"https://elastic.example.com": "https://elastic.example.com", "https://elastic.example.com:443/": "https://elastic.example.com:443",
		"https://elastic.example.com:9200/x/": "https://elastic.example.com:9200/x", "http://[2001:db8::1]/": "http://[2001:db8::1]",
	} {
		if got, err := newTarget(Config{URL: written, Username: "u", Password: "p"}); err != nil || got.base != base || got.Username != "u" {
			t.Errorf("%s is %+v, %v", written, got, err)
		}
	}
	for _, bad := range []string{"elastic.example.com", "ftp://x", "http://", "http://a b"} {
		if err := New(Options{}).Adopt(Config{URL: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

const began = 1_700_000_000_000

// happen gives events to an exporter as the node does.
func happen(e *Exporter, connection string, at int64, body event.Body) {
	happened := event.Event{At: began + at, Session: "demo", Began: began, Connection: connection, Body: body}
	r, told := record.Of(happened)
	if !told {
		r.Text = nil
	}
	e.Event(happened, r.Text)
}

func aCall(e *Exporter) {
	camera := event.Media{HasAudio: true, HasVideo: true, TypeOfVideo: "CAMERA", FrameRate: 30}
	ann := event.Joined{Platform: "Chrome", Address: "192.0.2.7", Location: "unknown", ClientData: "Ann", FinalUserID: "browser1"}
	bob := event.Joined{Platform: "Firefox", Address: "192.0.2.8", ServerData: "staff", FinalUserID: "browser2"}
	happen(e, "", 0, event.SessionCreated{CustomSessionID: "demo", MediaMode: "ROUTED", RecordingMode: "MANUAL"})
	happen(e, "con_A", 1000, ann)
	happen(e, "con_B", 2000, bob)
	happen(e, "con_A", 3000, event.Published{Stream: "str_1", Endpoint: "con_A", Media: camera})
	happen(e, "con_A", 3100, event.Transport{Endpoint: "con_A", State: "connected"})
	happen(e, "con_B", 4000, event.Subscribed{Stream: "str_1", Publisher: "con_A", Endpoint: "con_B_str_1", Media: camera})
	happen(e, "con_A", 5000, event.QualityChanged{Old: 5, New: 2})
	happen(e, "con_B", 9000, event.Unsubscribed{Stream: "str_1", Publisher: "con_A", Reason: "disconnect", Media: camera, Since: began + 4000})
	happen(e, "con_A", 9000, event.Unpublished{Stream: "str_1", Reason: "disconnect", Media: camera, Since: began + 3000})
	happen(e, "con_A", 9000, event.Left{Reason: "disconnect", Joined: ann, Since: began + 1000})
	happen(e, "con_B", 9500, event.Left{Reason: "networkDisconnect", Joined: bob, Since: began + 2000})
	happen(e, "", 9500, event.SessionEnded{Reason: "networkDisconnect"})
}

// The documents of spec openvidu-events §9.2.
func TestDocumentsOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		e := run(t, s, Config{URL: "http://es", ClusterID: "prod"}, nil)
		aCall(e)
		e.Track(time.UnixMilli(began), Call{"demo", began}, "browser1", "con_A", "con_A", mediactl.TrackFacts{Kind: "video", Packets: 7, Octets: 70, Lost: 2, Fraction: 64, Jitter: 30})
		e.Track(time.UnixMilli(began), Call{"demo", began}, "browser2", "con_B", "con_B_str_1", mediactl.TrackFacts{Kind: "audio", Sends: true, Packets: 9, Octets: 90})
		e.Session(time.UnixMilli(began), Call{"demo", began}, openvidu.ElasticSessionMetrics{Connections: 2})
		e.Server(time.UnixMilli(began), openvidu.ElasticServerMetrics{CPU: 12.5})
		e.ClientLine(time.UnixMilli(began), "demo", "con_A", "WARN", "camera is busy")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		kinds := map[string][]map[string]any{}
		ids := map[string]bool{}
		for _, d := range s.all() {
			kind := d.index
			if k, ok := d.body["elastic_type"].(string); ok {
				kind = k
			}
			kinds[kind] = append(kinds[kind], d.body)
			if ids[d.id] || d.body["cluster_id"] != "prod" || d.body["master_node_id"] != "master_A" {
				t.Errorf("%s %v", d.id, d.body)
			}
			ids[d.id] = true
			if d.index == "openvidu" && (d.body["timestamp"] == nil || d.body["media_node_id"] != "media_A") {
				t.Errorf("%v", d.body)
			}
		}
		for kind, n := range map[string]int{
			"cdr": 10, "kms": 1, "networkQualityStats": 1, "webrtcStats": 2, "sessionSummary": 1, "userSummary": 2, "connectionSummary": 2,
			"publisherSummary": 1, "subscriberSummary": 1, "session-metrics-2023.11.14": 1, "server-metrics-2023.11.14": 1, "openvidu-browser-logs-2023.11.14": 1,
		} {
			if len(kinds[kind]) != n {
				t.Errorf("%d documents %s, want %d: %v", len(kinds[kind]), kind, n, kinds[kind])
			}
			delete(kinds, kind)
		}
		if len(kinds) > 0 {
			t.Errorf("there are also %v", kinds)
		}
		if len(e.summaries.open) != 0 || e.summaries.parts != 0 {
			t.Errorf("%d sessions and %d parts are remembered", len(e.summaries.open), e.summaries.parts)
		}
	})
}

func TestSummaryOfASession(t *testing.T) {
	s := summaries{open: map[call]*gathered{}}
	e := New(Options{Master: "m", Node: "n"})
	if err := e.Adopt(Config{URL: "http://es"}); err != nil {
		t.Fatal(err)
	}
	aCall(e)
	var got map[string]any
	all := map[string]map[string]any{}
	for _, d := range e.queue.take() {
		body := map[string]any{}
		if err := json.Unmarshal(d.text, &body); err != nil {
			t.Fatal(err)
		}
		all[body["elastic_type"].(string)] = body
	}
	got = all["sessionSummary"]
	text, _ := json.Marshal(got["users"])
	for _, want := range []string{
		`"numberOfElements":2`, `"id":"browser1"`, `"ip":"192.0.2.8"`, `"reason":"networkDisconnect"`, `"duration":8`, `"clientData":"Ann"`, `"serverData":"staff"`,
		`"publishers":{"content":[{"audioEnabled":true`, `"receivingFrom":"con_A"`,
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if got["reason"] != "lastParticipantLeft" || got["duration"] != 9.0 || got["createdAt"] != float64(began) || got["mediaMode"] != "ROUTED" || got["customSessionId"] != "demo" {
		t.Errorf("the summary is %v", got)
	}
	if p := all["publisherSummary"]; p["user"] != "browser1" || p["connectionId"] != "con_A" || p["streamId"] != "str_1" || p["duration"] != 6.0 || p["participantId"] != nil {
		t.Errorf("the publisher's is %v", p)
	}
	for n := range maxParts + 100 { // one that goes on and on has bounds
		s.event(event.Event{Session: "x", Connection: fmt.Sprint(n), Body: event.Joined{}}, nil)
	}
	for n := range maxCalls + 100 {
		s.event(event.Event{Session: fmt.Sprint(n), Body: event.SessionCreated{}}, nil)
	}
	if len(s.open) != maxCalls || s.parts != maxParts {
		t.Errorf("%d sessions, %d parts", len(s.open), s.parts)
	}
}

// A server that is down costs nobody anything: documents wait, then the oldest go; what waits is sent when it is back.
func TestENT_06__EndpointDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.answer = func(*http.Request, []doc) (int, string) { return 0, "" }
		var log bytes.Buffer
		e := run(t, s, Config{URL: "http://ann:s3cret@es:9200"}, slog.New(slog.NewTextHandler(&log, nil)))
		time.Sleep(time.Minute)
		synctest.Wait()
		for n := range maxDocuments + 1000 {
			e.add("x", map[string]int{"n": n})
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		stats := e.Stats()
		where, trouble, asked := e.Check()
		if stats.Sent != 0 || stats.Dropped < 1000-batchSize || stats.Waiting > maxDocuments || stats.Failed < 10 || stats.Failed > 60 {
			t.Errorf("%+v", stats)
		}
		if where != "http://es:9200" || !strings.Contains(trouble, "connection refused") || !asked || strings.Contains(trouble+log.String(), "s3cret") {
			t.Errorf("%s: %s, %v; log %s", where, trouble, asked, &log)
		}
		s.mu.Lock()
		tries := 0
		s.answer = func(_ *http.Request, bulk []doc) (int, string) {
			switch tries++; tries {
			case 1:
				return http.StatusUnauthorized, ""
			case 2:
				return http.StatusServiceUnavailable, ""
			}
			return http.StatusOK, `{"errors":false}`
		}
		s.mu.Unlock()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		after := e.Stats()
		if after.Waiting != 0 || after.Sent+after.Dropped != maxDocuments+1000 {
			t.Errorf("%+v", after)
		}
		if _, trouble, _ := e.Check(); trouble != "" || strings.Count(log.String(), "does not take") != 1 || !strings.Contains(log.String(), "takes documents again") {
			t.Errorf("%q: %s", trouble, &log)
		}
	})
}

// Of a batch only what failed for a while is sent again, under the same id.
func TestPartsOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		var rounds [][]doc
		s.answer = func(_ *http.Request, bulk []doc) (int, string) {
			if len(bulk) == 0 {
				return http.StatusBadRequest, `{"error":{"type":"resource_already_exists_exception"}}`
			}
			rounds = append(rounds, bulk)
			if len(bulk) == 1 {
				return http.StatusOK, `{"errors":false}`
			}
			return http.StatusOK, `{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":429}},{"create":{"status":409}},{"create":{"status":400,"error":{"type":"mapper","reason":"no s3cret"}}}]}`
		}
		var log bytes.Buffer
		e := run(t, s, Config{URL: "http://es", Username: "u", Password: "s3cret"}, slog.New(slog.NewTextHandler(&log, nil)))
		for n := range 4 {
			e.add("x", map[string]int{"n": n})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(rounds) != 2 || len(rounds[1]) != 1 || rounds[1][0].id != rounds[0][1].id {
			t.Errorf("%v", rounds)
		}
		if got := e.Stats(); got.Sent != 3 || got.Refused != 1 || !strings.Contains(log.String(), "mapper in x") || strings.Contains(log.String(), "s3cret") {
			t.Errorf("%+v; %s", got, &log)
		}
		if _, trouble, _ := e.Check(); trouble != "" {
			t.Errorf("an index that is there is trouble: %s", trouble)
		}
	})
}

func TestWhatIsOldIsDeleted(t *testing.T) {
	s := newServer()
	s.answer = func(r *http.Request, _ []doc) (int, string) {
		if r.Method == http.MethodGet {
			return http.StatusOK, `[{"index":"session-metrics-2026.11.12"},{"index":"session-metrics-2026.11.14"},{"index":"openvidu-logs-2026.01.01"},
				{"index":"openvidu-logs-archive"},{"index":"openvidu"},{"index":"server-metrics-2026.11.21"},{"index":"others-2020.01.01"}]`
		}
		return http.StatusOK, "{}"
	}
	e := New(Options{Master: "m"})
	e.client.Transport = s
	if err := e.Adopt(Config{URL: "http://es", MaxDays: 7, ClusterID: "prod"}); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	if !e.clean(t.Context(), now) {
		t.Error("it could not be asked")
	}
	want := []string{
		"GET /_cat/indices/session-metrics-*,server-metrics-*,openvidu-logs-*,openvidu-browser-logs-*?format=json&h=index :",
		"DELETE /session-metrics-2026.11.12 :", "DELETE /openvidu-logs-2026.01.01 :",
		"POST /openvidu/_delete_by_query?conflicts=proceed&wait_for_completion=false :",
	}
	if fmt.Sprint(s.requests) != fmt.Sprint(want) {
		t.Errorf("%q", s.requests)
	}
	if query := s.bodies[len(s.bodies)-1]; !strings.Contains(query, fmt.Sprint(now.AddDate(0, 0, -7).UnixMilli())) || !strings.Contains(query, `"cluster_id":"prod"`) || !json.Valid([]byte(query)) {
		t.Errorf("the query is %s", query)
	}
	s.answer = func(*http.Request, []doc) (int, string) { return 0, "" }
	if e.clean(t.Context(), now) {
		t.Error("a server that is down was asked")
	}
	if err := e.Adopt(Config{URL: "http://es"}); err != nil || !e.clean(t.Context(), now) || len(s.requests) != 5 {
		t.Errorf("with MaxDays 0: %v, %q", err, s.requests)
	}
}

// A line is exported without secrets; debug lines are not.
func TestLogLines(t *testing.T) {
	e := New(Options{Master: "m"})
	var text bytes.Buffer
	log := e.Tee(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.Warn("nobody listens yet")
	if err := e.Adopt(Config{URL: "http://es", Secrets: []string{"MY_SECRET"}}); err != nil {
		t.Fatal(err)
	}
	log.Debug("detail")
	log.With("session", "demo").WithGroup("g").Info("it says MY_SECRET", "error", errors.New("bad MY_SECRET"))
	batch := e.queue.take()
	if len(batch) != 1 || !strings.HasPrefix(batch[0].index, "openvidu-logs-") {
		t.Fatalf("%d lines: %s", len(batch), batch)
	}
	var line openvidu.ElasticLog
	if err := json.Unmarshal(batch[0].text, &line); err != nil {
		t.Fatal(err)
	}
	if line.Level != "INFO" || line.Message != "it says (hidden)" || line.Fields["g.error"] != "bad (hidden)" || line.SessionID != "demo" || line.Timestamp == "" {
		t.Errorf("%+v", line)
	}
	if strings.Count(text.String(), "\n") != 3 {
		t.Errorf("the log itself: %s", &text)
	}
	if err := e.Adopt(Config{}); err != nil || e.On() || len(e.queue.take()) != 0 {
		t.Errorf("off: %v", err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	q := queue{some: make(chan struct{}, 1)}
	big := make([]byte, maxDocument)
	for range 200 {
		q.put(document{text: big})
	}
	q.put(document{text: append(big, 0)})
	if waiting, dropped := q.state(); waiting != maxBytes/maxDocument || dropped != uint64(201-waiting) || q.bytes > maxBytes {
		t.Errorf("%d wait, %d dropped, %d bytes", waiting, dropped, q.bytes)
	}
	if got := len(q.take()); got != batchBytes/maxDocument {
		t.Errorf("a batch of %d", got)
	}
}
