package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Event is one thing that happened: sessionCreated, participantJoined, webrtcConnectionCreated … with the fields of
// OpenVidu's webhook (reference-docs/openvidu-server-webhook).
type Event struct {
	Number     uint64 // each is one above the last one's; 0 of a webhook of OpenVidu itself
	Name       string // "participantJoined"
	Time       time.Time
	Session    string // session id
	Connection string // connection id; "" for what concerns the session alone
	Stream     string // stream id, of streams
	Reason     string // of what ended
	// JSON is everything the server says of it.
	JSON json.RawMessage
}

// UnmarshalJSON reads an event as the webhook has it.
func (e *Event) UnmarshalJSON(text []byte) error {
	var w struct {
		Name       string `json:"event"`
		Time       moment `json:"timestamp"`
		Session    string `json:"sessionId"`
		Connection string `json:"connectionId"`
		Stream     string `json:"streamId"`
		Reason     string `json:"reason"`
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*e = Event{
		Name: w.Name, Time: w.Time.Time, Session: w.Session, Connection: w.Connection,
		Stream: w.Stream, Reason: w.Reason, JSON: append(json.RawMessage(nil), text...),
	}
	return nil
}

// Events returns events in order from the one after a number, 0 for the oldest there is. None is no error. At most limit,
// 0 for as many as the server gives at once.
func (c *Client) Events(ctx context.Context, after uint64, limit int) ([]Event, error) {
	query := url.Values{"after": {strconv.FormatUint(after, 10)}}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	var all list[struct {
		Number uint64 `json:"number"`
		Event  Event  `json:"event"`
	}]
	if err := c.call(ctx, "GET", "/events?"+query.Encode(), nil, &all); err != nil {
		return nil, err
	}
	events := make([]Event, len(all.Content))
	for i, entry := range all.Content {
		events[i] = entry.Event
		events[i].Number = entry.Number
	}
	return events, nil
}

// followPause is between two questions of Follow when there was nothing new.
const followPause = time.Second

// Follow gives events in order, and waits for more, until ctx ends or a call fails: the last pair holds the error. Keep
// the number of the latest event that you are done with and go on after it: nothing is lost then, over restarts too, as
// long as the server keeps it (EVENTS_MAX).
func (c *Client) Follow(ctx context.Context, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		pause := time.NewTimer(0)
		defer pause.Stop()
		for {
			select {
			case <-pause.C:
			case <-ctx.Done():
				yield(Event{}, ctx.Err())
				return
			}
			events, err := c.Events(ctx, after, 0)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				after = e.Number
			}
			pause.Reset(followPause)
			if len(events) > 0 {
				pause.Reset(0)
			}
		}
	}
}

const (
	// numberHeader tells an event's number beside OpenVidu's body.
	numberHeader = "Ov-Event-Number"
	maxEvent     = 1 << 20
)

// Webhook is what OPENVIDU_WEBHOOK_ENDPOINT may point to: take is called with each event. If it fails, the server is
// answered 503 and tells the event again; without, it may be told again all the same, with the number it had: at least
// once, in order.
func Webhook(take func(context.Context, Event) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
		var e Event
		if err == nil {
			err = json.Unmarshal(body, &e)
		}
		if err != nil {
			http.Error(w, fmt.Sprintf("no event: %v", err), http.StatusBadRequest)
			return
		}
		if n, err := strconv.ParseUint(r.Header.Get(numberHeader), 10, 64); err == nil {
			e.Number = n
		}
		if err := take(r.Context(), e); err != nil {
			http.Error(w, "not taken; tell it again", http.StatusServiceUnavailable)
		}
	})
}
