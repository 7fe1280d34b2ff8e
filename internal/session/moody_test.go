package session

import (
	"context"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/wire/mediactl"
)

// moody is a media node that is slow, fails and hangs, the same way for the same seed, and knows what it holds.
type moody struct {
	seed uint64

	mu        sync.Mutex
	calls     map[string]uint64
	endpoints map[string]bool // "session endpoint"
}

func newMoody(seed uint64) *moody {
	return &moody{seed: seed, calls: map[string]uint64{}, endpoints: map[string]bool{}}
}

// mood is how long a call takes and how it ends.
func (n *moody) mood(key string) (takes time.Duration, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls[key]++
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	r := rand.New(rand.NewPCG(n.seed+h.Sum64(), n.calls[key]))
	takes = time.Duration(r.IntN(400)) * time.Millisecond
	switch r.IntN(30) {
	case 0:
		takes = 20 * time.Second
	case 1:
		err = fault.New(fault.CodecMismatch, "no such codec")
	case 2:
		err = fault.New(fault.MediaFailed, "no")
	}
	return takes, err
}

func (n *moody) call(ctx context.Context, session, endpoint string, makes bool) error {
	key := session + " " + endpoint
	takes, err := n.mood(key)
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err == nil && makes {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.endpoints[key] = true
	}
	return err
}

// held are the endpoints of a session, those whose end is under way included.
func (n *moody) held() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.endpoints))
}

// crash loses all endpoints.
func (n *moody) crash() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.endpoints)
}

func (n *moody) Publish(ctx context.Context, q mediactl.Publish) (mediactl.Description, error) {
	err := n.call(ctx, q.Session, q.Endpoint, true)
	return mediactl.Description{SDP: "answer", Audio: "opus", Video: "VP8"}, err
}

func (n *moody) Subscribe(ctx context.Context, q mediactl.Subscribe) (mediactl.Description, error) {
	err := n.call(ctx, q.Session, q.Endpoint, true)
	return mediactl.Description{SDP: "description"}, err
}

func (n *moody) Answer(ctx context.Context, q mediactl.Answer) error {
	return n.call(ctx, q.Session, q.Endpoint, false)
}

func (n *moody) Trickle(ctx context.Context, q mediactl.Trickle) error {
	return n.call(ctx, q.Session, q.Endpoint, false)
}

// Release takes its time for a whole session, which is closing meanwhile.
func (n *moody) Release(ctx context.Context, q mediactl.Release) error {
	if takes, _ := n.mood(q.Session + " release"); q.Endpoint == "" {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.endpoints, func(key string, _ bool) bool {
		return key == q.Session+" "+q.Endpoint || q.Endpoint == "" && len(key) > len(q.Session) && key[:len(q.Session)+1] == q.Session+" "
	})
	return nil
}

func (n *moody) Stats(context.Context, string) ([]mediactl.EndpointStats, error) { return nil, nil }
