package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tertulia/internal/bench/machine"
)

// plan is how long `bench all` looks at what.
type plan struct {
	runs                    int
	window                  time.Duration // of media
	idle                    time.Duration
	participants, endpoints int           // of ours
	audience                int           // endpoints of the peers, who take several times as long for each
	once                    bool          // what one run is enough for: the promises, one large room
	most                    time.Duration // all of it ends then, and the report tells what is missing
}

func (o *Options) plan() plan {
	if o.Quick {
		return plan{runs: 1, window: 2 * time.Second, idle: 3 * time.Second, participants: 100, endpoints: 400, audience: 50, most: 6 * time.Minute}
	}
	return plan{runs: o.Runs, window: 3 * time.Second, idle: 4 * time.Second, participants: 500, endpoints: 2500, audience: 100, once: true, most: 45 * time.Minute}
}

// sweep is `bench all` under way.
type sweep struct {
	l       *lab
	o       Options
	plan    plan
	results Results
}

// step is one measurement of one server; what it finds goes into the results.
type step struct {
	name string
	do   func(ctx context.Context, w *sweep, run int, o Options) error
}

// The steps of each server. A figure of ours may need what an earlier step of the same run found, so ours keep their order.
var (
	floorSteps = []step{{"forwarding", floorOf}}
	peerSteps  = []step{{"forwarding", forwardingOf}, {"AES-CM", cipherOf}, {"rooms", roomsOf}, {"crowd", crowdOf}}
	ourSteps   = append(peerSteps[:len(peerSteps):len(peerSteps)], step{"two cores", twoCoresOf}, step{"latency", latencyOf}, step{"capacity", capacityOf}, step{"one large room", largeOf})
)

func runAll(ctx context.Context, l *lab, o Options) (outcome, error) {
	p := o.plan()
	ctx, cancel := context.WithTimeoutCause(ctx, p.most, fmt.Errorf("the time for all of it, %s, was over", p.most))
	defer cancel()
	began := time.Now()
	w := &sweep{l: l, o: o, plan: p, results: Results{Date: began, Quick: o.Quick, Machine: machine.This()}}
	present := w.present(ctx)
	for run := range p.runs {
		for i := range present {
			name := present[(run+i)%len(present)] // the first to run has the coolest machine: each in turn
			w.take(ctx, run, name)
		}
		if ctx.Err() == nil {
			w.results.Runs = run + 1
		}
		l.say("run %d of %d ended after %s", run+1, p.runs, time.Since(began).Round(time.Second))
	}
	w.ratios()
	if p.once && ctx.Err() == nil {
		w.promise(ctx)
	}
	w.results.Took = time.Since(began)
	if o.Into != "" {
		if err := w.results.save(o.Into); err != nil {
			return nil, err
		}
	}
	return &w.results, nil
}

func (r *Results) write(p *page) { _ = writeReport(p, r) } // a page does not fail

// present finds out which servers start here, and their versions.
func (w *sweep) present(ctx context.Context) []string {
	names := []string{floorName}
	for _, name := range serverNames {
		c := Competitor{Name: name}
		o := w.o
		o.Server = name
		err := w.l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error {
			c.Version = s.server.Version()
			return nil
		})
		if err != nil {
			c.Absent = err.Error()
			w.l.say("%s: %v", name, err)
		} else {
			names = append(names, name)
		}
		w.results.Servers = append(w.results.Servers, c)
	}
	return names
}

// take does the steps of one server in one run. What fails is missing from the results, and they say so.
func (w *sweep) take(ctx context.Context, run int, name string) {
	steps := peerSteps
	switch name {
	case floorName:
		steps = floorSteps
	case ours:
		steps = ourSteps
	}
	o := w.o
	o.Server = name
	for _, s := range steps {
		if ctx.Err() != nil {
			w.trouble(run, name, s.name, context.Cause(ctx))
			return
		}
		w.l.say("run %d, %s: %s", run+1, name, s.name)
		if err := s.do(ctx, w, run, o); err != nil {
			w.trouble(run, name, s.name, err)
		}
	}
}

func (w *sweep) trouble(run int, name, step string, err error) {
	text := fmt.Sprintf("run %d, %s, %s: %v", run+1, name, step, err)
	w.l.say("%s", text)
	w.results.Troubles = append(w.results.Troubles, text)
}

// tell files a window under its figure, with what is worth knowing beside it. A window that lost packets is told too: its cost is
// that of the packets which arrived.
func (w *sweep) tell(run int, figure Figure, t Traffic) {
	w.results.add(run, t.Server, figure, t.Micros)
	w.results.add(run, t.Server, figure+", packets per second and core", t.PerSec)
	w.results.add(run, t.Server, figure+", µs user", t.User)
	w.results.add(run, t.Server, figure+", µs system", t.System)
	w.results.add(run, t.Server, lossOf(figure), 100*t.Loss)
	w.results.add(run, t.Server, figure+", generator % of a core", 100*t.Generator)
	w.results.add(run, t.Server, othersOf(figure), 100*t.Others)
}

// forwardingOf measures the two shapes with the same clients: what differs is the shape.
func forwardingOf(ctx context.Context, w *sweep, run int, o Options) error {
	return w.l.on(ctx, o.forwarding(), func(ctx context.Context, s *stage) error {
		if err := s.fill(ctx, 1, 1+o.Viewers, 1); err != nil {
			return err
		}
		for _, shape := range []string{"burst", "even"} {
			what, err := w.l.score(shape, o.Kbps, o.SRTP)
			if err != nil {
				return err
			}
			t, err := s.measure(ctx, what, w.plan.window)
			if err != nil {
				return err
			}
			w.tell(run, Figure("forward-"+shape+"-gcm"), t)
			if shape == "burst" {
				w.results.Curve = append(w.results.Curve, t.point(run))
			}
		}
		return nil
	})
}

func cipherOf(ctx context.Context, w *sweep, run int, o Options) error {
	o.SRTP, o.Seconds = "cm", int(w.plan.window.Seconds())
	t, err := w.l.flow(ctx, o, 1, 1+o.Viewers)
	if err == nil {
		w.tell(run, "forward-burst-cm", t)
	}
	return err
}

func roomsOf(ctx context.Context, w *sweep, run int, o Options) error {
	o.Shape, o.Kbps, o.Seconds = "tiles", 400, int(w.plan.window.Seconds())
	t, err := w.l.flow(ctx, o, o.Rooms, 1+o.Size)
	if err == nil {
		w.tell(run, "rooms-tiles-gcm", t)
	}
	return err
}

func crowdOf(ctx context.Context, w *sweep, run int, o Options) error {
	o.Participants, o.Endpoints = w.plan.participants, w.plan.endpoints
	if o.Server != ours {
		o.Participants, o.Endpoints = w.plan.audience, w.plan.audience
	}
	c, err := w.l.gather(ctx, o, w.plan.idle)
	if err != nil {
		return err
	}
	add := func(figure Figure, value float64) { w.results.add(run, c.Server, figure, value) }
	add("rss-empty", float64(c.Empty)/1e6)
	add("rss-participant", c.ParticipantRSS/1024)
	add("rss-endpoint", c.EndpointRSS/1024)
	add("cpu-participant", millis(c.Join.each()))
	add("cpu-endpoint", millis(c.Setup.each()))
	add("idle-endpoint", c.Idle)
	add("join of a participant, ms p50", millis(c.Join.P50))
	add("join of a participant, ms p99", millis(c.Join.P99))
	add("set-up of an endpoint, ms p50", millis(c.Setup.P50))
	add("set-up of an endpoint, ms p99", millis(c.Setup.P99))
	add("endpoints set up per second", float64(c.Setup.Count)/c.Setup.Took.Seconds())
	if c.Endpoints == 2500 {
		add("join-2500", c.Setup.Took.Seconds())
	}
	return nil
}

// twoCoresOf gives the server two CPUs. On a machine that has no more, the generator is on one of them too.
func twoCoresOf(ctx context.Context, w *sweep, run int, o Options) error {
	if len(o.usable) < 2 {
		return errors.New("there is one CPU only")
	}
	o.CPUs, o.Seconds = o.usable[:2], int(w.plan.window.Seconds())
	t, err := w.l.flow(ctx, o, 1, 1+o.Viewers)
	if err == nil {
		w.results.add(run, ours, "forward-burst-gcm on two cores", t.Micros)
	}
	return err
}

func capacityOf(ctx context.Context, w *sweep, run int, o Options) error {
	o.Seconds = int(w.plan.window.Seconds())
	found, err := w.l.findCapacity(ctx, o)
	for _, t := range found.Steps {
		w.results.Curve = append(w.results.Curve, t.point(run))
	}
	if err != nil {
		return err
	}
	w.results.add(run, ours, "capacity", float64(found.Most))
	w.results.add(run, ours, "loss-at-60", 100*found.At60.Loss)
	w.results.Promises.Viewers = found.Capacity
	return nil
}

// largest is the room of one publisher and viewers that our server still takes: 1,000 connections.
const largest = 999

// largeOf is told beside the budget of a thousand viewers, which are five rooms there: so many in one room take most of a
// minute to join, each announced to all, so one run has to do.
func largeOf(ctx context.Context, w *sweep, run int, o Options) error {
	if !w.plan.once || run > 0 {
		return nil
	}
	o.Viewers, o.Seconds = largest, int(w.plan.window.Seconds())
	t, err := w.l.flow(ctx, o, 1, 1+o.Viewers)
	if err == nil {
		w.results.add(run, ours, "forward-burst-gcm, 1 → 999 in one room", t.Micros)
	}
	return err
}

// ratios are the figures that compare two of the same run.
func (w *sweep) ratios() {
	r := &w.results
	for run := range w.plan.runs {
		one := r.of(run, ours, "forward-burst-gcm")
		r.add(run, ours, "floor-ratio", one/r.of(run, floorName, "forward-burst-gcm"))
		r.add(run, ours, "two-cores", r.of(run, ours, "forward-burst-gcm on two cores")/one)
		// Both numbers of viewers in the same process: the first step of the search and that of a thousand.
		cost := map[int]float64{}
		for _, p := range r.Curve {
			if p.Server == ours && p.Run == run && p.Loss == 0 {
				cost[p.Viewers] = p.Micros
			}
		}
		if cost[200] > 0 && cost[1000] > 0 {
			r.add(run, ours, "thousand-viewers", cost[1000]/cost[200])
		}
	}
}

func (w *sweep) promise(ctx context.Context) {
	o := w.o
	o.Server, o.Seconds = ours, 3
	found, err := w.l.promises(ctx, o)
	if err != nil {
		w.trouble(0, ours, "promises", err)
	}
	found.Viewers = w.results.Promises.Viewers
	w.results.Promises = found
}
