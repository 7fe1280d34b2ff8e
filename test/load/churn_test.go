package load_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tertulia/internal/testkit"
)

const (
	rooms   = 6
	actors  = 6
	atMost  = 4 // pages of one actor
	oneStep = 30 * time.Second

	grace, restartGrace = 10 * time.Second, 30 * time.Second // for those who are cut off
)

// TestNoGhosts: people join, leave, are cut off, come back, publish, watch, signal, and are put out by REST, at random. At
// each quiet point REST, events and metrics tell of the same sessions, participants, streams and subscriptions, and these
// are the pages that hold a seat, no more and no fewer. LOAD_CHURN is the time between two such points, LOAD_QUIET their
// number, LOAD_SEED whom chance favours.
func TestNoGhosts(t *testing.T) {
	churn, quiet := pause(t, "LOAD_CHURN"), count(t, "LOAD_QUIET", 1)
	if churn == 0 {
		churn = 4 * time.Second
		t.Parallel() // it mostly waits for the grace time
	}
	seed := uint64(count(t, "LOAD_SEED", int(time.Now().Unix())))
	t.Logf("LOAD_SEED=%d", seed)
	s := start(t, memory(t))
	cast := newCast(t, s, seed)
	books := newBooks(s)
	for range quiet {
		s.play(t, cast, churn)
		books.agree(t, "some are cut off", nil)
		for _, a := range cast {
			a.forget()
		}
		books.agree(t, "the grace time is over", seats(t, cast))
	}
	s.play(t, cast, churn/2)
	for _, a := range cast {
		for _, p := range a.dark { // within the grace time, or put out meanwhile
			if p.resume(t.Context()) == nil {
				a.pages = append(a.pages, p)
			} else {
				p.kill()
			}
		}
	}
	books.agree(t, "some are cut off again", nil)
	for _, a := range cast {
		for _, p := range a.pages {
			_ = p.leave(t.Context()) // it may have been put out
		}
	}
	books.agree(t, "all have left", set{})
	for room := range rooms { // one that nobody has ever joined stays
		_, _ = s.api(t.Context(), "DELETE", fmt.Sprint("/sessions/room", room), "", nil)
	}
	books.agree(t, "all is closed", set{})
	did := map[string]int{}
	for _, a := range cast {
		for what, n := range a.did {
			did[what] += n
		}
	}
	for i, step := range steps {
		if did[step.name] == 0 && quiet > 1 {
			t.Errorf("step %d, %s, has never succeeded", i, step.name)
		}
	}
	t.Logf("%d events, %v", books.number, did)
	for _, line := range s.log.at("ERROR") {
		if !strings.Contains(line, "NET_UNREACHABLE") { // the streams have no media
			t.Errorf("the log says: %s", line)
		}
	}
}

// TestNoGhostsAfterARestart: the program ends in the middle of it all and starts again; those who were there come back, also
// those who had been cut off. Then these are there and nobody else, and events go on from the number they had. With
// LOAD_CHURN every second one stays away, and is gone when the grace time of a restart is over.
func TestNoGhostsAfterARestart(t *testing.T) {
	t.Parallel()
	some := pause(t, "LOAD_CHURN") > 0
	seed, data := uint64(count(t, "LOAD_SEED", int(time.Now().Unix()))), memory(t)
	t.Logf("LOAD_SEED=%d", seed)
	s := start(t, data)
	cast, books := newCast(t, s, seed), newBooks(s)
	s.play(t, cast, 3*time.Second)
	books.agree(t, "the program is about to end", nil)
	s.restart(t, data)
	books.agree(t, "it has started again", nil)
	back, away := 0, 0
	for _, a := range cast {
		before := slices.Concat(a.pages, a.dark)
		a.pages, a.dark = nil, nil
		for i, p := range before {
			if some && i%2 == 1 {
				p.kill()
				away++
			} else if err := p.resume(t.Context()); err == nil {
				a.pages = append(a.pages, p)
				back++
				if err := p.publishAgain(t.Context(), a.camera); err != nil { // or who watches would wait in vain
					t.Errorf("%s cannot publish again: %v", p.name, err)
				}
			} else if err := a.excuse(t.Context(), p, err); err != nil {
				t.Errorf("%s cannot come back: %v", p.name, err)
			}
		}
	}
	if back == 0 || some && away == 0 {
		t.Fatalf("%d come back, %d do not: nothing is tried", back, away)
	}
	t.Logf("%d come back, %d do not", back, away)
	books.grace = restartGrace
	books.agree(t, "all who will are back", seats(t, cast))
	s.play(t, cast, time.Second)
	books.agree(t, "it has gone on", nil)
}

// newCast are actors with streams that have no media.
func newCast(t *testing.T, s *server, seed uint64) []*actor {
	t.Helper()
	camera, screen := testkit.NewClient(t, testkit.ClientConfig{}).PublishOffer(testkit.VP8), testkit.NewClient(t, testkit.ClientConfig{}).SubscribeOffer()
	cast := make([]*actor, actors)
	for i := range cast {
		cast[i] = &actor{server: s, chance: rand.New(rand.NewPCG(seed, uint64(i))), camera: camera, screen: screen, did: map[string]int{}}
	}
	return cast
}

// play has all actors do something until the time is over.
func (s *server) play(t *testing.T, cast []*actor, churn time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), churn)
	defer cancel()
	var all sync.WaitGroup
	for _, a := range cast {
		all.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				limited, end := context.WithTimeout(t.Context(), oneStep)
				if err := a.act(limited); err != nil {
					t.Error(err)
				}
				end()
			}
		})
	}
	all.Wait()
}

// seats are the pages that still have one, by connection: who gets its own signal back sits there.
func seats(t *testing.T, cast []*actor) set {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), oneStep)
	defer cancel()
	taken := set{}
	for _, a := range cast {
		var kept []*page
		for _, p := range a.pages {
			if p.present(ctx) {
				taken[p.session+" "+p.name] = true
				kept = append(kept, p)
			}
		}
		a.pages = kept
	}
	return taken
}

// present tells whether the page hears what it says in its session.
func (p *page) present(ctx context.Context) bool {
	p.heard = false
	if err := p.say(ctx, p.name); err != nil {
		p.kill()
		return false
	}
	for !p.heard {
		if _, err := p.next(ctx); err != nil {
			p.kill()
			return false
		}
	}
	return true
}

func (p *page) say(ctx context.Context, data string) error {
	_, err := p.request(ctx, "sendMessage", map[string]any{"message": fmt.Sprintf(`{"to":[],"type":"signal:x","data":%q}`, data)})
	return err
}
