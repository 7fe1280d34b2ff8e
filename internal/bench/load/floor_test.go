package load_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tertulia/internal/bench/load"
)

const asFloor = "TERTULIA_TEST_FLOOR"

// TestMain lets the floor run in a process of its own: this binary again.
func TestMain(m *testing.M) {
	if os.Getenv(asFloor) != "" {
		if err := load.FloorMain(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func floor(t testing.TB, c load.FloorConfig) (load.Floor, error) {
	t.Setenv(asFloor, "1")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second+c.Length)
	defer cancel()
	c.Command = []string{os.Args[0]}
	return load.RunFloor(ctx, c)
}

// TestFloor: everything sent is delivered; frames share messages and messages share system calls, even packets only these.
func TestFloor(t *testing.T) {
	for _, c := range []struct {
		shape string
		srtp  load.Profile
	}{{"burst", load.GCM}, {"burst", load.CM}, {"even", load.GCM}, {"tiles", load.GCM}, {"audio", load.CM}} {
		t.Run(c.shape+"/"+string(c.srtp), func(t *testing.T) {
			shape := must[load.Shape](t)(load.LoadShape(c.shape, 2000))
			f := must[load.Floor](t)(floor(t, load.FloorConfig{Shape: shape, SRTP: c.srtp, Rooms: 2, Viewers: 20, Length: 300 * time.Millisecond}))
			if f.Sent == 0 || f.Delivered != f.Expected || f.Expected != 20*f.Sent {
				t.Errorf("%d packets sent, %d expected, %d delivered", f.Sent, f.Expected, f.Delivered)
			}
			if single := f.Messages == f.Delivered; single != (c.shape == "even" || c.shape == "audio") {
				t.Errorf("%d packets in %d messages", f.Delivered, f.Messages)
			}
			if f.Sends >= f.Messages {
				t.Errorf("%d messages in %d system calls", f.Messages, f.Sends)
			}
			if f.PerPacket() <= 0 || f.Took < 200*time.Millisecond {
				t.Errorf("%v per packet, in %v", f.PerPacket(), f.Took)
			}
		})
	}
}

func TestFloorComplains(t *testing.T) {
	shape := must[load.Shape](t)(load.LoadShape("audio", 0))
	good := load.FloorConfig{Shape: shape, Rooms: 1, Viewers: 1, Length: time.Millisecond}
	nobody, nowhere := good, good
	nobody.Viewers = 0
	nowhere.CPU = 1000
	for _, c := range []load.FloorConfig{{}, nobody, nowhere} {
		if _, err := floor(t, c); err == nil {
			t.Errorf("%+v was measured", c)
		}
	}
	good.Command = []string{"/bin/false"}
	if _, err := load.RunFloor(t.Context(), good); err == nil {
		t.Error("a process that fails was believed")
	}
	for _, job := range []string{"", "{}", `{"Rooms":2,"Ports":[1,2,3]}`} {
		if err := load.FloorMain(t.Context(), strings.NewReader(job), new(strings.Builder)); err == nil {
			t.Errorf("%q was run", job)
		}
	}
}
