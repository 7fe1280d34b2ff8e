package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Climb is how a capacity was found: the window at every step, the largest at which the server lost nothing and kept up, and
// why it went no further.
type Climb struct {
	Capacity
	Steps []Traffic `json:"steps"`
}

// The generator counts as spent before it is: past this its own lateness loses packets.
const generatorSpent = 0.9

// climb goes from step to step until the server loses packets or falls behind. That step is tried again: a capacity ends where
// it is no accident.
func climb(ctx context.Context, steps []int, try func(context.Context, int) (Traffic, error)) (Climb, error) {
	c := Climb{Capacity: Capacity{Why: "the search goes no further"}}
	for _, n := range steps {
		t, err := try(ctx, n)
		if err == nil && !t.keepsUp() {
			t, err = try(ctx, n)
		}
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, t)
		if !t.keepsUp() {
			c.Why = t.failing(n)
			return c, nil
		}
		c.Most = n
	}
	return c, nil
}

// failing says how a step of n failed.
func (t *Traffic) failing(n int) string {
	if t.Generator > generatorSpent {
		return "the generator had no time left, so the server may do more"
	}
	if t.Others > mostOthers {
		return fmt.Sprintf("at %d, other processes used %.0f %% of the server's CPU, so the server may do more", n, 100*t.Others)
	}
	what := number(100*t.Loss) + " % of the packets were lost"
	if t.Loss == 0 {
		what = "packets came " + t.Lag.Round(10*time.Millisecond).String() + " after the publishers had ended"
	}
	return "at " + number(float64(n)) + ", " + what + "; the server used " + number(math.Round(100*t.Share)) + " % of a core"
}

// stairs are about equal ratios from the first step to the last, both included.
func stairs(first, last int, ratio float64) []int {
	var steps []int
	for n := float64(first); int(n) < last; n *= ratio {
		steps = append(steps, int(n))
	}
	return append(steps, last)
}

func (c Climb) write(p *page) {
	p.line("%8s %10s %8s %8s %9s %12s", "viewers", "µs/packet", "loss %", "lag ms", "server %", "generator %")
	for _, t := range c.Steps {
		p.line("%8d %10s %8s %8d %9.0f %12.0f", t.Viewers, number(t.Micros), number(100*t.Loss), t.Lag.Milliseconds(), 100*t.Share, 100*t.Generator)
	}
	p.line("largest without loss or lag: %d (%s)", c.Most, c.Why)
}
