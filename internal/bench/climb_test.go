package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestClimb(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		lag       time.Duration     // at 30
		loss      map[int][]float64 // by step, per try
		generator float64
		most      int
		tries     int
		why       string
	}{
		"to the top":             {0, nil, 0.1, 40, 4, "goes no further"},
		"until loss":             {0, map[int][]float64{30: {0.1, 0.1}}, 0.1, 20, 4, "at 30, 10 % of the packets were lost"},
		"an accident is no loss": {0, map[int][]float64{20: {0.1, 0}}, 0.1, 40, 5, "goes no further"},
		"the generator":          {0, map[int][]float64{20: {0.1, 0.1}}, 0.95, 10, 3, "the generator had no time left"},
		"until it falls behind":  {time.Second, nil, 0.1, 20, 4, "at 30, packets came 1s after"},
		"a short lag is none":    {mostLag, nil, 0.1, 40, 4, "goes no further"},
		"the first loses":        {0, map[int][]float64{10: {0.1, 0.1}}, 0.1, 0, 2, "at 10,"},
	} {
		tries := map[int]int{}
		all := 0
		c, err := climb(t.Context(), []int{10, 20, 30, 40}, func(_ context.Context, n int) (Traffic, error) {
			traffic := Traffic{Viewers: n, Generator: test.generator}
			if n == 30 {
				traffic.Lag = test.lag
			}
			if losses := test.loss[n]; losses != nil {
				traffic.Loss = losses[tries[n]]
			}
			tries[n]++
			all++
			return traffic, nil
		})
		if err != nil || c.Most != test.most || all != test.tries || !strings.Contains(c.Why, test.why) {
			t.Errorf("%s: %d (%s) in %d tries, %v", name, c.Most, c.Why, all, err)
		}
	}
	c, err := climb(t.Context(), []int{10, 20}, func(_ context.Context, n int) (Traffic, error) {
		if n == 20 {
			return Traffic{}, broken
		}
		return Traffic{Viewers: n}, nil
	})
	if !errors.Is(err, broken) || c.Most != 10 || len(c.Steps) != 1 {
		t.Errorf("%+v, %v: what was found until then stays", c, err)
	}
}

func TestClimbTellsItself(t *testing.T) {
	var p page
	Climb{Capacity{1600, "at 2000, 3 % of the packets were lost"}, []Traffic{
		{Viewers: 200, Micros: 1.83, Share: 0.08, Generator: 0.05}, {Viewers: 2000, Micros: 1.7, Loss: 0.03, Lag: 1200 * time.Millisecond, Share: 0.99, Generator: 0.3},
	}}.write(&p)
	golden(t, "capacity.txt", []byte(p.String()))
}

func TestStairs(t *testing.T) {
	if got := stairs(100, 400, 1.5); !slices.Equal(got, []int{100, 150, 225, 337, 400}) {
		t.Errorf("%v", got)
	}
	if got := stairs(5, 5, 2); !slices.Equal(got, []int{5}) {
		t.Errorf("%v", got)
	}
}

func TestCapacitySteps(t *testing.T) {
	for _, viewers := range []int{1, 200, 1000, 4999} {
		steps := capacitySteps(viewers)
		for i, n := range steps {
			if n%viewers != 0 || i > 0 && n <= steps[i-1] || n > mostEndpoints {
				t.Errorf("rooms of %d: %v are not whole rooms, ever more", viewers, steps)
			}
		}
	}
	for _, named := range []int{200, 1000} {
		if !slices.Contains(capacitySteps(200), named) {
			t.Errorf("%v has no %d, which the budgets name", capacitySteps(200), named)
		}
	}
	if got := capacitySteps(5000); len(got) != 0 {
		t.Errorf("%v of rooms that do not fit", got)
	}
}
