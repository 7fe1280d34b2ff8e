package signal

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		c := &socket{server: s, seat: &Seat{Session: "s", Connection: "con_a"}}
		s.add(c, func(error) {})
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
		s.remove(c)
		if d := s.Silence("s", "con_a"); d != -1 {
			t.Errorf("its socket is gone: %s", d)
		}
	})
}
