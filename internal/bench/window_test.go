package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/bench/machine"
)

func TestMeasureCountsEveryPacket(t *testing.T) {
	for _, test := range []struct {
		fits                int
		expected, delivered uint64
		loss                float64
	}{{0, 40_000, 40_000, 0}, {15, 40_000, 30_000, 0.25}} {
		synctest.Test(t, func(t *testing.T) {
			s := opened(t, &fakeServer{name: ours, fits: test.fits})
			if err := s.fill(t.Context(), 2, 11, 1); err != nil {
				t.Fatal(err)
			}
			what := score{shape: "burst", kbps: 2000, srtp: "gcm", player: fakePlay}
			got, err := s.measure(t.Context(), what, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if got.Sent != 4000 || got.Expected != test.expected || got.Delivered != test.delivered {
				t.Errorf("%d sent, %d expected, %d delivered", got.Sent, got.Expected, got.Delivered)
			}
			if got.Loss != test.loss || got.Publishers != 2 || got.Viewers != 20 || got.Window < 2*time.Second || got.Server != ours {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestMeasureRefusesWhatCannotBeCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, &fakeServer{name: ours})
		what := score{player: fakePlay}
		if _, err := s.measure(t.Context(), what, time.Second); err == nil {
			t.Error("a stage without publishers was measured")
		}
		if err := s.fill(t.Context(), 1, 3, 1); err != nil {
			t.Fatal(err)
		}
		plays := func(p played, err error) func([]client) player {
			return func([]client) player { return func(context.Context, time.Duration) (played, error) { return p, err } }
		}
		what.player = plays(played{sent: 10}, nil)
		if _, err := s.measure(t.Context(), what, time.Second); err == nil || !strings.Contains(err.Error(), "no packet") {
			t.Errorf("a server that forwards nothing: %v", err)
		}
		broken := errors.New("broken")
		what.player = plays(played{}, broken)
		if _, err := s.measure(t.Context(), what, time.Second); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	})
}

// TestWarmWaitsForKeyFrames has a viewer that hears sound at once and video after some rounds.
func TestWarmWaitsForKeyFrames(t *testing.T) {
	for _, rounds := range []int{1, 3, warmings, warmings + 5} {
		synctest.Test(t, func(t *testing.T) {
			s := opened(t, &fakeServer{name: ours})
			if err := s.fill(t.Context(), 1, 4, 1); err != nil {
				t.Fatal(err)
			}
			const sound, video, viewers = 50, 45, 3
			round := 0
			var heard uint64
			play := func(ctx context.Context, length time.Duration) (played, error) {
				round++
				for i, c := range s.viewers() {
					c, packets := c.(*fakeClient), uint64(sound+video)
					if i == 0 && round < rounds {
						packets = sound
					}
					heard += packets
					c.mu.Lock()
					c.got += packets
					c.mu.Unlock()
				}
				return played{sent: sound + video}, wait(ctx, length)
			}
			count, err := s.warm(t.Context(), play, viewers)
			if want := min(rounds, warmings); err != nil || round != want || count != heard {
				t.Errorf("a key frame in round %d: %d rounds were played, want %d; %d packets of %d counted, %v", rounds, round, want, count, heard, err)
			}
		})
	}
}

func TestSettleWaitsForTheLastPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, &fakeServer{name: ours})
		if err := s.fill(t.Context(), 1, 2, 1); err != nil {
			t.Fatal(err)
		}
		late := s.viewers()[0].(*fakeClient)
		timer := time.AfterFunc(120*time.Millisecond, func() {
			late.mu.Lock()
			late.got++
			late.mu.Unlock()
		})
		defer timer.Stop()
		if got, lag, err := s.settle(t.Context(), 1); got != 1 || lag != 150*time.Millisecond || err != nil {
			t.Errorf("settled at %d after %v, %v", got, lag, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := s.settle(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// TestSettleWaitsLongerForWhatIsMissing: a server that waits for a CPU loses nothing; one that has lost some is given up.
func TestSettleWaitsLongerForWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		wanted uint64
		took   time.Duration
		got    uint64
	}{{0, 150 * time.Millisecond, 0}, {1, 1050 * time.Millisecond, 1}, {2, 1900 * time.Millisecond, 1}} {
		synctest.Test(t, func(t *testing.T) {
			s := opened(t, &fakeServer{name: ours})
			if err := s.fill(t.Context(), 1, 2, 1); err != nil {
				t.Fatal(err)
			}
			late := s.viewers()[0].(*fakeClient)
			timer := time.AfterFunc(890*time.Millisecond, func() {
				late.mu.Lock()
				late.got++
				late.mu.Unlock()
			})
			defer timer.Stop()
			began := time.Now()
			if got, _, err := s.settle(t.Context(), c.wanted); got != c.got || time.Since(began) != c.took || err != nil {
				t.Errorf("%d wanted: settled at %d after %v, %v; want %d after %v", c.wanted, got, time.Since(began), err, c.got, c.took)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	traffic := Traffic{Delivered: 900, Expected: 1000, Window: 2 * time.Second, CPUs: []int{0, 1}}
	traffic.account(clocks{
		server:    machine.Spent{Total: 1800 * time.Microsecond, User: 10 * time.Millisecond, System: 30 * time.Millisecond},
		generator: machine.Spent{Total: time.Second},
		busy:      401800 * time.Microsecond,
	})
	if traffic.Micros != 2 || traffic.User != 0.5 || traffic.System != 1.5 || traffic.PerSec != 500_000 {
		t.Errorf("%+v", traffic)
	}
	if traffic.Loss != 0.1 || traffic.Share != 0.0009 || traffic.Generator != 0.5 || traffic.Others != 0.1 {
		t.Errorf("%+v", traffic)
	}
	more := Traffic{Delivered: 1001, Expected: 1000, Window: time.Second}
	if more.account(clocks{server: machine.Spent{Total: 1}}); more.Loss != 0 || more.Others != 0 {
		t.Errorf("loss %v of more than was sent", more.Loss)
	}
}

func TestTrafficTellsItself(t *testing.T) {
	traffic := Traffic{Server: ours, Shape: "burst", Kbps: 2000, SRTP: "gcm", CPUs: []int{0}, Publishers: 1, Viewers: 200, Sent: 1816, Expected: 363_200,
		Delivered: 363_200, Window: 8 * time.Second, LateP99: 52 * time.Microsecond}
	traffic.account(clocks{
		server:    machine.Spent{Total: 653_760 * time.Microsecond, User: 200 * time.Millisecond, System: 450 * time.Millisecond},
		generator: machine.Spent{Total: 400 * time.Millisecond},
	})
	var p page
	traffic.write(&p)
	traffic.Lag, traffic.Others = time.Second, 0.3
	traffic.write(&p)
	golden(t, "forward.txt", []byte(p.String()))
	if got := cpus([]int{0, 1}); got != "CPUs 0,1" {
		t.Errorf("%q", got)
	}
}
