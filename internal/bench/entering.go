package bench

import (
	"context"
	"math"
	"time"
)

// gathering is who comes to a server: ours is asked for the room of 50 cameras, the peers for what they all do, one to many.
func (o *Options) gathering(idle time.Duration) gathering {
	g := audience(o.Endpoints)
	if o.Server == ours {
		g = cameras(o.Endpoints)
	}
	g.participants, g.idle = o.Participants, idle
	return g
}

func (l *lab) gather(ctx context.Context, o Options, idle time.Duration) (c Crowd, err error) {
	err = l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error {
		l.say("%s: %d participants, then %d endpoints", o.Server, o.Participants, o.Endpoints)
		c, err = s.crowd(ctx, o.gathering(idle), o.SRTP)
		return err
	})
	return c, err
}

// Coming is the part of a crowd that `bench join` tells.
type Coming struct{ Crowd }

// Staying is the part of a crowd that `bench idle` tells.
type Staying struct{ Crowd }

func runJoin(ctx context.Context, l *lab, o Options) (outcome, error) {
	c, err := l.gather(ctx, o, 0)
	return Coming{c}, err
}

func runIdle(ctx context.Context, l *lab, o Options) (outcome, error) {
	c, err := l.gather(ctx, o, o.window())
	return Staying{c}, err
}

func (c Coming) write(p *page) {
	p.line("%s on %s, %s", c.Server, cpus(c.CPUs), c.SRTP)
	c.Join.write(p, "participants (TLS websocket and join)")
	c.Setup.write(p, "endpoints (signalling, ICE, DTLS)")
}

func (e Entry) write(p *page, who string) {
	p.line("  %d %s in %s, %s per second", e.Count, who, e.Took.Round(10*time.Millisecond), number(math.Round(float64(e.Count)/e.Took.Seconds())))
	p.line("    server CPU for each  %s ms", number(millis(e.each())))
	p.line("    in after             %s ms (p50), %s ms (p99), %d at a time", number(millis(e.P50)), number(millis(e.P99)), workers)
}

func (c Staying) write(p *page) {
	p.line("%s on %s, %s", c.Server, cpus(c.CPUs), c.SRTP)
	p.line("  empty process         %s MB", number(float64(c.Empty)/1e6))
	p.line("  each participant      %s KiB with its TLS websocket (%d joined)", number(c.ParticipantRSS/1024), c.Participants)
	p.line("  each endpoint         %s KiB (%d connected)", number(c.EndpointRSS/1024), c.Endpoints)
	p.line("  each idle endpoint    %s µs of CPU per second", number(c.Idle))
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
