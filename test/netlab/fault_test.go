package netlab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// namedIn is how long after a failure the server may take to name it.
const namedIn = 10 * time.Second

// runs is how often each fault is made, and crowd how many participants meet it at once.
func runs() (all, crowd int) {
	if n, err := strconv.Atoi(os.Getenv("FAULT_RUNS")); err == nil && n > 0 {
		return n, min(n, 5)
	}
	return 1, 1
}

// scene is where a fault happens: a server, somebody who is well, and the place of those who are not.
type scene struct {
	*lab
	server    *server
	well      guest
	ill       guest
	session   string
	publisher *participant // the well one

	// strike makes the fault, mend takes it away. Without strike it is there from the beginning, or in ill.before.
	strike, mend func()
	// later: it strikes when the ill see and hear the well one; else when they have joined and are about to publish.
	later bool
	// passive: the ill do not publish.
	passive bool
	// during runs for everyone who is ill once it publishes; its end is the moment of the failure.
	during func(p *participant)
}

// fault is one row of the suite: how to make it, and what the server has to say of it.
type fault struct {
	code, side string
	fix        string // must be in the remedy
	within     time.Duration
	fast       bool // makes part of make test
	make       func(s *scene)
}

// finding is a record of the REST API, as far as it is looked at.
type finding struct {
	Code, Severity, Side, Fix string
	StreamID                  string
	Evidence                  []string
	Timestamp, Ended          int64
}

// run makes a fault as often as asked and wants it named rightly in 95 of 100 cases. Made once each, faults stand beside
// others: most of the time they wait for the server to be sure.
func (f fault) run(t *testing.T) {
	all, crowd := runs()
	if all == 1 {
		t.Parallel()
	}
	s := &scene{lab: labBeside(t)}
	f.make(s)
	if s.well.at != nil {
		s.session = s.server.session()
		s.publisher = s.well.open(0)
		s.well.enter(s.publisher, s.server.token(s.session, nil))
	}
	browser := s.ill.at.browser(s.ill.browser)
	right, slowest := 0, time.Duration(0)
	for done := 0; done < all; done += crowd {
		for _, took := range f.round(t, s, browser, crowd) {
			if took > 0 {
				right++
				slowest = max(slowest, took)
			}
		}
	}
	t.Logf("%s: %d of %d named rightly, the slowest after %v", f.code, right, all, slowest.Round(10*time.Millisecond))
	note(t, fmt.Sprintf("%-28s %3d of %3d  slowest %5.1f s\n", f.code, right, all, slowest.Seconds()))
	if right*100 < all*95 {
		t.Errorf("%s: %d of %d named rightly", f.code, right, all)
	}
}

// note appends to the suite's report.
func note(t *testing.T, line string) {
	file, err := os.OpenFile("../out/faults.txt", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = file.WriteString(line)
		_ = file.Close()
	}
	if err != nil {
		t.Log(err)
	}
}

// round lets a crowd of participants meet the fault; it returns how long each took to be named rightly, 0 for not.
func (f fault) round(t *testing.T, s *scene, b *browser, crowd int) []time.Duration {
	if s.publisher == nil { // a session ends with its last participant
		s.session = s.server.session()
	}
	people := make([]*participant, crowd)
	for i := range people {
		people[i] = b.participant(1+i%5, s.ill.sdk0())
		if s.ill.before != "" {
			people[i].script(nil, s.ill.before)
		}
		token := s.server.token(s.session, nil)
		if s.ill.through != "" {
			token = tokenHost.ReplaceAllString(token, "wss://"+s.ill.through)
		}
		people[i].join(token)
	}
	if s.strike != nil && !s.later {
		s.strike()
	}
	failed := make([]time.Time, crowd)
	for i, p := range people {
		if !s.passive {
			options := s.ill.publishes
			if options == nil {
				options = map[string]any{}
			}
			if err := p.try(&p.Stream, "publish", options); err != nil {
				t.Logf("publish ended with %v", err) // some faults refuse it; the SDK waits for nothing else
			}
		}
		failed[i] = time.Now()
	}
	if s.strike != nil && s.later {
		for _, p := range people {
			if s.publisher != nil {
				p.seesAndHears(s.publisher)
				if !s.passive {
					s.publisher.seesAndHears(p)
				}
			}
		}
		s.strike()
		for i := range failed {
			failed[i] = time.Now()
		}
	}
	if s.during != nil {
		for i, p := range people {
			s.during(p)
			failed[i] = time.Now()
		}
	}
	took := f.named(t, s, people, failed)
	if s.mend != nil {
		s.mend()
	}
	for _, p := range people {
		if err := p.try(nil, "call", "leave"); err != nil {
			t.Logf("leave: %v", err)
		}
		_ = p.try(nil, "close")
	}
	return took
}

// named waits until everybody's diagnosis is there, or it is too late; the time is 0 for those whose is not the right one.
func (f fault) named(t *testing.T, s *scene, people []*participant, since []time.Time) []time.Duration {
	within := f.within
	if within == 0 {
		within = namedIn
	}
	took := make([]time.Duration, len(people))
	settled := make([]bool, len(people))
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for slices.Contains(settled, false) {
		for i, p := range people {
			if settled[i] {
				continue
			}
			all := s.server.diagnosis(s.session, p.Connection)
			passed := time.Since(since[i])
			at := slices.IndexFunc(all, func(r finding) bool { return r.Code == f.code })
			switch {
			case at >= 0:
				settled[i], took[i] = true, f.judge(t, all, all[at], people, passed, within)
			case passed > within+time.Second:
				settled[i] = true
				t.Logf("%s was not named for %s within %v: %+v", f.code, p.Connection, within, all)
				t.Logf("timeline:\n%s", s.server.timeline(s.session))
			}
		}
		<-tick.C
	}
	return took
}

var unfilled = regexp.MustCompile(`\{[a-z]+\}`)

func (f fault) judge(t *testing.T, all []finding, r finding, ill []*participant, took, within time.Duration) time.Duration {
	switch {
	case took > within:
		t.Logf("%s was named after %v", f.code, took)
		return 0
	case r.Side != f.side || !strings.Contains(r.Fix, f.fix) || unfilled.MatchString(r.Fix) || len(r.Evidence) == 0:
		t.Logf("side %q, fix %q, evidence %q; want side %q and %q in the fix", r.Side, r.Fix, r.Evidence, f.side, f.fix)
		return 0
	}
	for _, other := range all {
		neighbour := slices.ContainsFunc(ill, func(p *participant) bool { return p.Stream != "" && p.Stream == other.StreamID })
		if other.Code == "SOURCE_SILENT" && neighbour {
			continue // the ill watch each other: that is true as well
		}
		if other.Code != f.code && other.Severity == "error" && other.Ended == 0 {
			t.Logf("%s was named, and %s beside it: %q", f.code, other.Code, other.Evidence)
			return 0
		}
	}
	return took
}

// diagnosis is what REST says of a connection.
func (s *server) diagnosis(session, connection string) []finding {
	s.lab.t.Helper()
	var answer struct{ Content []finding }
	s.content("/openvidu/api/sessions/"+session+"/connection/"+connection+"/diagnosis", &answer)
	return answer.Content
}

// timeline is a session's, as text.
func (s *server) timeline(session string) string {
	s.lab.t.Helper()
	var answer struct {
		Content []struct {
			Timestamp                        int64
			Source, ConnectionID, Kind, Text string
		}
	}
	s.content("/openvidu/api/sessions/"+session+"/timeline?limit=200", &answer)
	var lines strings.Builder
	for _, e := range answer.Content {
		fmt.Fprintf(&lines, "%s %-9s %-8s %-20s %.300s\n", time.UnixMilli(e.Timestamp).Format("05.000"), e.Source, e.ConnectionID, e.Kind, e.Text)
	}
	return lines.String()
}

// content is a GET of REST; what is not found is empty.
func (s *server) content(path string, into any) {
	s.lab.t.Helper()
	request, err := http.NewRequest(http.MethodGet, s.inside()+path, nil)
	if err != nil {
		s.lab.t.Fatal(err)
	}
	request.SetBasicAuth("OPENVIDUAPP", secret)
	response, err := s.lab.http(s.node).Do(request)
	if err != nil {
		s.lab.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != http.StatusOK {
		s.lab.t.Fatalf("GET %s: %s %v", path, response.Status, err)
	}
}

// sdk0 is the release of the SDK the guest uses.
func (g guest) sdk0() string {
	if g.sdk == "" {
		return newestSDK
	}
	return g.sdk
}
