package load_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// entry is a line of a timeline.
type entry struct {
	At         int64  `json:"timestamp"`
	Connection string `json:"connectionId"`
	Kind, Text string
	Fields     map[string]any
	Diagnosis  *struct {
		Code, Severity, ConnectionID, Title string
		Evidence                            []string
	}
}

// timeline is that of a session, all of it.
func (s *server) timeline(t *testing.T, session string) []entry {
	t.Helper()
	var answer struct{ Content []entry }
	s.read(t, "GET", "/sessions/"+session+"/timeline", "", &answer)
	if n := len(answer.Content); n == 0 || n >= 1000 {
		t.Fatalf("the timeline of %s has %d entries: want some, and less than a page", session, n)
	}
	return answer.Content
}

// found says what was found in a timeline.
func found(timeline []entry) (list []string) {
	for _, e := range timeline {
		if e.Diagnosis != nil {
			list = append(list, fmt.Sprintf("%s %s of %s: %s", e.Diagnosis.Severity, e.Diagnosis.Code, e.Connection, e.Text))
		}
	}
	return list
}

// healthy checks that a timeline tells of a whole call, and of no fault.
func healthy(t *testing.T, timeline []entry) {
	t.Helper()
	counts := map[string]int{}
	for _, e := range timeline {
		kind := e.Kind
		if state, _ := e.Fields["state"].(string); kind == "transport" {
			kind += " " + state
		}
		counts[kind]++
	}
	for kind, want := range map[string]int{
		"connection.joined": people, "stream.published": people, "stream.subscribed": people, "transport connected": 2 * people,
		"transport failed": 0, "connection.left": people, "session.ended": 1,
	} {
		if counts[kind] != want {
			t.Errorf("%d × %q on the timeline, want %d", counts[kind], kind, want)
		}
	}
	for _, fault := range found(timeline) {
		t.Errorf("of a healthy call the timeline says: %s", fault)
	}
}

// counted are the numbers of the metric, by code, those above 0.
func counted(figures map[string]float64) map[string]float64 {
	all := map[string]float64{}
	for key, n := range figures {
		if code, ok := strings.CutPrefix(key, `tertulia_diagnoses_total{code="`); ok && n != 0 {
			all[strings.TrimSuffix(code, `"}`)] = n
		}
	}
	return all
}

func sum(numbers map[string]float64) (all float64) {
	for _, n := range numbers {
		all += n
	}
	return all
}

// TestFOR_06__AThousandHealthyJoins: whoever joins, publishes, watches and leaves raises nothing, though one of its
// candidates leads nowhere. FOR_06_JOINS says how many join; up to 100 are there at once.
func TestFOR_06__AThousandHealthyJoins(t *testing.T) {
	const atOnce = 25 // sessions
	t.Parallel()      // with the other one: both mostly wait
	sessions := (count(t, "FOR_06_JOINS", 100) + people - 1) / people
	s := start(t, memory(t))
	began := time.Now()
	for first := 0; first < sessions && !t.Failed(); first += atOnce {
		s.wave(t, first, min(atOnce, sessions-first))
	}
	took := time.Since(began)
	now := s.figures()
	if got, want := now[`tertulia_connections_by_path_total{path="udp"}`], float64(2*people*sessions); got != want {
		t.Errorf("%v transports connected by UDP, want %v", got, want)
	}
	raised := counted(now)
	if _, shown := now[`tertulia_diagnoses_total{code="NET_UNREACHABLE"}`]; !shown || len(raised) > 0 {
		t.Errorf("the metric is shown: %v, and has %v", shown, raised)
	}
	for _, line := range slices.Concat(s.log.at("WARN"), s.log.at("ERROR")) {
		t.Errorf("the log says: %s", line)
	}
	t.Logf("%d joins in %v, %.0f packets of media in: %.0f diagnoses", people*sessions, took.Round(time.Second),
		now[`tertulia_media_packets_total{direction="in"}`], sum(raised))
}

// wave runs sessions side by side, then looks at their timelines.
func (s *server) wave(t *testing.T, first, n int) {
	names := make([]string, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			t.Run(fmt.Sprint("session ", first+i), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), enough)
				defer cancel()
				session, all := s.enter(ctx, t, (first+i)*people)
				converse(ctx, all, stay)
				leave(ctx, all)
				names[i] = session
			})
		})
	}
	calls.Wait()
	for _, session := range names {
		if !t.Failed() {
			healthy(t, s.timeline(t, session))
		}
	}
}

// TestFOR_06__TenJoinsWithoutMedia: of ten participants whose transports never come each is named once, within ten
// seconds, on its timeline, in the log and by the metric; four who are well beside them are not.
func TestFOR_06__TenJoinsWithoutMedia(t *testing.T) {
	const dark, within = 10, 10_000 // milliseconds from publishing
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	s := start(t, memory(t))
	var sessions []string
	var hidden []*guest
	for i := 0; i < dark; i += 2 {
		session := s.rest(t, "POST", "/sessions", "{}", "id")
		ann, ben := s.guest(ctx, t, session), s.guest(ctx, t, session)
		ann.hide(ctx, dead(i))
		ben.hide(ctx, dead(i+1))
		ann.stare(ctx, ben, dead(i+2))
		ben.stare(ctx, ann, dead(i+3))
		sessions, hidden = append(sessions, session), append(hidden, ann, ben)
	}
	session, well := s.enter(ctx, t, 0)
	converse(ctx, well, pinged)
	ping(ctx, hidden)
	converse(ctx, well, stay-pinged) // longer than the ten have
	s.await(ctx, "all ten are counted", func(now map[string]float64) bool { return sum(counted(now)) >= dark }, false)
	leave(ctx, well)
	healthy(t, s.timeline(t, session))

	blamed := map[string]int{}
	for _, session := range sessions {
		timeline := s.timeline(t, session)
		published := map[string]int64{}
		for _, e := range timeline {
			switch d := e.Diagnosis; {
			case e.Kind == "stream.published":
				published[e.Connection] = e.At
			case d == nil:
			case !strings.Contains(strings.Join(d.Evidence, " "), "announced 2 candidates"):
				t.Errorf("%+v: the client has signalled a dead candidate and one of its own", *d)
			case d.Severity != "error" || d.ConnectionID != e.Connection || published[e.Connection] == 0 || e.At-published[e.Connection] > within:
				t.Errorf("%+v is said %d ms after %s published: want an error that names it, within %d", *d, e.At-published[e.Connection], e.Connection, within)
			default:
				blamed[e.Connection]++
				t.Logf("%.1f s after publishing: %s %q", float64(e.At-published[e.Connection])/1000, found([]entry{e})[0], d.Evidence)
			}
		}
	}
	lines := s.log.at("ERROR")
	for _, g := range hidden {
		named := 0
		for _, line := range lines {
			if strings.Contains(line, " connection="+g.name+" ") {
				named++
			}
		}
		if blamed[g.name] != 1 || named != 1 {
			t.Errorf("%s has %d records, and %d ERROR lines name it: want one of each", g.name, blamed[g.name], named)
		}
	}
	if raised := counted(s.figures()); len(lines) != dark || len(s.log.at("WARN")) != 0 || len(blamed) != dark || sum(raised) != dark {
		t.Errorf("%d ERROR lines, %d participants with records, counted are %v: want ten of each; warnings: %v", len(lines), len(blamed), raised, s.log.at("WARN"))
	}
}
