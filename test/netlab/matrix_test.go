package netlab

import (
	"testing"
)

// TestFAQ_07__Matrix: whatever stands before a client, it sees and is seen, and the path is the best it has.
func TestFAQ_07__Symmetric(t *testing.T) {
	t.Run("Symmetric", func(t *testing.T) {
		lab := newLab(t)
		server := lab.serve(lab.internet.host("srv"), settings{})
		home := lab.internet.router("home", symmetric)
		people := server.meet(guest{at: home.host("alice")}, guest{at: lab.internet.host("bob")})
		t.Log(people[0].receiving(people[1]).Local, people[0].receiving(people[1]).Remote)
	})
}
