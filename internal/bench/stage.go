package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"tertulia/internal/bench/machine"
	"tertulia/internal/bench/target"
)

// client is one transport of the load generator (load.Client).
type client interface {
	target.Transport
	Connected(ctx context.Context) error
	Delivered() uint64 // packets of media that reached the socket
	Close() error
}

// stage is a running server with rooms of clients in it.
type stage struct {
	server  target.Server
	cpus    []int
	clients clients
	rooms   []*room
	probing []int // which members of each room are probes
}

// clients makes the transports of a stage.
type clients struct {
	run               func(ctx context.Context) error // drives them until ctx ends
	publisher, viewer func() (client, error)
	probe             func() (client, error) // a viewer that reads every packet
	// hear begins to listen; what it gives back says what the probes heard since.
	hear func(probes []client) func() Heard
}

// room is where members publish and get what the others publish.
type room struct {
	name    string
	members []*member
}

// member is a participant: its signalling, what it publishes, and one viewer for each publisher it watches.
type member struct {
	target.Participant
	publisher client // nil of those who only watch
	viewers   []client
}

// workers is how many participants or endpoints are on their way in at one time: enough to keep the server busy, so few that
// nothing waits long enough to be given up.
const workers = 16

// patience ends what should have happened long ago.
const patience = 30 * time.Second

// open starts the server on its CPUs.
func open(ctx context.Context, server target.Server, cpus []int) (*stage, error) {
	if err := server.Start(ctx, cpus); err != nil {
		return nil, fmt.Errorf("%s: %w", server.Name(), err)
	}
	return &stage{server: server, cpus: cpus}, nil
}

// close ends clients and server.
func (s *stage) close() error {
	s.leave()
	return s.server.Stop()
}

// leave ends the clients; the server runs on.
func (s *stage) leave() {
	for _, c := range s.all() {
		_ = c.Close()
	}
	for _, m := range s.members() {
		_ = m.Leave()
	}
	s.rooms = nil
}

// join brings the first rooms up to so many members each.
func (s *stage) join(ctx context.Context, rooms, members int) (took []time.Duration, err error) {
	for len(s.rooms) < rooms {
		s.rooms = append(s.rooms, &room{name: fmt.Sprintf("bench%d", len(s.rooms))})
	}
	var jobs []func(context.Context) error
	for _, r := range s.rooms[:rooms] {
		for i := len(r.members); i < members; i++ {
			m := &member{}
			name := fmt.Sprintf("p%d", i)
			r.members = append(r.members, m)
			jobs = append(jobs, func(ctx context.Context) (err error) {
				m.Participant, err = s.server.Join(ctx, r.name, name)
				return err
			})
		}
	}
	return each(ctx, "join", jobs)
}

// publish makes the first n members of every room send, those that do not yet.
func (s *stage) publish(ctx context.Context, n int) ([]time.Duration, error) {
	var jobs []func(context.Context) error
	for _, r := range s.rooms {
		for _, m := range r.members[:min(n, len(r.members))] {
			if m.publisher != nil {
				continue
			}
			jobs = append(jobs, func(ctx context.Context) (err error) {
				if m.publisher, err = s.clients.publisher(); err != nil {
					return err
				}
				if err = m.Publish(ctx, m.publisher); err != nil {
					return err
				}
				return m.publisher.Connected(ctx)
			})
		}
	}
	return each(ctx, "publish", jobs)
}

// watch makes every member get what every other publishes, as far as it does not yet.
func (s *stage) watch(ctx context.Context) ([]time.Duration, error) {
	var jobs []func(context.Context) error
	for _, r := range s.rooms {
		for i, m := range r.members {
			if len(m.viewers) > 0 {
				continue
			}
			one := s.clients.viewer
			if slices.Contains(s.probing, i) {
				one = s.clients.probe
			}
			for _, from := range r.members {
				if from == m || from.publisher == nil {
					continue
				}
				c, err := one()
				if err != nil {
					return nil, err
				}
				m.viewers = append(m.viewers, c)
				jobs = append(jobs, func(ctx context.Context) error {
					if err := m.Subscribe(ctx, from.Participant, c); err != nil {
						return err
					}
					return c.Connected(ctx)
				})
			}
		}
	}
	return each(ctx, "subscribe", jobs)
}

// fill is join, publish and watch: rooms of so many members, of whom the first so many publish.
func (s *stage) fill(ctx context.Context, rooms, members, publishers int) error {
	if _, err := s.join(ctx, rooms, members); err != nil {
		return err
	}
	if _, err := s.publish(ctx, publishers); err != nil {
		return err
	}
	_, err := s.watch(ctx)
	return err
}

func (s *stage) members() []*member {
	var all []*member
	for _, r := range s.rooms {
		for _, m := range r.members {
			if m.Participant != nil {
				all = append(all, m)
			}
		}
	}
	return all
}

func (s *stage) publishers() []client {
	var all []client
	for _, m := range s.members() {
		if m.publisher != nil {
			all = append(all, m.publisher)
		}
	}
	return all
}

func (s *stage) viewers() []client {
	var all []client
	for _, m := range s.members() {
		all = append(all, m.viewers...)
	}
	return all
}

func (s *stage) probes() []client {
	var all []client
	for _, r := range s.rooms {
		for _, i := range s.probing {
			all = append(all, r.members[i].viewers...)
		}
	}
	return all
}

func (s *stage) all() []client { return slices.Concat(s.publishers(), s.viewers()) }

func (s *stage) delivered() uint64 {
	var sum uint64
	for _, c := range s.viewers() {
		sum += c.Delivered()
	}
	return sum
}

// clocks are what was spent up to a moment.
type clocks struct {
	server, generator machine.Spent
	busy              time.Duration // of the server's CPUs, by whomever but us
}

func (s *stage) clocks() (now clocks, err error) {
	var errs [4]error
	now.server, errs[0] = machine.SpentBy(s.server.PID())
	now.generator, errs[1] = machine.SpentBy(os.Getpid())
	now.busy, errs[2] = machine.Busy(s.cpus)
	own, err := machine.CPUs()
	if slices.ContainsFunc(own, func(cpu int) bool { return slices.Contains(s.cpus, cpu) }) {
		now.busy -= now.generator.Total
	}
	errs[3] = err
	return now, errors.Join(errs[:]...)
}

func (c clocks) sub(earlier clocks) clocks {
	return clocks{c.server.Sub(earlier.server), c.generator.Sub(earlier.generator), c.busy - earlier.busy}
}

// each runs jobs side by side and says how long each took. The first error ends them all.
func each(ctx context.Context, what string, jobs []func(context.Context) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([]time.Duration, len(jobs))
	next := make(chan int)
	var running sync.WaitGroup
	for range min(workers, len(jobs)) {
		running.Go(func() {
			for i := range next {
				began := time.Now()
				own, end := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer in %s", patience))
				err := jobs[i](own)
				if err != nil {
					cancel(fmt.Errorf("%s %d of %d: %w", what, i+1, len(jobs), err))
				}
				end()
				took[i] = time.Since(began)
			}
		})
	}
	for i := range jobs {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	running.Wait()
	return took, context.Cause(ctx)
}
