package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// opened is a stage on a fake server, ended with the test.
func opened(t *testing.T, server *fakeServer) *stage {
	t.Helper()
	s, err := open(t.Context(), server, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	s.clients = fakeClients(func() (client, error) { return &fakeClient{}, nil })
	t.Cleanup(func() {
		if err := s.close(); err != nil || server.started {
			t.Errorf("close ended with %v, started %v", err, server.started)
		}
	})
	return s
}

func TestFillMakesRoomsAndGrowsThem(t *testing.T) {
	s := opened(t, &fakeServer{name: ours})
	for _, want := range []struct{ rooms, members, publishers, sending, watching int }{
		{2, 3, 1, 2, 4},  // one publishes, two watch
		{2, 5, 1, 2, 8},  // more viewers
		{3, 5, 1, 3, 12}, // another room
	} {
		if err := s.fill(t.Context(), want.rooms, want.members, want.publishers); err != nil {
			t.Fatal(err)
		}
		if p, v := len(s.publishers()), len(s.viewers()); p != want.sending || v != want.watching || len(s.members()) != want.rooms*want.members {
			t.Errorf("%+v: %d members, %d publishers, %d viewers", want, len(s.members()), p, v)
		}
	}
}

func TestEveryoneWatchesEveryoneElse(t *testing.T) {
	s := opened(t, &fakeServer{name: ours})
	if err := s.fill(t.Context(), 1, 4, 4); err != nil {
		t.Fatal(err)
	}
	if p, v := len(s.publishers()), len(s.viewers()); p != 4 || v != 12 {
		t.Errorf("%d publishers and %d viewers in a room of four, want 4 and 12", p, v)
	}
}

func TestLeaveEndsTheClients(t *testing.T) {
	s := opened(t, &fakeServer{name: ours})
	if err := s.fill(t.Context(), 1, 3, 1); err != nil {
		t.Fatal(err)
	}
	all := s.all()
	s.leave()
	if slices.ContainsFunc(all, func(c client) bool { return !c.(*fakeClient).closed }) || len(all) != 3 || len(s.all()) != 0 {
		t.Errorf("%d clients, not all of them closed", len(all))
	}
}

func TestServerThatDoesNotStartIsNamed(t *testing.T) {
	refusal := errors.New("no port")
	_, err := open(t.Context(), &fakeServer{name: "janus", refuse: refusal}, nil)
	if !errors.Is(err, refusal) || !strings.HasPrefix(err.Error(), "janus: ") {
		t.Errorf("%v", err)
	}
}

func TestClientThatDoesNotConnectEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, &fakeServer{name: ours})
		s.clients.viewer = func() (client, error) { return &fakeClient{stuck: true}, nil }
		began := time.Now()
		err := s.fill(t.Context(), 1, 40, 1)
		if err == nil || !strings.Contains(err.Error(), "subscribe ") || !strings.Contains(err.Error(), "no answer in 30s") {
			t.Errorf("%v", err)
		}
		if waited := time.Since(began); waited > patience {
			t.Errorf("waited %v for 39 viewers: the first that fails ends them all", waited)
		}
	})
}

func TestEachTellsHowLongEachTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var jobs []func(context.Context) error
		for i := range 3 * workers {
			jobs = append(jobs, func(context.Context) error {
				time.Sleep(time.Duration(i) * time.Millisecond)
				return nil
			})
		}
		took, err := each(t.Context(), "sleep", jobs)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range took {
			if d != time.Duration(i)*time.Millisecond {
				t.Errorf("job %d took %v", i, d)
			}
		}
		if took, err := each(t.Context(), "nothing", nil); len(took) != 0 || err != nil {
			t.Errorf("nothing took %v, %v", took, err)
		}
	})
}

func TestEachEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	ran := 0
	_, err := each(ctx, "one", []func(context.Context) error{func(ctx context.Context) error {
		ran++
		cancel(enough)
		<-ctx.Done()
		return nil
	}})
	if !errors.Is(err, enough) || ran != 1 {
		t.Errorf("%v after %d jobs", err, ran)
	}
}
