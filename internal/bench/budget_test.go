package bench

import (
	"math"
	"testing"
)

func TestJudge(t *testing.T) {
	most := Budget{Unit: "µs", Sense: AtMost, Limit: 2}
	least := Budget{Unit: "viewers", Sense: AtLeast, Limit: 1500}
	below := Budget{Unit: "MB", Sense: Below, Limit: 60}
	none := Budget{Unit: "%", Sense: AtMost, Limit: 0}
	for _, test := range []struct {
		budget Budget
		value  float64
		holds  bool
		say    string
	}{
		{most, 1.2, true, "holds"},
		{most, 2, true, "holds"},
		{most, 2.5, false, "NO: 25 % above"},
		{most, math.NaN(), false, "not measured"},
		{least, 1500, true, "holds"},
		{least, 1200, false, "NO: 20 % below"},
		{below, 60, false, "NO: 0 % above"},
		{below, 59.9, true, "holds"},
		{none, 0, true, "holds"},
		{none, 0.25, false, "NO: 0.25 %"},
	} {
		v := test.budget.Judge(test.value)
		if v.Holds != test.holds || v.Measured == math.IsNaN(test.value) || test.budget.Say(v) != test.say {
			t.Errorf("%v against %s: %+v, %q, want %q", test.value, test.budget.limit(), v, test.budget.Say(v), test.say)
		}
	}
}

func TestBudgetsAreWhole(t *testing.T) {
	seen := map[Figure]bool{}
	for _, b := range Budgets {
		if seen[b.Figure] || b.What == "" || b.Unit == "" || b.Run == "" {
			t.Errorf("%+v: a row has a figure of its own, words, a unit and the command that measures it", b)
		}
		seen[b.Figure] = true
		if b.Stretch > b.Limit {
			t.Errorf("%s: the stretch %v is easier than the limit %v", b.Figure, b.Stretch, b.Limit)
		}
	}
	for _, f := range traffic {
		if !seen[f] || trafficLabels[f] == "" {
			t.Errorf("%s is plotted, but has no budget or no label", f)
		}
	}
}

func TestNumber(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 2: "2", 1500: "1500", 1234.5: "1234", 12.34: "12.3", 1.234: "1.23", 0.123: "0.12", 0.0123: "0.012", -1.5: "-1.50", math.Inf(1): "+Inf",
	} {
		if got := number(value); got != want {
			t.Errorf("%v is printed %q, want %q", value, got, want)
		}
	}
	if got := number(math.NaN()); got != "–" {
		t.Errorf("nothing is printed %q", got)
	}
}
