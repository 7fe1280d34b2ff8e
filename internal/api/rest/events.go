package rest

import (
	"context"

	"tertulia/internal/wire/openvidu"
)

// Events is the memory of what applications were told.
type Events interface {
	// After returns events whose numbers are above after, in order, at most limit, and which numbers are kept.
	After(ctx context.Context, after uint64, limit int) (openvidu.RESTEvents, error)
}

var eventFlags = []parameter{
	{name: "after", doc: "only those with higher numbers", number: true},
	{name: "limit", doc: "events, at most 1,000, the default", number: true},
}

// getEvents is ours: who has missed webhooks, or wants none, reads the same events here.
func getEvents(ctx context.Context, r *request) (response, error) {
	after, err := r.number("after", 0, 1<<53)
	if err != nil {
		return response{}, err
	}
	limit, err := r.number("limit", defaultEntries, maxEntries)
	if err != nil {
		return response{}, err
	}
	list := openvidu.RESTEvents{RESTList: openvidu.NewRESTList[openvidu.RESTEvent](nil)}
	if r.Events != nil {
		if list, err = r.Events.After(ctx, uint64(after), int(limit)); err != nil { //nolint:gosec // number gives no negative one
			return response{}, err
		}
	}
	return ok(list), nil
}
