package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"tertulia/internal/bench/load"
	"tertulia/internal/bench/target"
)

const (
	flowWithin  = 5 * time.Second // how long a stream may take until its first packet
	flowsWithin = 3 * time.Second // how long it may be silent and still count as arriving
)

// bot is a participant made of software.
type bot struct {
	target.Follower
	name      string
	publisher *load.Client // nil of those that only watch

	mu       sync.Mutex
	viewers  map[string]*viewer // by stream
	problems error
}

// viewer is what a bot receives of a stream.
type viewer struct {
	*load.Client
	since, rose time.Time
	packets     uint64
}

// joinSession adds bots to a session of a running server until ctx ends, or their time is over.
func joinSession(ctx context.Context, args []string, out, errs io.Writer) error {
	j, err := parseJoining(args, errs)
	if err != nil {
		return err
	}
	server, err := target.At(j.url, j.secret, j.wild)
	if err != nil {
		return fmt.Errorf("bench join: %w", err)
	}
	loop, err := load.NewLoop()
	if err != nil {
		return err
	}
	driving, stop := context.WithCancel(context.Background()) // longer than ctx: they say goodbye
	var running sync.WaitGroup
	running.Go(func() { _ = loop.Run(driving) })
	defer running.Wait()
	defer stop()
	if j.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, j.length)
		defer cancel()
	}
	b := &bots{joining: j, server: server, config: load.Config{Loop: loop, Local: server.Local(), Probe: true}, out: out}
	if err := b.run(ctx); err != nil {
		return fmt.Errorf("bench join: %w", err)
	}
	return nil
}

// bots are all of one session.
type bots struct {
	joining
	server *target.Remote
	config load.Config
	out    io.Writer
	all    []*bot
}

func (b *bots) run(ctx context.Context) (err error) {
	defer b.leave()
	for i := range b.bots {
		b.all = append(b.all, &bot{name: fmt.Sprintf("bot %d", i+1), viewers: map[string]*viewer{}})
	}
	if err := b.enter(ctx); err != nil {
		return over(ctx, err)
	}
	clip, err := load.LoadClip()
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer stop()
	if !b.watchOnly {
		player := &load.Player{Shape: clip}
		for _, one := range b.all {
			player.Publishers = append(player.Publishers, one.publisher)
		}
		tasks.Go(func() { _, _ = player.Play(working, 365*24*time.Hour) }) // all are connected, so it can play
	}
	if !b.publishOnly {
		for _, one := range b.all {
			tasks.Go(func() { one.follow(working, b.config) })
		}
	}
	return b.watch(ctx)
}

// over is nil where an error only says that the time is over.
func over(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// enter brings all in and makes them publish, many at a time.
func (b *bots) enter(ctx context.Context) error {
	var jobs []func(context.Context) error
	for _, one := range b.all {
		jobs = append(jobs, func(ctx context.Context) (err error) {
			if one.Follower, err = b.server.Join(ctx, b.session, one.name); err != nil || b.watchOnly {
				return err
			}
			if one.publisher, err = load.NewPublisher(b.config); err != nil {
				return err
			}
			if err = one.Publish(ctx, one.publisher); err != nil {
				return err
			}
			return one.publisher.Connected(ctx)
		})
	}
	_, err := each(ctx, "bot", jobs)
	return err
}

// follow receives what others publish, as long as they do.
func (b *bot) follow(ctx context.Context, config load.Config) {
	known := map[string]target.Stream{}
	for {
		now, err := b.Changed(ctx, known)
		if err != nil {
			b.fail(over(ctx, err))
			return
		}
		b.drop(now)
		for id, s := range now {
			if _, old := known[id]; !old {
				b.fail(over(ctx, b.receive(ctx, s, config)))
			}
		}
		known = now
	}
}

// drop closes the viewers of streams that are over.
func (b *bot) drop(now map[string]target.Stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, v := range maps.Clone(b.viewers) {
		if _, there := now[id]; !there {
			_ = v.Close()
			delete(b.viewers, id)
		}
	}
}

func (b *bot) receive(ctx context.Context, s target.Stream, config load.Config) error {
	c, err := load.NewViewer(config)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.viewers[s.ID] = &viewer{Client: c, since: time.Now()}
	b.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer in %s", patience))
	defer cancel()
	if err := b.Receive(ctx, s, c); err != nil {
		return fmt.Errorf("stream %s: %w", s.ID, err)
	}
	return nil
}

func (b *bot) fail(err error) {
	if err == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = errors.Join(b.problems, fmt.Errorf("%s: %w", b.name, err))
}

// tally is what the bots receive at a moment.
type tally struct {
	streams, flowing int // of them, those that bring something
	late             int // nothing, and they are old enough
	packets          uint64
	problems         error
}

func (b *bots) count() (t tally) {
	for _, one := range b.all {
		one.mu.Lock()
		t.problems = errors.Join(t.problems, one.problems)
		for _, v := range one.viewers {
			n := v.Delivered()
			t.streams++
			t.packets += n
			if n > v.packets {
				v.packets, v.rose = n, time.Now()
			}
			switch {
			case time.Since(v.rose) < flowsWithin:
				t.flowing++
			case n == 0 && time.Since(v.since) > flowWithin:
				t.late++
			}
		}
		one.mu.Unlock()
	}
	return t
}

// watch reports every second until ctx ends, and judges then.
func (b *bots) watch(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	began, before, said := time.Now(), uint64(0), ""
	for {
		select {
		case <-ctx.Done():
			return b.verdict(b.count(), time.Since(began))
		case <-second.C:
		}
		t := b.count()
		rate := max(t.packets, before) - before
		before = t.packets
		if _, err := fmt.Fprintf(b.out, "%4.0f s  %d bots  %d of %d streams arrive  %d packets/s\n", time.Since(began).Seconds(), len(b.all), t.flowing, t.streams, rate); err != nil {
			return err
		}
		if t.problems != nil && t.problems.Error() != said {
			said = t.problems.Error()
			fmt.Fprintln(b.out, said)
		}
	}
}

// verdict says why the bots did not get what they came for.
func (b *bots) verdict(t tally, took time.Duration) error {
	switch {
	case t.problems != nil:
		return t.problems
	case t.late > 0:
		return fmt.Errorf("%d of %d streams brought nothing in %v: is UDP to the server open?", t.late, t.streams, flowWithin)
	case !b.publishOnly && !b.watchOnly && b.bots > 1 && t.streams == 0 && took > flowWithin:
		return errors.New("the bots were told of no stream to receive")
	}
	return nil
}

// leave takes the bots out of the session.
func (b *bots) leave() {
	var leaving sync.WaitGroup
	for _, one := range b.all {
		leaving.Go(func() {
			one.drop(nil)
			if one.publisher != nil {
				_ = one.publisher.Close()
			}
			if one.Joined() {
				_ = one.Leave() // the server may be gone
			}
		})
	}
	leaving.Wait()
}
