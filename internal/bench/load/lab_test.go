package load_test

import (
	"context"
	"testing"

	"tertulia/internal/bench/load"
	"tertulia/internal/media/peer"
	"tertulia/internal/testkit"
)

// lab is a server of ours and a loop of clients.
type lab struct {
	t     *testing.T
	ctx   func() context.Context // of the test
	shard *peer.Shard
	loop  *load.Loop
}

func newLab(t *testing.T) *lab {
	t.Helper()
	shard, ctx := testkit.Shard(t)
	return &lab{t, func() context.Context { return ctx }, shard, newLoop(t)}
}

// newLoop runs a loop until the test ends.
func newLoop(t *testing.T) *load.Loop {
	t.Helper()
	loop := must[*load.Loop](t)(load.NewLoop())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the loop ended with %v", err)
		}
	})
	return loop
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (l *lab) check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) endpoint(name string) *peer.Endpoint {
	l.t.Helper()
	return must[*peer.Endpoint](l.t)(l.shard.Open(l.ctx(), peer.EndpointConfig{Name: name, Loopback: true}))
}

// publisher connects a publisher; what it publishes is its endpoint's tracks.
func (l *lab) publisher(c load.Config) (*load.Client, peer.Description, *peer.Endpoint) {
	l.t.Helper()
	c.Loop = l.loop
	client := must[*load.Client](l.t)(load.NewPublisher(c))
	offer := must[string](l.t)(client.Offer())
	e := l.endpoint("publisher")
	d := must[peer.Description](l.t)(e.AcceptPublish(l.ctx(), offer, peer.PublishOptions{}))
	l.check(client.Accept(d.SDP))
	l.check(client.Connected(l.ctx()))
	return client, d, e
}

// viewer connects a viewer that offers.
func (l *lab) viewer(c load.Config, from peer.Description) (*load.Client, *peer.Endpoint) {
	l.t.Helper()
	c.Loop = l.loop
	client := must[*load.Client](l.t)(load.NewViewer(c))
	offer := must[string](l.t)(client.Offer())
	e := l.endpoint("viewer")
	d := must[peer.Description](l.t)(e.AcceptSubscribe(l.ctx(), offer, peer.SubscribeOptions{Tracks: from.Tracks}))
	l.check(client.Accept(d.SDP))
	l.check(client.Connected(l.ctx()))
	return client, e
}
