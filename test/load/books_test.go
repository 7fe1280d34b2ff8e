package load_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// books are what events say there is.
type books struct {
	server *server
	number int // of the latest event
	told   picture
	grace  time.Duration
}

// picture is what there is: sessions, who has joined ("session connection"), streams ("connection stream") and
// subscriptions ("connection stream").
type picture struct{ sessions, joined, streams, subscriptions set }

type set map[string]bool

func blank() picture { return picture{set{}, set{}, set{}, set{}} }

func newBooks(s *server) *books { return &books{server: s, told: blank(), grace: grace} }

// change puts an entry in, or takes it out; it must be news.
func (s set) change(entry string, in bool) error {
	if s[entry] == in {
		return fmt.Errorf("%s: in=%t is told twice", entry, in)
	}
	if s[entry] = in; !in {
		delete(s, entry)
	}
	return nil
}

func (s set) list() string { return strings.Join(slices.Sorted(maps.Keys(s)), ", ") }

// read goes on to the latest event.
func (b *books) read(t *testing.T) {
	t.Helper()
	for {
		var page struct {
			Content []struct {
				Number int
				Event  struct{ Event, SessionID, ConnectionID, StreamID, Connection string }
			}
		}
		b.server.read(t, "GET", fmt.Sprint("/events?after=", b.number), "", &page)
		if len(page.Content) == 0 {
			return
		}
		for _, entry := range page.Content {
			if b.number++; entry.Number != b.number {
				t.Fatalf("event %d comes after %d", entry.Number, b.number-1)
			}
			e := entry.Event
			var err error
			switch e.Event {
			case "sessionCreated", "sessionDestroyed":
				err = b.told.sessions.change(e.SessionID, e.Event == "sessionCreated")
			case "participantJoined", "participantLeft":
				err = b.told.joined.change(e.SessionID+" "+e.ConnectionID, e.Event == "participantJoined")
			case "webrtcConnectionCreated", "webrtcConnectionDestroyed":
				media := b.told.subscriptions
				if e.Connection == "OUTBOUND" {
					media = b.told.streams
				}
				err = media.change(e.ConnectionID+" "+e.StreamID, e.Event == "webrtcConnectionCreated")
			case "signalSent", "diagnosis": // the streams have no media
			default:
				err = fmt.Errorf("%s is not expected", e.Event)
			}
			if err != nil {
				t.Errorf("event %d: %v", entry.Number, err)
			}
		}
	}
}

// shown is what REST says there is.
func (s *server) shown(t *testing.T) picture {
	t.Helper()
	type stream struct{ StreamID string }
	var all struct {
		Content []struct {
			ID          string
			Connections struct {
				Content []struct {
					ID, Status              string
					Publishers, Subscribers []stream
				}
			}
		}
	}
	s.read(t, "GET", "/sessions", "", &all)
	p := blank()
	for _, session := range all.Content {
		p.sessions[session.ID] = true
		for _, c := range session.Connections.Content {
			if c.Status != "active" {
				t.Errorf("%s of %s is %s, and was not asked for", c.ID, session.ID, c.Status)
			}
			p.joined[session.ID+" "+c.ID] = true
			for _, s := range c.Publishers {
				p.streams[c.ID+" "+s.StreamID] = true
			}
			for _, s := range c.Subscribers {
				p.subscriptions[c.ID+" "+s.StreamID] = true
			}
		}
	}
	return p
}

// differs says how two pictures and the metrics differ, "" if they do not.
func differs(told, shown picture, seats set, figures map[string]float64) string {
	var list []string
	for _, kind := range []struct {
		name        string
		told, shown set
	}{
		{"sessions", told.sessions, shown.sessions}, {"connections", told.joined, shown.joined},
		{"streams", told.streams, shown.streams}, {"subscriptions", told.subscriptions, shown.subscriptions},
	} {
		if !maps.Equal(kind.told, kind.shown) {
			list = append(list, fmt.Sprintf("%s by events: %s; by REST: %s", kind.name, kind.told.list(), kind.shown.list()))
		}
		if counted := figures["tertulia_"+kind.name]; int(counted) != len(kind.shown) {
			list = append(list, fmt.Sprintf("%.0f %s by metrics, %d by REST", counted, kind.name, len(kind.shown)))
		}
	}
	if seats != nil && !maps.Equal(seats, shown.joined) {
		list = append(list, fmt.Sprintf("connections with somebody: %s; by REST: %s", seats.list(), shown.joined.list()))
	}
	return strings.Join(list, "\n")
}

// agree waits until events, REST and metrics say the same; seats, if not nil, are those who must be there and nobody else.
// What lasts longer than the grace time is a ghost.
func (b *books) agree(t *testing.T, when string, seats set) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), b.grace+10*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for {
		figures := b.server.figures()
		b.read(t)
		shown := b.server.shown(t)
		difference := differs(b.told, shown, seats, figures)
		if difference == "" {
			t.Logf("when %s, after %v and event %d: %d sessions, %d connections, %d streams, %d subscriptions", when, time.Since(began).Round(time.Millisecond), b.number,
				len(shown.sessions), len(shown.joined), len(shown.streams), len(shown.subscriptions))
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("when %s there is a ghost:\n%s", when, difference)
		}
	}
}
