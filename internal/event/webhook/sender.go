package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tertulia/internal/wire/openvidu"
)

// Options say how patient a sender is. Zeros are defaults.
type Options struct {
	Timeout  time.Duration // to connect, and for an answer; 10 s, as the original
	First    time.Duration // pause after the tries at once; it doubles; 1 s
	Longest  time.Duration // pause; 60 s
	Farewell time.Duration // for the request that is under way when ctx ends; 3 s
	Log      *slog.Logger  // nil discards
}

const (
	atOnce  = 5 // tries without a pause, if nothing was answered
	mishaps = 3 // tries in all, if the receiver answers that it has failed
)

// Sender posts events. Take is called by one goroutine, the rest by any.
type Sender struct {
	options Options
	client  *http.Client

	mu      sync.Mutex
	target  *target       // nil: off
	changed chan struct{} // closed with the next Adopt

	delivered, refused, failed, repeated atomic.Uint64
	down                                 atomic.Int64 // Unix milliseconds since when nothing is taken; 0: all is well
}

// New makes a sender that is off.
func New(o Options) *Sender {
	fill(&o.Timeout, 10*time.Second)
	fill(&o.First, time.Second)
	fill(&o.Longest, 60*time.Second)
	fill(&o.Farewell, 3*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: o.Timeout}).DialContext,
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as the original: the reference of the setting says so
		TLSHandshakeTimeout:   o.Timeout,
		ResponseHeaderTimeout: o.Timeout,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   1,
	}
	return &Sender{
		options: o, changed: make(chan struct{}),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

func fill(setting *time.Duration, value time.Duration) {
	if *setting == 0 {
		*setting = value
	}
}

// Adopt takes other settings from the next try on, or refuses them with fault.Invalid and goes on as before.
func (s *Sender) Adopt(c Config) error {
	var next *target
	if c.Endpoint != "" {
		var err error
		if next, err = newTarget(c); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = next
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// Close ends connections that are kept for the next event.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Wanted implements stream.Sink.
func (s *Sender) Wanted() (bool, <-chan struct{}) {
	target, changed := s.current()
	return target != nil, changed
}

func (s *Sender) current() (*target, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target, s.changed
}

// Take sends an event until the receiver has answered; text is its JSON. An answer that is not 2xx is logged, and ends
// it, as in the original. Other than there, a receiver that cannot be reached, or says that it is not ready, is asked
// again for as long as ctx lasts, and one that says it has failed is asked twice more. It implements stream.Sink.
func (s *Sender) Take(ctx context.Context, number uint64, name string, text []byte) bool {
	pause := s.options.First
	for attempt := 1; ; attempt++ {
		target, changed := s.current()
		if target == nil || !target.events[name] {
			s.down.Store(0)
			return true
		}
		if attempt > 1 {
			s.repeated.Add(1)
		}
		status, err := s.post(ctx, target, number, attempt, text)
		outcome := judge(status, err, attempt)
		switch {
		case outcome == delivered:
			s.delivered.Add(1)
			s.recovered(target)
			return true
		case outcome == refused:
			s.refused.Add(1)
			s.recovered(target)
			s.options.Log.Error("webhook: the receiver does not take an event; it is not sent again", "to", target.where, "event", name, "number", number, "status", status)
			return true
		}
		s.failed.Add(1)
		if s.down.CompareAndSwap(0, time.Now().UnixMilli()) {
			s.options.Log.Warn("webhook: the receiver cannot be reached; events wait for it", "to", target.where, "event", name, "number", number, "status", status, "error", err)
		}
		if ctx.Err() != nil {
			return false
		}
		if outcome == again {
			continue
		}
		if !wait(ctx, changed, pause) {
			return false
		}
		pause = min(2*pause, s.options.Longest)
	}
}

type outcome int

const (
	delivered outcome = iota
	refused           // it is not to be sent again
	again             // at once
	later
)

// judge says what an answer means; err is that there was none.
func judge(status int, err error, attempt int) outcome {
	switch {
	case err != nil && attempt < atOnce:
		return again
	case err != nil:
		return later
	case status >= 200 && status < 300:
		return delivered
	}
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout: // a proxy whose server is not there
		return later
	}
	if status >= 500 && attempt < mishaps {
		return later
	}
	return refused
}

// post makes one request. It goes on for a moment when ctx ends, or the receiver would get it again after a restart.
func (s *Sender) post(ctx context.Context, t *target, number uint64, attempt int, text []byte) (status int, err error) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*s.options.Timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.options.Farewell, cancel) })()
	request, err := http.NewRequestWithContext(late, http.MethodPost, t.url, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	request.Header, request.Host = t.header.Clone(), t.host
	request.Header[openvidu.EventNumberHeader] = []string{strconv.FormatUint(number, 10)}
	request.Header[openvidu.EventAttemptHeader] = []string{strconv.Itoa(attempt)}
	response, err := s.client.Do(request)
	if err != nil {
		if told, ok := errors.AsType[*url.Error](err); ok {
			err = told.Err // without the URL, which may hold a secret
		}
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again; what it says is of no use
	return response.StatusCode, nil
}

// wait pauses; other settings end the pause. It is false if ctx has ended.
func wait(ctx context.Context, changed <-chan struct{}, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return false
	}
	return true
}

// recovered tells once that the receiver is back.
func (s *Sender) recovered(t *target) {
	if since := s.down.Swap(0); since != 0 {
		s.options.Log.Info("webhook: the receiver answers again", "to", t.where, "after", time.Since(time.UnixMilli(since)).Round(time.Second).String())
	}
}

// Stats counts since the start.
type Stats struct {
	Delivered uint64        // events that were answered with 2xx
	Refused   uint64        // events that were answered otherwise, and are lost for the receiver
	Failed    uint64        // requests without such an answer
	Repeated  uint64        // requests that were not the first of their event
	Down      bool          // events wait for the receiver
	Lag       time.Duration // how long they have
}

// Stats are the numbers of now.
func (s *Sender) Stats() Stats {
	stats := Stats{Delivered: s.delivered.Load(), Refused: s.refused.Load(), Failed: s.failed.Load(), Repeated: s.repeated.Load()}
	if since := s.down.Load(); since != 0 {
		stats.Down, stats.Lag = true, time.Since(time.UnixMilli(since))
	}
	return stats
}
