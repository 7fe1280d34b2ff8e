package node

import (
	"context"
	"sync"

	"tertulia/internal/fault"
	"tertulia/internal/pipeline"
	"tertulia/internal/wire/mediactl"
)

// Config is what a node needs.
type Config struct {
	Pipeline    func(session string) *pipeline.Pipeline // makes an empty graph
	MaxSessions int                                     // 0: 10,000
}

// Node answers mediactl requests. A pipeline is made by the first endpoint of a session and ended by Release without
// endpoint.
type Node struct {
	config Config

	mu        sync.Mutex
	pipelines map[string]*pipeline.Pipeline
}

// New makes a node without pipelines.
func New(config Config) *Node {
	if config.MaxSessions == 0 {
		config.MaxSessions = 10_000
	}
	return &Node{config: config, pipelines: map[string]*pipeline.Pipeline{}}
}

// Publish makes a publisher's endpoint.
func (n *Node) Publish(ctx context.Context, r mediactl.Publish) (mediactl.Description, error) {
	p, err := n.begin(r.Session)
	if err != nil {
		return mediactl.Description{}, err
	}
	return p.Publish(ctx, r)
}

// Subscribe makes a subscriber's endpoint.
func (n *Node) Subscribe(ctx context.Context, r mediactl.Subscribe) (mediactl.Description, error) {
	p, err := n.begin(r.Session)
	if err != nil {
		return mediactl.Description{}, err
	}
	return p.Subscribe(ctx, r)
}

// Answer completes a Subscribe without offer.
func (n *Node) Answer(ctx context.Context, r mediactl.Answer) error {
	p, err := n.known(r.Session)
	if err != nil {
		return err
	}
	return p.Answer(ctx, r)
}

// Trickle notes a candidate of a client.
func (n *Node) Trickle(ctx context.Context, r mediactl.Trickle) error {
	p, err := n.known(r.Session)
	if err != nil {
		return err
	}
	return p.Trickle(ctx, r)
}

// Release ends an endpoint, or all of a session. What is unknown is released already.
func (n *Node) Release(ctx context.Context, r mediactl.Release) error {
	n.mu.Lock()
	p := n.pipelines[r.Session]
	if r.Endpoint == "" {
		delete(n.pipelines, r.Session)
	}
	n.mu.Unlock()
	switch {
	case p == nil:
		return nil
	case r.Endpoint == "":
		return p.ReleaseAll(ctx)
	}
	return p.Release(ctx, r.Endpoint)
}

// Stats describes the endpoints of a session; none for an unknown one.
func (n *Node) Stats(ctx context.Context, session string) ([]mediactl.EndpointStats, error) {
	p, err := n.known(session)
	if err != nil {
		return nil, nil
	}
	return p.Stats(ctx)
}

// Facts returns what is known of an endpoint that helps to say why its media does not flow, or with an empty endpoint of
// all of a session, by name; none for an unknown one. It fails only when ctx ends or the node does.
func (n *Node) Facts(ctx context.Context, session, endpoint string) ([]mediactl.Facts, error) {
	p, err := n.known(session)
	if err != nil {
		return nil, nil
	}
	return p.Facts(ctx, endpoint)
}

func (n *Node) begin(session string) (*pipeline.Pipeline, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pipelines[session]
	if p == nil {
		if len(n.pipelines) >= n.config.MaxSessions {
			return nil, fault.New(fault.NoCapacity, "this media node carries %d sessions, its limit; add a node", len(n.pipelines))
		}
		p = n.config.Pipeline(session)
		n.pipelines[session] = p
	}
	return p, nil
}

func (n *Node) known(session string) (*pipeline.Pipeline, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p := n.pipelines[session]; p != nil {
		return p, nil
	}
	return nil, fault.New(fault.SessionNotFound, "session %s has no media here", session)
}
