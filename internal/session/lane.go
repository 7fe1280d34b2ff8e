package session

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// lanes keep the media requests of one endpoint in order; those of different endpoints run side by side.
type lanes struct {
	media    Media
	deadline time.Duration // of each request
	log      *slog.Logger
	inbox    *inbox           // takes what has returned
	jobs     map[string][]job // by endpoint; the first job of a lane is under way
	work     sync.WaitGroup
}

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

// maxLane bounds what waits behind a slow request. Above it, requests fail at once and candidates are dropped; only a
// release is always taken, but not a second one right behind it.
const maxLane = 128

func (l *lanes) add(ctx context.Context, j job) {
	lane := l.jobs[j.endpoint]
	if _, release := j.request.(mediactl.Release); release {
		if n := len(lane); n > 1 && lane[n-1].request == j.request { // the first is under way already
			return
		}
	} else if len(lane) >= maxLane {
		if j.ask != nil {
			busy := fault.New(fault.RateLimited, "%d requests for endpoint %s wait already; slow down", len(lane), j.endpoint)
			l.inbox.put(letter{command: settled{Ask: *j.ask, Err: busy}})
		}
		return
	}
	l.jobs[j.endpoint] = append(lane, j)
	if len(lane) == 0 {
		l.start(ctx, j)
	}
}

// start sends a request to the media node; it is over after the media deadline at the latest.
func (l *lanes) start(ctx context.Context, j job) {
	l.work.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, l.deadline)
		defer cancel()
		d, err := l.send(ctx, j.request)
		done := returned{endpoint: j.endpoint}
		if j.ask != nil {
			done.settled = &settled{Ask: *j.ask, Description: d, Err: err}
		} else if err != nil && ctx.Err() == nil {
			l.log.Debug("the media node refused", "request", fmt.Sprintf("%T", j.request), "endpoint", j.endpoint, "err", err)
		}
		l.inbox.put(letter{command: done})
	})
}

// advance starts the lane's next job.
func (l *lanes) advance(ctx context.Context, endpoint string) {
	lane := l.jobs[endpoint][1:]
	if len(lane) == 0 {
		delete(l.jobs, endpoint)
		return
	}
	l.jobs[endpoint] = lane
	l.start(ctx, lane[0])
}

// send makes the call a request stands for.
func (l *lanes) send(ctx context.Context, request any) (d mediactl.Description, err error) {
	switch q := request.(type) {
	case mediactl.Publish:
		return l.media.Publish(ctx, q)
	case mediactl.Subscribe:
		return l.media.Subscribe(ctx, q)
	case mediactl.Answer:
		err = l.media.Answer(ctx, q)
	case mediactl.Trickle:
		err = l.media.Trickle(ctx, q)
	case mediactl.Release:
		err = l.media.Release(ctx, q)
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

// wait waits for the requests under way, after their context has ended.
func (l *lanes) wait() { l.work.Wait() }

// release ends all endpoints of a session at the node, also when the process is ending.
func (l *lanes) release(ctx context.Context, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.deadline)
	defer cancel()
	if err := l.media.Release(ctx, mediactl.Release{Session: session}); err != nil {
		l.log.Warn("the media of an ended session may not have been released", "err", err)
	}
}
