package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations in steps of 3 %. The zero value is empty.
type Histogram struct {
	counts [64 * steps]uint64
	count  uint64
	max    time.Duration
}

const steps = 32 // per doubling

// bucket: durations below 64 ns stand for themselves; above, the highest six bits count.
func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < 2*steps {
		return int(n)
	}
	shift := bits.Len64(n) - 6
	return shift*steps + int(n>>shift)
}

// top is the longest duration of a bucket.
func top(b int) time.Duration {
	if b < 2*steps {
		return time.Duration(b)
	}
	shift := b/steps - 1
	return time.Duration(uint64(b-shift*steps+1)<<shift - 1)
}

// Add counts a duration; negative ones count as 0.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.count++
	h.max = max(h.max, d)
}

// Merge adds what another has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.count += o.count
	h.max = max(h.max, o.max)
}

// Count is how many there are.
func (h *Histogram) Count() uint64 { return h.count }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is the duration that a share q (0 to 1) does not exceed; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := max(1, uint64(q*float64(h.count)+0.5))
	for i, n := range h.counts {
		if rank <= n {
			return min(top(i), h.max)
		}
		rank -= n
	}
	return h.max
}
