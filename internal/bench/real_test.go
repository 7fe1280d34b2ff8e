package bench

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program builds what is measured.
func program(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tertulia")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "tertulia/cmd/tertulia").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return binary
}

// TestRealServer is bench as a user runs it, small: the program is built and measured by real clients. It counts packets and
// people, and judges no time.
func TestRealServer(t *testing.T) {
	binary := program(t)
	run := func(t *testing.T, into any, args ...string) (progress string) {
		t.Helper()
		var out, errs bytes.Buffer
		if err := Command(t.Context(), binary, append(args, "--json"), &out, &errs); err != nil {
			t.Fatalf("%v\n%s", err, errs.String())
		}
		if err := json.Unmarshal(out.Bytes(), into); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		return errs.String()
	}
	for _, srtp := range []string{"gcm", "cm"} {
		t.Run("forward "+srtp, func(t *testing.T) {
			var got Traffic
			progress := run(t, &got, "forward", "--viewers=3", "--seconds=1", "--srtp="+srtp)
			if !strings.Contains(progress, "4 peer connections") {
				t.Errorf("progress was %q", progress)
			}
			complete(t, got, 1, 3)
			if got.Sent < 100 || got.Version == "" || got.SRTP != srtp {
				t.Errorf("%+v: want about 200 packets, and the server's version", got)
			}
		})
	}
	t.Run("rooms", func(t *testing.T) {
		var got Traffic
		run(t, &got, "rooms", "--rooms=2", "--size=2", "--seconds=1")
		complete(t, got, 2, 4)
	})
	t.Run("floor", func(t *testing.T) {
		var got Traffic
		run(t, &got, "floor", "--viewers=3", "--seconds=1")
		complete(t, got, 1, 3)
	})
	t.Run("join", func(t *testing.T) {
		var got Coming
		run(t, &got, "join", "--participants=4", "--endpoints=9")
		if got.Join.Count != 4 || got.Setup.Count != 9 || got.Join.CPU <= 0 || got.Setup.CPU <= 0 || got.Setup.P99 < got.Setup.P50 {
			t.Errorf("%+v: want 4 participants and a room of 3 cameras", got)
		}
	})
	t.Run("latency", func(t *testing.T) {
		var got Latency
		run(t, &got, "latency", "--rooms=2", "--size=2", "--viewers=3", "--load=1", "--seconds=1")
		for what, d := range map[string]Delays{
			"video in rooms": got.RoomsHeard.Video, "audio in rooms": got.RoomsHeard.Audio, "bursts": got.BurstHeard.Last,
			"audio beside video": got.BesideHeard.Audio,
		} {
			if d.Count == 0 || d.P50 <= 0 || d.P99 < d.P50 || d.Max < d.P50 {
				t.Errorf("%s: %+v", what, d)
			}
		}
		complete(t, got.Burst, 1, 3)
	})
}

// complete wants that every packet came to every viewer, at some cost.
func complete(t *testing.T, got Traffic, publishers, viewers int) {
	t.Helper()
	if got.Publishers != publishers || got.Viewers != viewers || got.Expected != got.Sent*uint64(viewers/publishers) {
		t.Errorf("%+v: want %d publishers and %d viewers", got, publishers, viewers)
	}
	if got.Sent == 0 || got.Delivered != got.Expected || got.Loss != 0 {
		t.Errorf("%d packets were sent, %d of %d delivered", got.Sent, got.Delivered, got.Expected)
	}
	if parts := got.User + got.System; got.Micros <= 0 || parts < 0.99*got.Micros || parts > 1.01*got.Micros {
		t.Errorf("%v µs per packet, %v user, %v system", got.Micros, got.User, got.System)
	}
}
