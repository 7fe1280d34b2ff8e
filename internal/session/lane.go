package session

import (
	"context"
	"fmt"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// lanes keep the media requests of one endpoint in order; those of different endpoints run side by side. The first
// job of a lane is under way.
type lanes map[string][]job

type job struct {
	endpoint string
	request  any
	ask      *Ask // nil: nobody waits for the result
}

// returned says that the first job of a lane is done; settled is its result, nil if nobody waits for it.
type returned struct {
	endpoint string
	settled  *settled
}

func (returned) command() {}

// maxLane bounds the candidates that wait behind a slow request; what is above is dropped, as candidates may be.
const maxLane = 128

func (r *runner) enqueue(ctx context.Context, j job) {
	lane := r.lanes[j.endpoint]
	if _, hint := j.request.(mediactl.Trickle); hint && len(lane) >= maxLane {
		return
	}
	r.lanes[j.endpoint] = append(lane, j)
	if len(lane) == 0 {
		r.start(ctx, j)
	}
}

// start sends a request to the media node; it is over after the media deadline at the latest.
func (r *runner) start(ctx context.Context, j job) {
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, r.registry.cfg.MediaDeadline)
		defer cancel()
		d, err := r.send(ctx, j.request)
		done := returned{endpoint: j.endpoint}
		if j.ask != nil {
			done.settled = &settled{Ask: *j.ask, Description: d, Err: err}
		} else if err != nil && ctx.Err() == nil {
			r.log.Debug("the media node refused", "request", fmt.Sprintf("%T", j.request), "endpoint", j.endpoint, "err", err)
		}
		r.inbox.put(letter{command: done})
	})
}

// advance starts the lane's next job.
func (r *runner) advance(ctx context.Context, endpoint string) {
	lane := r.lanes[endpoint][1:]
	if len(lane) == 0 {
		delete(r.lanes, endpoint)
		return
	}
	r.lanes[endpoint] = lane
	r.start(ctx, lane[0])
}

// send makes the call a request stands for.
func (r *runner) send(ctx context.Context, request any) (d mediactl.Description, err error) {
	media := r.registry.cfg.Media
	switch q := request.(type) {
	case mediactl.Publish:
		return media.Publish(ctx, q)
	case mediactl.Subscribe:
		return media.Subscribe(ctx, q)
	case mediactl.Answer:
		err = media.Answer(ctx, q)
	case mediactl.Trickle:
		err = media.Trickle(ctx, q)
	case mediactl.Release:
		err = media.Release(ctx, q)
	default:
		err = fault.New(fault.Internal, "no media request is a %T", request)
	}
	return d, err
}

func endpointOf(request any) string {
	switch q := request.(type) {
	case mediactl.Publish:
		return q.Endpoint
	case mediactl.Subscribe:
		return q.Endpoint
	case mediactl.Answer:
		return q.Endpoint
	case mediactl.Trickle:
		return q.Endpoint
	case mediactl.Release:
		return q.Endpoint
	}
	return ""
}

// release ends all endpoints of the session at the node, also when the process is ending.
func (r *runner) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.registry.cfg.MediaDeadline)
	defer cancel()
	if err := r.registry.cfg.Media.Release(ctx, mediactl.Release{Session: r.id}); err != nil {
		r.log.Warn("the media of an ended session may not have been released", "err", err)
	}
}
