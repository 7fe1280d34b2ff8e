package diagnosis

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestKMS_15__: the second websocket that ends 60 ±1 s after its last message names the proxy's timer.
func TestKMS_15__ProxyOfSixtySeconds(t *testing.T) {
	var c closes
	if idle, ok := c.add("somebody", start, 75_000, 60_300); ok {
		t.Fatalf("one end is a timer: %+v", idle)
	}
	idle, ok := c.add("somebody", start+65_000, 130_000, 59_800)
	if !ok || idle.Seconds != 60 || idle.Times != 2 {
		t.Errorf("the second: %+v, %v", idle, ok)
	}
}

// TestKMS_18c__: each usual timer is named after three ends at most, by silence or by age alone.
func TestKMS_18c__TimersAreNamed(t *testing.T) {
	for _, timer := range []int64{30, 60, 120, 300} {
		var silent, aged closes
		var idle Idle
		for i := range int64(2) {
			idle, _ = silent.add(fmt.Sprint(i), start+i*1000, 400_000+i*7919, timer*1000+i*500)
		}
		if idle.Seconds != timer || idle.Times != 2 {
			t.Errorf("silence of %d s: %+v", timer, idle)
		}
		for i := range int64(3) {
			idle, _ = aged.add(fmt.Sprint(i), start+i*1000, timer*1000-400+i*400, 2000+i*900)
		}
		if idle.Seconds != timer || idle.Times != 3 {
			t.Errorf("age of %d s: %+v", timer, idle)
		}
	}
}

// TestKMS_18c__: one client that is cut twice at the same age is enough.
func TestKMS_18c__OneClientTwice(t *testing.T) {
	var c closes
	c.add("ann", start, 30_020, 1000)
	if idle, ok := c.add("ben", start+1000, 30_020, 900); ok {
		t.Errorf("two clients, once each: %+v", idle)
	}
	if idle, ok := c.add("ann", start+31_000, 30_010, 4000); !ok || idle.Seconds != 30 {
		t.Errorf("one client twice: %+v %v", idle, ok)
	}
}

// A timer shows beside ends that have other reasons, and those are not blamed on it.
func TestKMS_18c__AmongOthers(t *testing.T) {
	var c closes
	random := rand.New(rand.NewPCG(1, 2))
	for i := range int64(40) {
		if idle, ok := c.add(fmt.Sprint(i), start+i, 1000+random.Int64N(3_600_000), random.Int64N(5000)); ok {
			t.Errorf("a person who left: %+v", idle)
		}
	}
	c.add("somebody", start+50, 900_123, 120_400)
	idle, ok := c.add("somebody", start+51, 7_200_000, 120_100)
	if !ok || idle.Seconds != 120 || idle.Times != 2 {
		t.Errorf("%+v %v", idle, ok)
	}
}

// TestKMS_18c__: ages of people are random; 20,000 of them name nothing.
func TestKMS_18c__RandomAgesNameNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		var c closes
		for i := range int64(1000) {
			age := 1000 + random.Int64N(3_600_000)
			if idle, ok := c.add(fmt.Sprint(i), start+i*1500, age, random.Int64N(min(age, 5200))); ok {
				t.Errorf("after %d: %+v", i, idle)
			}
		}
		if len(c.list) > maxCloses {
			t.Fatalf("%d ends are kept", len(c.list))
		}
	}
}

func TestOldEndsAreForgotten(t *testing.T) {
	var c closes
	c.add("somebody", start, 60_000, 60_000)
	if idle, ok := c.add("somebody", start+closesFor+1, 60_000, 60_000); ok {
		t.Errorf("%+v", idle)
	}
}

// TestKMS_18c__: a NAT that drops idle UDP after 30 s is named by the shortest silence.
func TestKMS_18c__NATOfThirtySeconds(t *testing.T) {
	var s silences
	if idle := s.add(start, 400); idle.Times != 0 {
		t.Errorf("a client that chose another way: %+v", idle)
	}
	s.add(start, 41_000)
	idle := s.add(start+100_000, 33_500)
	if idle.Seconds != 30 || idle.Times != 2 {
		t.Errorf("%+v", idle)
	}
	for range 20 {
		idle = s.add(start, 64_000)
	}
	if len(s.list) != maxSilences || idle.Seconds != 60 {
		t.Errorf("%+v of %v", idle, s.list)
	}
}
