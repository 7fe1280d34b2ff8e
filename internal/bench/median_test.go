package bench

import (
	"math"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		all  []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(test.all); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.all, got, test.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("nothing has a median")
	}
}

func TestMedianLeavesTheOrder(t *testing.T) {
	all := []float64{3, 1, 2}
	if median(all); all[0] != 3 || all[2] != 2 {
		t.Errorf("sorted in place: %v", all)
	}
}

func TestPercentile(t *testing.T) {
	var all []time.Duration
	for i := 100; i >= 1; i-- {
		all = append(all, time.Duration(i))
	}
	for p, want := range map[float64]time.Duration{0: 1, 1: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := percentile(all, p); got != want {
			t.Errorf("p%v is %d, want %d", p, got, want)
		}
	}
	if got := percentile([]int(nil), 50); got != 0 {
		t.Errorf("p50 of nothing is %d", got)
	}
	if got := percentile([]int{7}, 99); got != 7 {
		t.Errorf("p99 of one value is %d", got)
	}
}
