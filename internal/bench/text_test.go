package bench

import (
	"testing"
	"time"
)

// someTraffic is a window as a report has it.
func someTraffic(server string, viewers int) Traffic {
	return Traffic{
		Server: server, Shape: "tiles", Kbps: 400, SRTP: "gcm", CPUs: []int{0}, Publishers: viewers / 10, Viewers: viewers, Window: 4 * time.Second,
		Sent: 1000, Expected: 10_000, Delivered: 9_900, Loss: 0.01, Micros: 2.5, User: 0.5, System: 2, PerSec: 400_000, Share: 0.2, Generator: 0.1,
		LateP99: 40 * time.Microsecond,
	}
}

// TestOutcomesTellThemselves has the text of every scenario as its user sees it.
func TestOutcomesTellThemselves(t *testing.T) {
	crowd := Crowd{
		Server: ours, CPUs: []int{0}, SRTP: "gcm", Participants: 500, Endpoints: 2500, Empty: 25_400_000,
		Join:           Entry{500, 500 * time.Millisecond, 480 * time.Millisecond, 21 * time.Millisecond, 50 * time.Millisecond},
		Setup:          Entry{2500, 2 * time.Second, 1600 * time.Millisecond, 10 * time.Millisecond, 36 * time.Millisecond},
		ParticipantRSS: 110 << 10, EndpointRSS: 38.5 * 1024, Idle: 23.8,
	}
	delays := func(base time.Duration) Delays { return Delays{900, base, 3 * base, 9 * base} }
	latency := Latency{
		Rooms: someTraffic(ours, 400), RoomsHeard: Heard{Video: delays(100 * time.Microsecond), Audio: delays(90 * time.Microsecond)},
		Burst: someTraffic(ours, 200), BurstHeard: Heard{Video: delays(2 * time.Millisecond), Last: delays(3 * time.Millisecond)}, Serial: 4 * time.Millisecond,
		Beside: someTraffic(ours, 200), BesideHeard: Heard{Video: delays(2 * time.Millisecond), Audio: delays(time.Millisecond)},
	}
	for name, found := range map[string]outcome{
		"join.txt":    Coming{crowd},
		"idle.txt":    Staying{crowd},
		"latency.txt": latency,
		"room.txt":    Room{Climb{Capacity{400, "the search goes no further"}, []Traffic{someTraffic(ours, 400)}}, someTraffic(ours, 240)},
		"promises.md": Promises{Pairs: Capacity{300, "at 250, 1 % of the packets were lost"}, Viewers: Capacity{1600, "the search goes no further"}},
	} {
		var p page
		found.write(&p)
		golden(t, name, []byte(p.String()))
	}
}
