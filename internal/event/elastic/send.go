package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tertulia/internal/wire/openvidu"
)

// sender delivers documents by the bulk API.
type sender struct {
	options Options
	client  *http.Client
	target  atomic.Pointer[target] // nil: off
	adopted chan struct{}          // of capacity 1: target is another one
	queue   queue

	mu                    sync.Mutex
	trouble               string // of the latest request; "": it went well
	sent, refused, failed uint64
	seen                  bool // a request was answered, or was not
}

func newSender(o Options) *sender {
	return &sender{
		options: o, adopted: make(chan struct{}, 1), queue: queue{some: make(chan struct{}, 1)},
		client: &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: o.Timeout},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// farewell is for what still waits when everything stops.
const farewell = 2 * time.Second

// maxAnswer is as much of an answer as is read, in bytes.
const maxAnswer = 8 << 20

// Run sends what is given until ctx ends, and then a moment longer.
func (s *sender) Run(ctx context.Context) error {
	cleaning := time.NewTimer(s.options.Pause)
	defer cleaning.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.adopted:
			s.prepare(ctx)
		case <-s.queue.some:
			s.collect(ctx)
			s.drain(ctx)
		case <-cleaning.C:
			if s.clean(ctx, time.Now()) {
				cleaning.Reset(s.options.Clean)
			} else {
				cleaning.Reset(min(s.options.Clean, time.Hour))
			}
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	for t := s.target.Load(); t != nil; {
		batch := s.queue.take()
		if len(batch) == 0 {
			break
		}
		if again, err := s.bulk(last, t, batch); err != nil || len(again) > 0 {
			break // nobody is kept waiting for it
		}
	}
	return nil
}

// collect waits a moment for more.
func (s *sender) collect(ctx context.Context) {
	if s.queue.full() {
		return
	}
	s.pause(ctx, s.options.Pause)
}

// drain sends until nothing is left.
func (s *sender) drain(ctx context.Context) {
	for ctx.Err() == nil {
		batch := s.queue.take()
		if len(batch) == 0 {
			return
		}
		s.deliver(ctx, batch)
	}
}

// deliver repeats a request until it is answered, ctx ends or the exporter is off. What waits meanwhile is the queue's
// affair. Documents have ids: one that has come already is not taken twice.
func (s *sender) deliver(ctx context.Context, batch []document) {
	for pause := s.options.Pause; ; pause = min(2*pause, s.options.Longest) {
		t := s.target.Load()
		if t == nil {
			return
		}
		again, err := s.bulk(ctx, t, batch)
		if err == nil && len(again) == 0 {
			return
		}
		if ctx.Err() != nil {
			for _, d := range batch { // for the farewell
				s.queue.put(d)
			}
			return
		}
		batch = again
		s.pause(ctx, pause)
	}
}

// pause ends early with ctx, or with other settings.
func (s *sender) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.adopted:
		s.prepare(ctx)
	}
}

// prepare makes the index openvidu, so that its timestamp is a date; the others have theirs as text that says so.
func (s *sender) prepare(ctx context.Context) {
	t := s.target.Load()
	if t == nil {
		return
	}
	status, answer, err := s.ask(ctx, t, http.MethodPut, "/"+openvidu.ElasticEvents, "application/json",
		[]byte(`{"mappings":{"properties":{"timestamp":{"type":"date"}}}}`))
	switch {
	case err != nil:
		s.outcome(err.Error(), true)
	case status < 300, status == http.StatusBadRequest && bytes.Contains(answer, []byte("already_exists")):
		s.outcome("", true)
	default:
		s.outcome(said(status), true)
	}
}

// bulk sends a batch and returns what is to be sent again; err says that nobody took it.
func (s *sender) bulk(ctx context.Context, t *target, batch []document) (again []document, err error) {
	var body bytes.Buffer
	for _, d := range batch {
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q,\"_id\":%q}}\n", d.index, d.id)
		body.Write(d.text)
		body.WriteByte('\n')
	}
	status, answer, err := s.ask(ctx, t, http.MethodPost, "/_bulk", "application/x-ndjson", body.Bytes())
	if err != nil {
		s.outcome(err.Error(), true)
		return batch, err
	}
	if status != http.StatusOK {
		s.outcome(said(status), true)
		if status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge {
			s.count(0, len(batch)) // it will not like it better the next time
			return nil, nil
		}
		return batch, fmt.Errorf("status %d", status)
	}
	again, sent, refused, why := outcomes(batch, answer)
	s.count(sent, refused)
	s.outcome("", true)
	if refused > 0 {
		s.options.Log.Warn("Elasticsearch refuses documents", "documents", refused, "first", t.secret.Replace(why))
	}
	return again, nil
}

// outcomes reads what became of each document. 409: it was taken before.
func outcomes(batch []document, answer []byte) (again []document, sent, refused int, why string) {
	var told struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Error  struct{ Type, Reason string }
		}
	}
	if json.Unmarshal(answer, &told) != nil || !told.Errors || len(told.Items) != len(batch) {
		return nil, len(batch), 0, ""
	}
	for i, item := range told.Items {
		for _, o := range item {
			switch {
			case o.Status < 300, o.Status == http.StatusConflict:
				sent++
			case o.Status == http.StatusTooManyRequests, o.Status >= 500:
				again = append(again, batch[i])
			default:
				if refused++; why == "" {
					why = fmt.Sprintf("%s in %s: %.200s", o.Error.Type, batch[i].index, o.Error.Reason)
				}
			}
		}
	}
	return again, sent, refused, why
}

func (s *sender) count(sent, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += uint64(sent)
	s.refused += uint64(refused)
}

// said tells a status, and what is probably meant.
func said(status int) string {
	text := fmt.Sprintf("it answers %d %s", status, http.StatusText(status))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		text += ": are ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD right?"
	case http.StatusNotFound:
		text += ": is the path of OPENVIDU_PRO_ELASTICSEARCH_HOST right?"
	}
	return text
}

// ask makes a request. Its errors name no credentials.
func (s *sender) ask(ctx context.Context, t *target, method, path, kind string, body []byte) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, t.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("%s cannot be asked", t.where)
	}
	request.Header.Set("User-Agent", "tertulia")
	if len(body) > 0 {
		request.Header.Set("Content-Type", kind)
	}
	if t.Username != "" {
		request.SetBasicAuth(t.Username, t.Password)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, answer, err
}
