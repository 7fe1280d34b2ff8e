package signal

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		sit := func() *socket {
			c := &socket{server: s}
			s.add(c, func(error) {})
			if err := c.sit(&Seat{Session: "s", Connection: "con_a"}, nil); err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := sit()
		if d := s.Silence("s", "con_a"); d != -1 {
			t.Errorf("it never said anything: %s", d)
		}
		c.heard.Store(time.Now().UnixMilli())
		time.Sleep(7 * time.Second)
		if d := s.Silence("s", "con_a"); d != 7*time.Second {
			t.Errorf("silent for %s, want 7s", d)
		}
		for _, other := range [][2]string{{"s", "con_b"}, {"x", "con_a"}} {
			if d := s.Silence(other[0], other[1]); d != -1 {
				t.Errorf("%v has no socket: %s", other, d)
			}
		}
		later := sit() // it is back before the old socket's end is noticed
		later.heard.Store(time.Now().UnixMilli())
		s.remove(c)
		if d := s.Silence("s", "con_a"); d != 0 {
			t.Errorf("silent for %s on the later socket, want 0", d)
		}
		s.remove(later)
		if d := s.Silence("s", "con_a"); d != -1 {
			t.Errorf("its socket is gone: %s", d)
		}
		if len(s.seats) != 0 {
			t.Errorf("%d seats are remembered", len(s.seats))
		}
		if s.seated(c, &Seat{Session: "s", Connection: "con_a"}); len(s.seats) != 0 {
			t.Error("a socket that has ended sits down")
		}
	})
}
