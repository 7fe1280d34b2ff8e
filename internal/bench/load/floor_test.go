package load_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"tertulia/internal/bench/load"
)

// floorWord in the environment makes this test binary the floor's sender.
const floorWord = "LOAD_TEST_FLOOR"

func TestMain(m *testing.M) {
	if os.Getenv(floorWord) != "" {
		if err := load.FloorMain(context.Background(), os.Stdin, os.Stdout); err != nil {
			_, _ = os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestFloorDelivers: every packet of every shape reaches every socket, and took CPU time.
func TestFloorDelivers(t *testing.T) {
	t.Setenv(floorWord, "1")
	for _, c := range []struct {
		shape         string
		srtp          load.Profile
		rooms, number int
	}{{"burst", load.GCM, 1, 20}, {"even", load.CM, 1, 5}, {"tiles", load.GCM, 3, 4}, {"audio", load.GCM, 1, 2}} {
		f, err := load.RunFloor(t.Context(), load.FloorConfig{
			Command: []string{os.Args[0]}, Shape: must[load.Shape](t)(load.LoadShape(c.shape, 400)), SRTP: c.srtp,
			Rooms: c.rooms, Viewers: c.number, Length: 300 * time.Millisecond,
		})
		if err != nil {
			t.Fatalf("%s: %v", c.shape, err)
		}
		if f.Sent == 0 || f.Expected != f.Sent*uint64(c.number) || f.Delivered != f.Expected {
			t.Errorf("%s: %d packets sent, %d of %d delivered", c.shape, f.Sent, f.Delivered, f.Expected)
		}
		if f.User+f.Sys <= 0 || f.Took < 100*time.Millisecond {
			t.Errorf("%s: took %v, %v and %v of CPU", c.shape, f.Took, f.User, f.Sys)
		}
	}
}

// TestFloorFails with what its process said.
func TestFloorFails(t *testing.T) {
	shape := must[load.Shape](t)(load.LoadShape("audio", 0))
	_, err := load.RunFloor(t.Context(), load.FloorConfig{
		Command: []string{"sh", "-c", "echo the reason >&2; exit 3"}, Shape: shape, SRTP: load.GCM, Rooms: 1, Viewers: 1, Length: time.Second,
	})
	if err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("the error is %v", err)
	}
	_, err = load.RunFloor(t.Context(), load.FloorConfig{
		Command: []string{"echo", "no JSON"}, Shape: shape, SRTP: load.GCM, Rooms: 1, Viewers: 1, Length: time.Second,
	})
	if err == nil || !strings.Contains(err.Error(), "no JSON") {
		t.Errorf("the error is %v", err)
	}
}
