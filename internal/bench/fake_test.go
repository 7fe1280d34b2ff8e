package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	"tertulia/internal/bench/target"
)

// fakeServer forwards in memory: what a publisher plays reaches its viewers, less what does not fit. Its process is this one.
type fakeServer struct {
	name    string
	fits    int // viewers that lose nothing
	refuse  error
	broken  *fuse
	mu      sync.Mutex
	started bool
	cpus    []int
	viewers map[*fakeClient][]*fakeClient // by publisher
	here    int                           // participants
}

func (f *fakeServer) Name() string    { return f.name }
func (f *fakeServer) Version() string { return "0.0" }
func (f *fakeServer) PID() int        { return os.Getpid() }

func (f *fakeServer) Start(_ context.Context, cpus []int) error {
	f.cpus = cpus
	if f.refuse != nil {
		return f.refuse
	}
	f.started = true
	f.viewers = map[*fakeClient][]*fakeClient{}
	return nil
}

func (f *fakeServer) Stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.here != 0 {
		return fmt.Errorf("%d participants were left behind", f.here)
	}
	f.started = false
	return nil
}

func (f *fakeServer) Join(context.Context, string, string) (target.Participant, error) {
	if err := f.broken.burn(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.here++
	return &fakeParticipant{server: f}, nil
}

type fakeParticipant struct {
	server    *fakeServer
	publisher *fakeClient
}

func (p *fakeParticipant) Publish(_ context.Context, t target.Transport) error {
	if err := p.server.broken.burn(); err != nil {
		return err
	}
	p.publisher = t.(*fakeClient)
	return nil
}

func (p *fakeParticipant) Subscribe(_ context.Context, from target.Participant, t target.Transport) error {
	if err := p.server.broken.burn(); err != nil {
		return err
	}
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	publisher := from.(*fakeParticipant).publisher
	if publisher == nil {
		return errors.New("subscribed to nobody")
	}
	publisher.server = p.server
	p.server.viewers[publisher] = append(p.server.viewers[publisher], t.(*fakeClient))
	return nil
}

func (p *fakeParticipant) Leave() error {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.here--
	return nil
}

// fakeClient counts what it was given.
type fakeClient struct {
	server *fakeServer
	stuck  bool
	mu     sync.Mutex
	got    uint64
	closed bool
}

func (c *fakeClient) Offer() (string, error)        { return "offer", nil }
func (c *fakeClient) Accept(string) error           { return nil }
func (c *fakeClient) Answer(string) (string, error) { return "answer", nil }
func (c *fakeClient) Close() error                  { c.closed = true; return nil }

func (c *fakeClient) Connected(ctx context.Context) error {
	if c.stuck {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return nil
}

func (c *fakeClient) Delivered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got
}

// fakePlay sends a packet per millisecond to all viewers of each publisher; the last viewers go without when there are too many.
func fakePlay(publishers []client) player {
	return func(ctx context.Context, length time.Duration) (played, error) {
		if err := wait(ctx, length); err != nil {
			return played{}, err
		}
		packets := uint64(length.Milliseconds())
		served := 0
		for _, p := range publishers {
			if server := p.(*fakeClient).server; server != nil {
				if err := server.broken.burn(); err != nil {
					return played{}, err
				}
				break
			}
		}
		for _, p := range publishers {
			p := p.(*fakeClient)
			if p.server == nil {
				continue
			}
			for _, v := range p.server.viewers[p] {
				if served++; p.server.fits == 0 || served <= p.server.fits {
					v.mu.Lock()
					v.got += packets
					v.mu.Unlock()
				}
			}
		}
		return played{sent: packets * uint64(len(publishers)), lateP99: time.Microsecond}, nil
	}
}

// fakeLab has servers by name; a name that is not there does not start.
func fakeLab(servers ...*fakeServer) *lab {
	return &lab{
		errs: io.Discard,
		server: func(name string) (target.Server, error) {
			for _, s := range servers {
				if s.name == name {
					return s, nil
				}
			}
			return &fakeServer{name: name, refuse: errors.New("scripts/bench-peers installs it")}, nil
		},
		clients: func(string, netip.Addr) (clients, error) {
			return fakeClients(func() (client, error) { return &fakeClient{}, nil }), nil
		},
		score: func(shape string, kbps int, srtp string) (score, error) {
			return score{shape: shape, kbps: kbps, srtp: srtp, perFrame: 8, player: fakePlay}, nil
		},
		floor: func(_ context.Context, o Options, rooms, viewers int) (Traffic, error) {
			return Traffic{Server: floorName, Shape: o.Shape, SRTP: o.SRTP, Publishers: rooms, Viewers: rooms * viewers, Micros: 1, Sent: 1, Delivered: 1}, nil
		},
	}
}

func fakeHear(probes []client) func() Heard {
	return func() Heard {
		n := uint64(len(probes))
		return Heard{
			Video: Delays{n, 2 * time.Millisecond, 4 * time.Millisecond, 5 * time.Millisecond},
			Audio: Delays{n, time.Millisecond, 3 * time.Millisecond, 3 * time.Millisecond},
			Last:  Delays{n, 3 * time.Millisecond, 5 * time.Millisecond, 5 * time.Millisecond},
		}
	}
}

func fakeClients(one func() (client, error)) clients {
	run := func(ctx context.Context) error { <-ctx.Done(); return nil }
	return clients{run: run, publisher: one, viewer: one, probe: one, hear: fakeHear}
}

// fuse lets so many operations of a server succeed; the next fails. The nil fuse lets all.
type fuse struct {
	mu   sync.Mutex
	left int
}

var errBurnt = errors.New("burnt")

func (f *fuse) burn() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left == -1 {
		return errBurnt
	}
	return nil
}

func (f *fuse) burntOut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left < 0
}
