package rest

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"tertulia/internal/wire/openvidu"
)

// restarts counts changes of settings for GET /status: who calls POST /restart polls it until the count has grown. No
// process ends for them here.
type restarts struct {
	started int64 // Unix milliseconds

	mu    sync.Mutex
	count int
	last  int64 // Unix milliseconds; 0: never
}

func (r *restarts) note() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.last = time.Now().UnixMilli()
}

func (r *restarts) status() openvidu.RESTStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return openvidu.RESTStatus{StartTime: r.started, RestartCounter: r.count, LastRestartTime: max(r.started, r.last)}
}

func restart(ctx context.Context, r *request) (response, error) {
	if r.Restart == nil {
		return response{status: http.StatusForbidden}, nil // as a path that is not there
	}
	changes, err := openvidu.ParseRESTSettings(r.body)
	if err != nil {
		return response{}, invalid(err)
	}
	if err := r.Restart(ctx, r.caller(), changes); err != nil {
		return response{}, err
	}
	r.restarts.note()
	return ok(nil), nil
}

// caller names who asks: the name of its key, or OpenVidu's user.
func (r *request) caller() string {
	return cmp.Or(r.who.Name, User)
}

func getStatus(_ context.Context, r *request) (response, error) { return ok(r.restarts.status()), nil }
