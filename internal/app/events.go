package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"tertulia/internal/cluster/stream"
	"tertulia/internal/config"
	"tertulia/internal/event"
	"tertulia/internal/event/cdr"
	"tertulia/internal/event/record"
	"tertulia/internal/event/webhook"
	"tertulia/internal/metrics"
	"tertulia/internal/wire/openvidu"
)

// events tell applications and operators what happens: an event becomes a record of a stream on the disk, which
// webhooks, CDR files and GET /events read (docs/adr/0008-events-are-a-stream.md).
type events struct {
	stream       *stream.Stream
	webhook      *webhook.Sender
	cdr          *cdr.Writer
	posts, files *stream.Reader // the places of the two above
	balanced     *stream.Reader // the place up to which subscriptions have their ends, see endSubscriptions
	looked       bool           // it was looked what has none

	// also is told of every event, and of its record if told is true, by the goroutine of its session: it must not wait.
	// It is set before sessions run, or never.
	also func(e event.Event, r record.Record, told bool)
}

func streamConfig(c config.Config, log *slog.Logger) stream.Config {
	return stream.Config{Name: "events", MaxRecords: c.EventsMax, Log: log}
}

// newEvents starts what tells. It is stopped after the sessions: first what waits is written, then who reads gets a
// moment for it.
func newEvents(ctx context.Context, c config.Config, s *stream.Stream, log *slog.Logger, running *parts) (*events, error) {
	e := &events{stream: s, webhook: webhook.New(webhook.Options{Log: log}), cdr: cdr.New(cdr.Options{Log: log})}
	if err := e.adopt(c); err != nil {
		return nil, err
	}
	var err, err2, err3 error
	e.posts, err = s.Reader(ctx, "webhook")
	e.files, err2 = s.Reader(ctx, "cdr")
	e.balanced, err3 = s.Reader(ctx, "balanced")
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	running.hold("balance of events", func() error { e.leaveBalanced(log); return nil })
	running.hold("CDR files", func() error { e.cdr.Close(); return nil })
	running.hold("webhook connection", func() error { e.webhook.Close(); return nil })
	running.start("CDR", func(ctx context.Context) error { return e.files.Feed(ctx, e.cdr) })
	running.start("webhook", func(ctx context.Context) error { return e.posts.Feed(ctx, e.webhook) })
	running.start("events", s.Run)
	return e, nil
}

// adopt takes other settings from the next event on, or none of them and goes on as before.
func (e *events) adopt(c config.Config) error {
	before := e.cdr.Folder()
	if err := e.cdr.Adopt(c.CDR.Path); err != nil {
		return err
	}
	if err := e.webhook.Adopt(webhookConfig(c)); err != nil {
		return errors.Join(err, e.cdr.Adopt(before))
	}
	return nil
}

func webhookConfig(c config.Config) webhook.Config {
	return webhook.Config{Endpoint: c.Webhook.Endpoint, Headers: c.Webhook.Headers, Events: c.Webhook.Events}
}

// tell never waits.
func (e *events) tell(happened event.Event) {
	r, told := record.Of(happened)
	if told {
		e.stream.Append(r.Name, r.Text)
	}
	if e.also != nil {
		e.also(happened, r, told)
	}
}

// After implements rest.Events.
func (e *events) After(ctx context.Context, after uint64, limit int) (openvidu.RESTEvents, error) {
	oldest, latest, err := e.stream.Bounds(ctx)
	if err != nil {
		return openvidu.RESTEvents{}, err
	}
	entries, err := e.stream.After(ctx, after, limit)
	if err != nil {
		return openvidu.RESTEvents{}, err
	}
	list := make([]openvidu.RESTEvent, len(entries))
	for i, entry := range entries {
		list[i] = openvidu.RESTEvent{Number: entry.Number, Event: json.RawMessage(entry.Text)}
	}
	return openvidu.RESTEvents{RESTList: openvidu.NewRESTList(list), Oldest: oldest, Latest: latest}, nil
}

func (e *events) samples() []metrics.Sample {
	const (
		told, toldHelp     = "tertulia_events_total", "What applications are to be told, by what became of it: written to the stream, or dropped because the disk took it too slowly."
		posts, postsHelp   = "tertulia_webhook_events_total", "Events for the webhook, by what became of them: delivered, refused by the receiver, or forgotten before it was back."
		tries, triesHelp   = "tertulia_webhook_requests_failed_total", "Requests of the webhook that nobody has answered, or with a failure."
		behind, behindHelp = "tertulia_events_behind", "Events that wait, by reader."
	)
	s, w, c := e.stream.Stats(), e.webhook.Stats(), e.cdr.Stats()
	return []metrics.Sample{
		by("outcome", "written", told, toldHelp, s.Written),
		by("outcome", "dropped", told, toldHelp, s.Dropped),
		{Name: "tertulia_events_waiting", Help: "Events that are not on the disk yet.", Number: float64(s.Waiting)},
		{Name: "tertulia_events_latest", Help: "Number of the latest event.", Number: float64(s.Latest)},
		by("outcome", "delivered", posts, postsHelp, w.Delivered),
		by("outcome", "refused", posts, postsHelp, w.Refused),
		by("outcome", "forgotten", posts, postsHelp, e.posts.Missed()),
		{Name: tries, Help: triesHelp, Number: float64(w.Failed)},
		{Name: "tertulia_webhook_lag_seconds", Help: "How long events have waited for the webhook's receiver, which is down; else 0.", Number: w.Lag.Seconds()},
		by("reader", "webhook", behind, behindHelp, waiting(e.posts, e.webhook)),
		by("reader", "cdr", behind, behindHelp, waiting(e.files, e.cdr)),
		{Name: "tertulia_cdr_events_total", Help: "Events that were written to CDR files.", Number: float64(c.Written)},
		{Name: "tertulia_cdr_failures_total", Help: "Writes to CDR files that failed; the event is written later.", Number: float64(c.Failed)},
	}
}

// waiting is how many records a sink is to get; none if it is off.
func waiting(place *stream.Reader, to stream.Sink) uint64 {
	if wanted, _ := to.Wanted(); !wanted {
		return 0
	}
	return place.Behind()
}
