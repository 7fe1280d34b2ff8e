package testkit

import (
	"strings"
	"testing"
)

type stayer struct{ end chan struct{} }

func (s *stayer) stay() { <-s.end }

// begin starts a goroutine that is in other code than a stayer's.
func (s *stayer) begin(ended chan<- error) {
	go func(wait func()) { wait(); ended <- nil }(func() { <-s.end })
}

func TestNoGoroutines(t *testing.T) {
	const words = "testkit.(*stayer)"
	NoGoroutines(t, words)
	s, ended := &stayer{make(chan struct{})}, make(chan error, 2)
	go func() { s.stay(); ended <- nil }()
	s.begin(ended)
	for len(goroutines([]string{words})) != 2 { // the first may not have begun yet
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	if got := goroutines([]string{"nobody's", words}); !strings.Contains(strings.Join(got, ""), "created by tertulia/internal/testkit.(*stayer).begin") {
		t.Errorf("found %q", got)
	}
	close(s.end)
	<-ended
	<-ended
	NoGoroutines(t, "nobody's", words)
}
