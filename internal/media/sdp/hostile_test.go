package sdp

import (
	"strings"
	"testing"
	"time"
)

// Spaces behind the first line are looked for behind every other: that must not cost the product of both.
func TestPaddingIsCheap(t *testing.T) {
	parse := func(padding string) time.Duration {
		text := "v=0" + padding + "\r\no=- 1 1 IN IP4 0.0.0.0\r\n" + strings.Repeat("a=x\r\n", 8000)
		best := time.Hour
		for range 5 {
			began := time.Now()
			if _, err := Parse(text); err == nil {
				t.Fatal("it has no m-line")
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	plain, padded := parse(""), parse(strings.Repeat(" ", MaxBytes/2))
	if t.Logf("plain %s, padded %s", plain, padded); padded > 20*plain+time.Millisecond {
		t.Errorf("%s with padding, %s without", padded, plain)
	}
}
