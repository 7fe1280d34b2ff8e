package pipeline

import (
	"cmp"
	"context"
	"net/netip"
	"sync"
	"time"

	"tertulia/internal/fault"
	"tertulia/internal/media"
	"tertulia/internal/media/peer"
	"tertulia/internal/wire/mediactl"
)

// releaseWithin bounds the goodbye to a transport whose request has ended.
const releaseWithin = 5 * time.Second

// Endpoint is an element of the graph: a WebRTC transport and what it publishes.
type Endpoint struct {
	transport *peer.Endpoint
	tracks    []*media.Track // published; empty for a subscription
	source    string         // of a subscription: the publishing endpoint
	video     bool           // a subscription: video is sent
	policy    mediactl.Policy
	limit     int // what a publisher was told that it may send, in kbit/s; 0: nothing. Pipeline.mu guards it
}

// Opener makes transports: a peer.Group spreads those of a large session, a peer.Shard has them all.
type Opener interface {
	Open(ctx context.Context, config peer.EndpointConfig) (*peer.Endpoint, error)
}

// Pipeline is one session's graph. Its methods may be called from any goroutine; calls for one endpoint name come one
// after the other (session's lanes see to it).
type Pipeline struct {
	session    string
	transports Opener
	event      func(mediactl.Event)

	allowing  sync.Mutex // held while a publisher is told what it may send; taken before mu
	mu        sync.Mutex
	endpoints map[string]*Endpoint
	released  bool
}

// New makes an empty graph of the transports that it opens. event is told of their changes by the goroutines of
// their shards: it must not block.
func New(session string, transports Opener, event func(mediactl.Event)) *Pipeline {
	return &Pipeline{session: session, transports: transports, event: event, endpoints: map[string]*Endpoint{}}
}

// Publish answers a client that offers its media. With Reconnect the tracks of the endpoint it replaces are fed anew
// and their subscribers go on.
func (p *Pipeline) Publish(ctx context.Context, r mediactl.Publish) (mediactl.Description, error) {
	options := peer.PublishOptions{
		Video: r.Policy.Video, Strict: r.Policy.Strict, Loopback: r.Loopback, MaxKbps: r.Policy.MaxRecvKbps,
	}
	if old := p.endpoint(r.Endpoint); old != nil && r.Reconnect {
		options.Tracks = old.tracks
	}
	transport, err := p.open(ctx, r.Endpoint, r.Peer, options.Tracks)
	if err != nil {
		return mediactl.Description{}, err
	}
	d, err := transport.AcceptPublish(ctx, r.Offer, options)
	e := &Endpoint{transport: transport, tracks: d.Tracks, policy: r.Policy, limit: r.Policy.MaxRecvKbps}
	return p.settle(ctx, r.Endpoint, e, d, err)
}

// Subscribe connects the tracks of the publishing endpoint Source to a new transport. Without an offer of the client
// it makes one, and Answer completes it.
func (p *Pipeline) Subscribe(ctx context.Context, r mediactl.Subscribe) (mediactl.Description, error) {
	source := p.endpoint(r.Source)
	if source == nil || len(source.tracks) == 0 {
		return mediactl.Description{}, fault.New(fault.StreamNotFound, "endpoint %s publishes nothing", r.Source)
	}
	transport, err := p.open(ctx, r.Endpoint, r.Peer, nil)
	if err != nil {
		return mediactl.Description{}, err
	}
	options := peer.SubscribeOptions{Tracks: source.tracks, Audio: r.Audio, Video: r.Video, Strict: r.Policy.Strict}
	var d peer.Description
	if r.Offer == "" {
		d, err = transport.OfferSubscribe(ctx, options)
	} else {
		d, err = transport.AcceptSubscribe(ctx, r.Offer, options)
	}
	e := &Endpoint{transport: transport, source: r.Source, video: d.Video != "", policy: r.Policy}
	return p.settle(ctx, r.Endpoint, e, d, err)
}

// Answer takes the client's answer to an offer of ours.
func (p *Pipeline) Answer(ctx context.Context, r mediactl.Answer) error {
	e, err := p.known(r.Endpoint)
	if err != nil {
		return err
	}
	return e.transport.Answer(ctx, r.SDP)
}

// Trickle notes a candidate of the client.
func (p *Pipeline) Trickle(ctx context.Context, r mediactl.Trickle) error {
	e, err := p.known(r.Endpoint)
	if err != nil {
		return err
	}
	return e.transport.Signalled(ctx, r.Candidate.Candidate)
}

// Release ends one endpoint; an unknown one is released already.
func (p *Pipeline) Release(ctx context.Context, name string) error {
	p.mu.Lock()
	e := p.endpoints[name]
	delete(p.endpoints, name)
	p.mu.Unlock()
	if e == nil {
		return nil
	}
	if e.source != "" {
		p.allow(ctx, e.source)
	}
	return e.transport.Close(ctx)
}

// ReleaseAll ends the graph; what is being negotiated meanwhile fails.
func (p *Pipeline) ReleaseAll(ctx context.Context) error {
	p.mu.Lock()
	endpoints := p.endpoints
	p.endpoints, p.released = map[string]*Endpoint{}, true
	p.mu.Unlock()
	var first error
	for _, e := range endpoints {
		if err := e.transport.Close(ctx); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (p *Pipeline) open(ctx context.Context, name string, client mediactl.Peer, tracks []*media.Track) (*peer.Endpoint, error) {
	reached, _ := netip.ParseAddrPort(client.Reached) // the zero one is none
	return p.transports.Open(ctx, peer.EndpointConfig{
		Name: name, Loopback: client.Loopback, Reached: reached, Tracks: tracks,
		Event: func(e peer.Event) {
			p.event(mediactl.Event{
				Session: p.session, Endpoint: name, Type: eventType(e), Reason: e.Reason, Candidates: candidates(e.Candidates), FrameRate: e.FrameRate,
			})
		},
	})
}

func eventType(e peer.Event) mediactl.EventType {
	switch {
	case len(e.Candidates) > 0:
		return mediactl.Again
	case e.FrameRate > 0:
		return mediactl.Measured
	case e.State == peer.Connected:
		return mediactl.Connected
	}
	return mediactl.Failed
}

// settle puts a negotiated endpoint into the graph in place of its predecessor, or drops it.
func (p *Pipeline) settle(ctx context.Context, name string, e *Endpoint, d peer.Description, err error) (mediactl.Description, error) {
	p.mu.Lock()
	if err == nil && p.released {
		err = fault.New(fault.SessionClosed, "session %s is released", p.session)
	}
	leaving := e
	if err == nil {
		leaving, p.endpoints[name] = p.endpoints[name], e
	}
	p.mu.Unlock()
	if leaving != nil {
		leaving.leave()
	}
	if err != nil {
		return mediactl.Description{}, err
	}
	p.allow(ctx, cmp.Or(e.source, name))
	return describe(d), nil
}

// leave ends a transport. The request's context may have ended: that is one of the reasons to be here.
func (e *Endpoint) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
	defer cancel()
	_ = e.transport.Close(ctx) // fails only when the shard has ended, and the transport with it
}

func describe(d peer.Description) mediactl.Description {
	return mediactl.Description{SDP: d.SDP, Audio: d.Audio, Video: d.Video, Candidates: candidates(d.Candidates)}
}

func candidates(list []peer.Candidate) (out []mediactl.Candidate) {
	for _, c := range list {
		out = append(out, mediactl.Candidate{Candidate: c.Candidate, SDPMid: c.MID, SDPMLineIndex: c.Line})
	}
	return out
}

func (p *Pipeline) endpoint(name string) *Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.endpoints[name]
}

func (p *Pipeline) known(name string) (*Endpoint, error) {
	if e := p.endpoint(name); e != nil {
		return e, nil
	}
	return nil, fault.New(fault.StreamNotFound, "session %s has no endpoint %s", p.session, name)
}
