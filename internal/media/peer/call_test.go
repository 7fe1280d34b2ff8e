package peer_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"tertulia/internal/media"
	"tertulia/internal/media/peer"
	"tertulia/internal/media/socket"
	"tertulia/internal/testkit"
)

// node is a shard, or several.
type node interface {
	Open(context.Context, peer.EndpointConfig) (*peer.Endpoint, error)
	Counters(context.Context) (peer.Counters, error)
	ServeTCP(context.Context, net.Conn) error
	OpenRelay(netip.AddrPort, func(netip.AddrPort, []byte)) *peer.Relay
	Run(context.Context) error
}

// server is a node under test.
type server struct {
	node
	t    *testing.T
	stop context.CancelFunc
	done chan error

	mu     sync.Mutex
	events []peer.Event
	rates  []peer.Event // of them, those that tell of a frame rate
	moved  chan struct{}
}

// serve starts a shard on a socket; the test ends when its Run has.
func serve(t *testing.T, conn socket.Conn, addresses socket.Addresses) *server {
	t.Helper()
	config := configOf(t, addresses)
	config.Socket = conn
	return run(t, must[*peer.Shard](t)(peer.New(config)))
}

func configOf(t *testing.T, addresses socket.Addresses) peer.Config {
	return peer.Config{
		Addresses: func() socket.Addresses { return addresses }, TCP: true,
		Certificate: testkit.Certificate(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func run(t *testing.T, n node) *server {
	t.Helper()
	s := &server{node: n, t: t, done: make(chan error, 1), moved: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() { s.done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-s.done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	return s
}

// Open makes an endpoint whose events the server collects.
func (s *server) Open(ctx context.Context, config peer.EndpointConfig) (*peer.Endpoint, error) {
	config.Event = s.event
	return s.node.Open(ctx, config)
}

func (s *server) event(e peer.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.FrameRate > 0 {
		s.rates = append(s.rates, e)
	} else {
		s.events = append(s.events, e)
	}
	close(s.moved)
	s.moved = make(chan struct{})
}

// measured returns the frame rates that were told of an endpoint, the n-th (from 1) and earlier.
func (s *server) measured(ctx context.Context, e *peer.Endpoint, n int) (rates []int) {
	s.t.Helper()
	for {
		s.mu.Lock()
		rates = rates[:0]
		for _, event := range s.rates {
			if event.Endpoint == e {
				rates = append(rates, event.FrameRate)
			}
		}
		moved := s.moved
		s.mu.Unlock()
		if len(rates) >= n {
			return rates
		}
		select {
		case <-moved:
		case <-ctx.Done():
			s.t.Fatalf("frame rates %v of %s, want %d: %v", rates, e.Name(), n, ctx.Err())
		}
	}
}

// await returns the n-th event (from 1) of an endpoint; frame rates are counted apart.
func (s *server) await(ctx context.Context, e *peer.Endpoint, n int) peer.Event {
	s.t.Helper()
	for {
		s.mu.Lock()
		var own []peer.Event
		for _, event := range s.events {
			if event.Endpoint == e {
				own = append(own, event)
			}
		}
		moved := s.moved
		s.mu.Unlock()
		if len(own) >= n {
			return own[n-1]
		}
		select {
		case <-moved:
		case <-ctx.Done():
			s.t.Fatalf("waiting for event %d of %s: %v", n, e.Name(), ctx.Err())
		}
	}
}

var loopback = netip.MustParseAddr("127.0.0.1")

// onLoopback starts a shard on a real socket of the loopback interface.
func onLoopback(t *testing.T) (*server, context.Context) {
	t.Helper()
	noLeaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	conn, err := socket.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, conn, socket.Addresses{Loopback: []netip.Addr{loopback}}), ctx
}

// noLeaks fails the test if goroutines of ours are left when everything registered after it has been cleaned up.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { testkit.NoGoroutines(t, "media/peer.(", "pion/dtls") })
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// publish connects a client that publishes; its tracks are returned.
func (s *server) publish(ctx context.Context, name string, c *testkit.Client, o peer.PublishOptions) (*peer.Endpoint, []*media.Track) {
	s.t.Helper()
	e := must[*peer.Endpoint](s.t)(s.Open(ctx, peer.EndpointConfig{Name: name, Loopback: true}))
	d := must[peer.Description](s.t)(e.AcceptPublish(ctx, c.PublishOffer(testkit.VP8), o))
	c.Accept(d.SDP)
	return e, d.Tracks
}

// subscribe connects a client that offers to receive the tracks.
func (s *server) subscribe(ctx context.Context, name string, c *testkit.Client, tracks []*media.Track) *peer.Endpoint {
	s.t.Helper()
	e := must[*peer.Endpoint](s.t)(s.Open(ctx, peer.EndpointConfig{Name: name, Loopback: true}))
	d := must[peer.Description](s.t)(e.AcceptSubscribe(ctx, c.SubscribeOffer(), peer.SubscribeOptions{Tracks: tracks}))
	c.Accept(d.SDP)
	return e
}

func TestPictureAndSoundFlow(t *testing.T) {
	s, ctx := onLoopback(t)
	alice, bob, carol := testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{}), testkit.NewClient(t, testkit.ClientConfig{})
	publisher, tracks := s.publish(ctx, "alice", alice, peer.PublishOptions{})
	s.await(ctx, publisher, 1)
	alice.WaitConnected(ctx)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	alice.Publish(sending)

	s.subscribe(ctx, "bob_alice", bob, tracks)
	bob.WaitPackets(ctx, "video", 20)
	bob.WaitPackets(ctx, "audio", 5)
	if bob.Keyframes() == 0 {
		t.Error("bob got no key frame")
	}

	// The server may as well be the one that offers.
	e := must[*peer.Endpoint](t)(s.Open(ctx, peer.EndpointConfig{Name: "carol_alice", Loopback: true}))
	d := must[peer.Description](t)(e.OfferSubscribe(ctx, peer.SubscribeOptions{Tracks: tracks, Audio: true, Video: true}))
	if err := e.Answer(ctx, carol.Answer(d.SDP)); err != nil {
		t.Fatal(err)
	}
	carol.WaitPackets(ctx, "video", 20)
	carol.WaitPackets(ctx, "audio", 5)
}
