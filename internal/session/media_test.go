package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tertulia/internal/wire/mediactl"
)

// node is a media node whose every call takes a while.
type node struct {
	takes time.Duration
	err   error // of all but Release

	mu    sync.Mutex
	calls []string
	busy  int // calls under way
	most  int // the most there have been at once
}

// call notes the beginning and the end of a call.
func (n *node) call(ctx context.Context, name, endpoint string) error {
	n.mu.Lock()
	n.calls = append(n.calls, strings.TrimSpace(name+" "+endpoint))
	n.busy++
	n.most = max(n.most, n.busy)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.busy--
		n.mu.Unlock()
	}()
	select {
	case <-time.After(n.takes):
		if name == "Release" {
			return nil
		}
		return n.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *node) called() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.calls)
}

func (n *node) sideBySide() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.most
}

func (n *node) Publish(ctx context.Context, q mediactl.Publish) (mediactl.Description, error) {
	err := n.call(ctx, "Publish", q.Endpoint)
	return mediactl.Description{SDP: "answer"}, err
}

func (n *node) Subscribe(ctx context.Context, q mediactl.Subscribe) (mediactl.Description, error) {
	err := n.call(ctx, "Subscribe", q.Endpoint)
	return mediactl.Description{SDP: "answer"}, err
}

func (n *node) Answer(ctx context.Context, q mediactl.Answer) error {
	return n.call(ctx, "Answer", q.Endpoint)
}

func (n *node) Trickle(ctx context.Context, q mediactl.Trickle) error {
	return n.call(ctx, "Trickle", q.Endpoint+" "+q.Candidate.Candidate)
}

func (n *node) Release(ctx context.Context, q mediactl.Release) error {
	return n.call(ctx, "Release", q.Endpoint)
}

func (n *node) Stats(_ context.Context, session string) ([]mediactl.EndpointStats, error) {
	return []mediactl.EndpointStats{{Endpoint: fmt.Sprint("of ", session)}}, nil
}
