package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tertulia/internal/bench/target"
)

// forwarding is a server with clients to forward between.
type forwarding struct {
	server string
	cpus   []int
	srtp   string
}

func (o *Options) forwarding() forwarding { return forwarding{o.Server, o.CPUs, o.SRTP} }

func (o *Options) window() time.Duration { return time.Duration(o.Seconds) * time.Second }

// on does something on a fresh server, with clients that are driven meanwhile, and ends both.
func (l *lab) on(ctx context.Context, f forwarding, what func(context.Context, *stage) error) error {
	server, err := l.server(f.server)
	if err != nil {
		return err
	}
	s, err := open(ctx, server, f.cpus)
	if err != nil {
		return err
	}
	if s.clients, err = l.clients(f.srtp, target.ClientAddress(server)); err != nil {
		return errors.Join(err, s.close())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var driving sync.WaitGroup
	driving.Go(func() {
		if err := s.clients.run(ctx); err != nil {
			cancel(fmt.Errorf("the clients: %w", err))
		}
	})
	defer func() {
		cancel(nil)
		driving.Wait()
	}()
	return errors.Join(what(ctx, s), s.close())
}

func runForward(ctx context.Context, l *lab, o Options) (outcome, error) {
	if o.FindCapacity {
		return l.findCapacity(ctx, o)
	}
	return l.flow(ctx, o, 1, 1+o.Viewers)
}

func runRooms(ctx context.Context, l *lab, o Options) (outcome, error) {
	return l.flow(ctx, o, o.Rooms, 1+o.Size)
}

// flow measures rooms of which the first member publishes.
func (l *lab) flow(ctx context.Context, o Options, rooms, members int) (t Traffic, err error) {
	what, err := l.score(o.Shape, o.Kbps, o.SRTP)
	if err != nil {
		return t, err
	}
	err = l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error {
		l.say("%s: %d peer connections", o.Server, rooms*members)
		if err := s.fill(ctx, rooms, members, 1); err != nil {
			return err
		}
		l.say("%s: %s for %s", o.Server, what.shape, o.window())
		t, err = s.measure(ctx, what, o.window())
		return err
	})
	return t, err
}

// Room is what was found about one to many: how many fit, and that far fewer lose nothing.
type Room struct {
	Climb
	At60 Traffic `json:"at_60_percent"`
}

func (r Room) write(p *page) {
	r.Climb.write(p)
	p.line("at 60 %% of that:")
	r.At60.write(p)
}

// findCapacity adds rooms of one publisher and so many viewers until packets are lost, then measures 60 % of that on a fresh
// server. Not one room: whoever joins is announced to all, so a room of 2,000 keeps signalling busy for minutes.
func (l *lab) findCapacity(ctx context.Context, o Options) (r Room, err error) {
	what, err := l.score(o.Shape, o.Kbps, o.SRTP)
	if err != nil {
		return r, err
	}
	// The windows of the search are short: what it finds is looked at again below it.
	length := min(o.window(), 2*time.Second)
	err = l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error {
		r.Climb, err = climb(ctx, capacitySteps(o.Viewers), func(ctx context.Context, viewers int) (Traffic, error) {
			if err := s.fill(ctx, viewers/o.Viewers, 1+o.Viewers, 1); err != nil {
				return Traffic{}, err
			}
			t, err := s.measure(ctx, what, length)
			l.say("%s: %d viewers, %s µs per packet, loss %s %%", o.Server, viewers, number(t.Micros), number(100*t.Loss))
			return t, err
		})
		return err
	})
	if err != nil || r.Most == 0 {
		return r, err
	}
	rooms := (6*r.Most/o.Viewers + 9) / 10 // whole rooms, at least 60 %
	r.At60, err = l.flow(ctx, o, rooms, 1+o.Viewers)
	return r, err
}

// capacitySteps count viewers: of one room first, then of more. With 200 in a room, 200 and 1,000 are among them, which the
// budgets name.
func capacitySteps(viewers int) []int {
	var steps []int
	for _, rooms := range []int{1, 5, 7, 8, 9, 10, 12, 14, 17, 20, 24} {
		if rooms*(1+viewers) <= mostEndpoints {
			steps = append(steps, rooms*viewers)
		}
	}
	return steps
}

func (t Traffic) point(run int) Point { return Point{t.Server, run, t.Viewers, t.Micros, t.Loss} }

// search is how the promises are looked for: rooms of members who all publish, more and more of them.
func (l *lab) search(ctx context.Context, o Options, members int, steps []int) (c Climb, err error) {
	what, err := l.score("tiles", 400, o.SRTP)
	if err != nil {
		return c, err
	}
	err = l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error {
		c, err = climb(ctx, steps, func(ctx context.Context, rooms int) (Traffic, error) {
			if err := s.fill(ctx, rooms, members, members); err != nil {
				return Traffic{}, err
			}
			t, err := s.measure(ctx, what, o.window())
			l.say("%s: %d rooms of %d, server %s %% of a core, loss %s %%", o.Server, rooms, members, number(100*t.Share), number(100*t.Loss))
			return t, err
		})
		return err
	})
	return c, err
}

func runPromises(ctx context.Context, l *lab, o Options) (outcome, error) {
	all, err := l.promises(ctx, o)
	if err != nil {
		return all, err
	}
	o.Shape, o.Kbps = "burst", 2000
	many, err := l.findCapacity(ctx, o)
	all.Viewers = many.Capacity
	return all, err
}

// promises finds what FAQ-10a counts, but for one to many.
func (l *lab) promises(ctx context.Context, o Options) (p Promises, err error) {
	pairs, err := l.search(ctx, o, 2, stairs(50, 1000, 1.5))
	if err != nil {
		return p, err
	}
	p.Pairs = Capacity{2 * pairs.Most, pairs.Why}
	fours, err := l.search(ctx, o, 4, stairs(25, 300, 1.5))
	p.Fours = fours.Capacity
	return p, err
}
