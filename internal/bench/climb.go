package bench

import "context"

// Climb is how a capacity was found: the window at every step, the largest that lost nothing, and why it went no further.
type Climb struct {
	Capacity
	Steps []Traffic `json:"steps"`
}

// The generator counts as spent before it is: past this its own lateness loses packets.
const generatorSpent = 0.9

// climb goes from step to step until packets are lost. The step that lost once is tried again: a capacity is where loss is not an accident.
func climb(ctx context.Context, steps []int, try func(context.Context, int) (Traffic, error)) (Climb, error) {
	c := Climb{Capacity: Capacity{Why: "the search goes no further"}}
	for _, n := range steps {
		t, err := try(ctx, n)
		if err == nil && t.Loss > 0 {
			t, err = try(ctx, n)
		}
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, t)
		switch {
		case t.Loss > 0 && t.Generator > generatorSpent:
			c.Why = "the generator had no time left, so the server may do more"
			return c, nil
		case t.Loss > 0:
			c.Why = "at " + number(float64(n)) + ", " + number(100*t.Loss) + " % of the packets were lost; the server used " + number(100*t.Share) + " % of a core"
			return c, nil
		}
		c.Most = n
	}
	return c, nil
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
	p.line("%8s %10s %8s %8s %10s", "count", "µs/packet", "loss %", "server %", "generator %")
	for _, t := range c.Steps {
		p.line("%8d %10s %8s %8.0f %10.0f", t.Viewers, number(t.Micros), number(100*t.Loss), 100*t.Share, 100*t.Generator)
	}
	p.line("largest without loss: %d (%s)", c.Most, c.Why)
}
