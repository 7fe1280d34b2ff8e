package peer

import (
	"slices"
	"testing"
	"time"

	"tertulia/internal/media"
)

// told is what is reported of a video with so many pictures in each second, 0 for nothing.
func told(r *frameRate, from media.Time, count uint64, perSecond ...int) (news []int) {
	const second = media.Time(time.Second)
	at := r.at
	for i, n := range perSecond {
		now := from + media.Time(i+1)*second
		if count += uint64(n); n > 0 {
			at = now - second/media.Time(2*n) // the middle of the last picture's time
		}
		news = append(news, r.read(now, count, at))
	}
	return news
}

func TestFrameRateIsToldWhenItIsSteady(t *testing.T) {
	for name, c := range map[string]struct{ pictures, want []int }{
		"at first, after three seconds": {[]int{30, 30, 30, 30, 30}, []int{0, 0, 0, 30, 0}},
		"again when it is another":      {[]int{30, 30, 30, 30, 30, 30, 30, 30, 30, 15, 15, 15, 15}, []int{0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 15, 0}},
		"as it is after a change":       {[]int{30, 30, 30, 30, 30, 30, 30, 30, 16, 15, 15, 15, 15}, []int{0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 15, 0, 0}},
		"not before five seconds":       {[]int{30, 30, 30, 30, 15, 15, 15, 15, 15, 15}, []int{0, 0, 0, 30, 0, 0, 0, 0, 15, 0}},
		"not while it wavers":           {[]int{30, 30, 20, 30, 20, 30, 20, 30}, []int{0, 0, 0, 0, 0, 0, 0, 0}},
		"not for less than two":         {[]int{15, 15, 15, 15, 15, 15, 15, 15, 15, 16, 16, 16, 16, 16}, []int{0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"not for a tenth":               {[]int{60, 60, 60, 60, 60, 60, 60, 60, 60, 56, 56, 56, 56, 56}, []int{0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"not for a pause":               {[]int{30, 30, 30, 30, 30, 30, 30, 0, 0, 0, 0, 30, 30, 30, 30}, []int{0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"not of nothing":                {[]int{0, 0, 0, 0, 0}, []int{0, 0, 0, 0, 0}},
		"not of a burst":                {[]int{30, 500, 500, 500, 500}, []int{0, 0, 0, 0, 0}},
	} {
		if got := told(&frameRate{}, 0, 0, c.pictures...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v pictures a second are told as\n%v, want\n%v", name, c.pictures, got, c.want)
		}
	}
}

// TestFrameRateOfTheLatestSecond is none in a pause, and after a new source begins to count anew.
func TestFrameRateOfTheLatestSecond(t *testing.T) {
	r := &frameRate{}
	told(r, 0, 0, 25, 25)
	if r.latest() != 25 {
		t.Errorf("%d pictures in the latest second, want 25", r.latest())
	}
	told(r, 2*media.Time(time.Second), 50, 0)
	if r.latest() != 0 {
		t.Errorf("%d pictures in a second without any", r.latest())
	}
	if news := told(r, 9*media.Time(time.Second), 0, 25, 25, 25, 25, 25); !slices.Equal(news, []int{0, 0, 0, 25, 0}) {
		t.Errorf("a source that counts anew: %v", news)
	}
}
