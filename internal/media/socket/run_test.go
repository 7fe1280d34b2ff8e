package socket

import (
	"fmt"
	"math"
	"testing"
)

func TestTake(t *testing.T) {
	for _, c := range []struct {
		size, segment, most int
		want                string // size/segment of each part
	}{
		{10, 0, 1, "[10/0]"},
		{0, 0, 64, "[0/0]"},
		{0, 7, 64, "[0/0]"},
		{10, -3, 64, "[10/0]"},
		{10, 10, 64, "[10/0]"},
		{10, 11, 64, "[10/0]"},
		{10, math.MaxInt, 64, "[10/0]"},
		{10, 4, 1, "[4/0 4/0 2/0]"},
		{10, 4, 2, "[8/4 2/0]"},
		{10, 4, 64, "[10/4]"},
		{12, 4, 3, "[12/4]"},
		{13, 4, 3, "[12/4 1/0]"},
	} {
		m, got := Message{Buf: make([]byte, c.size), Segment: c.segment}, []string{}
		for more := true; more; {
			var part Message
			part, more = take(&m, c.most)
			got = append(got, fmt.Sprintf("%d/%d", len(part.Buf), part.Segment))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%d bytes of %d, %d at once: %v, want %s", c.size, c.segment, c.most, got, c.want)
		}
	}
}

// TestRunLimits: no run exceeds what the kernel takes, and all datagrams are counted.
func TestRunLimits(t *testing.T) {
	for _, c := range []struct{ size, segment, perRun, datagrams int }{
		{100, 0, 1, 1},
		{0, 0, 1, 1},
		{100, -1, 1, 1},
		{0, 100, MaxSegments, 1},
		{7000, 100, MaxSegments, 70},
		{70001, 1000, 64, 71},
		{70000, 1200, 53, 59},
		{70000, 32000, 2, 3},
		{70000, 32001, 1, 3},
		{70000, math.MaxInt / 2, 1, 1},
	} {
		m := Message{Buf: make([]byte, c.size), Segment: c.segment}
		if a, b := perRun(&m), m.Datagrams(); a != c.perRun || b != c.datagrams {
			t.Errorf("%d bytes of %d: %d per run, %d in all; want %d, %d", c.size, c.segment, a, b, c.perRun, c.datagrams)
		}
	}
}
