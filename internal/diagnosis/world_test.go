package diagnosis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
)

// world is calls made up for a watch, in fake time: endpoints whose facts follow from the time since they joined.
type world struct {
	t       *testing.T
	watch   *Watch
	journal *Journal
	log     bytes.Buffer

	mu        sync.Mutex
	endpoints map[string]map[string]*actor // by session and name
	announced map[string]Announced         // by connection
	silence   map[string]time.Duration
	failing   bool
	asked     int
	reports   []Record
}

// actor is one endpoint.
type actor struct {
	joined time.Time
	facts  func(age int64) mediactl.Facts
}

// within runs a test in a bubble with a watch that is stopped at its end.
func within(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, journal: NewJournal(), endpoints: map[string]map[string]*actor{}, announced: map[string]Announced{},
			silence: map[string]time.Duration{},
		}
		w.watch = New(Config{
			Calls: w, Journal: w.journal, Host: func() Host { return *host() }, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
			Report: w.report,
		})
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { over <- w.watch.Run(ctx) }()
		test(w)
		stop()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func (w *world) tell(session, connection string, body event.Body) {
	e := event.Event{At: time.Now().UnixMilli(), Session: session, Connection: connection, Body: body}
	w.journal.Add(e)
	w.watch.Event(e)
}

// join brings a participant in.
func (w *world) join(session, connection, address string) {
	w.tell(session, connection, event.Joined{Address: address, Host: "203.0.113.5:4443", Platform: "Chrome 156"})
}

// publish gives it a stream; facts say how its endpoint does at an age in milliseconds.
func (w *world) publish(session, connection string, facts func(age int64) mediactl.Facts) {
	w.add(session, connection, facts)
	w.mu.Lock()
	w.announced[connection] = Announced{Known: true, Audio: true, Video: true}
	w.mu.Unlock()
	w.tell(session, connection, event.Published{Stream: "str_" + connection, Endpoint: connection, Audio: "opus", Video: "VP8", HasVideo: true})
}

func (w *world) add(session, name string, facts func(age int64) mediactl.Facts) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.endpoints[session] == nil {
		w.endpoints[session] = map[string]*actor{}
	}
	w.endpoints[session][name] = &actor{time.Now(), facts}
}

// announce says what a connection's stream carries from now on.
func (w *world) announce(connection string, a Announced) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.announced[connection] = a
}

func (w *world) report(r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
}

// told returns what was reported so far.
func (w *world) told() []Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.reports)
}

// remove ends an endpoint, of which the media node knows nothing any more.
func (w *world) remove(session, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.endpoints[session], name)
}

// quiet says for how long a connection's websocket has been silent.
func (w *world) quiet(connection string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence[connection] = d
}

// Facts implements Calls.
func (w *world) Facts(_ context.Context, session, endpoint string) ([]mediactl.Facts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing {
		return nil, errors.New("the media node is away")
	}
	var list []mediactl.Facts
	for name, a := range w.endpoints[session] {
		if endpoint == "" || endpoint == name {
			f := a.facts(time.Since(a.joined).Milliseconds())
			f.Session, f.Endpoint = session, name
			list = append(list, f)
			w.asked++
		}
	}
	return list, nil
}

// Streams implements Calls.
func (w *world) Streams(string) map[string]Published {
	w.mu.Lock()
	defer w.mu.Unlock()
	streams := map[string]Published{}
	for connection, announced := range w.announced {
		streams[connection] = Published{Stream: "str_" + connection, Announced: announced}
	}
	return streams
}

// Video implements Calls.
func (w *world) Video(context.Context, string, string) (offered, allowed []string) {
	return []string{"H264"}, []string{"VP8"}
}

// Silence implements Calls.
func (w *world) Silence(_, connection string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d, ok := w.silence[connection]; ok {
		return d
	}
	return 1200 * time.Millisecond
}

// open returns the codes of a connection's open records.
func (w *world) open(session, connection string) string {
	records, _ := w.journal.Diagnosis(session, connection)
	var list []string
	for _, r := range records {
		if r.Ended == 0 {
			list = append(list, string(r.Code))
		}
	}
	return strings.Join(list, " ")
}

// rest lets time pass.
func (w *world) rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// flowing are the facts of a publisher in order at an age: they grow with it. Its handshake takes 300 ms; its second
// candidate never works.
func flowing(age int64) mediactl.Facts {
	f := publisher().Facts
	f.Age, f.Consent, f.Heard = age, age%2500, age%20
	if age < 300 {
		f.State, f.Cipher, f.Heard, f.Hellos = "checking", "", -1, 1
	}
	f.Paths[0].Heard = f.Heard
	n := uint64(max(0, age-300))
	f.Tracks = []mediactl.TrackFacts{
		{Kind: "audio", Codec: "opus", Packets: n / 20, Octets: n / 20 * 80, Latest: latest(n, age%20), Largest: 120},
		{Kind: "video", Codec: "VP8", Packets: n / 10, Octets: n / 10 * 1000, Latest: latest(n, age%30), Largest: 1180, Keyframes: n / 10_000, Asked: 1},
	}
	return f
}

func latest(packets uint64, age int64) int64 {
	if packets == 0 {
		return -1
	}
	return age
}

// received are those of a viewer in order; reports about sound come every 5 s, about video every second.
func received(age int64) mediactl.Facts {
	f := viewer().Facts
	f.Age, f.Consent, f.Heard = age, age%2500, age%1000
	if age < 300 {
		f.State, f.Cipher, f.Heard = "checking", "", -1
	}
	n := max(0, age-300)
	f.Tracks = []mediactl.TrackFacts{
		{Kind: "audio", Codec: "opus", Sends: true, Packets: uint64(n / 20), Latest: latest(uint64(n), age%20), Largest: 120,
			Reports: n / 5000, Report: mediactl.Report{Age: n % 5000, Sent: uint64(n / 5000 * 250), Heard: n / 5000 * 250}},
		{Kind: "video", Codec: "VP8", Sends: true, Packets: uint64(n / 10), Octets: uint64(n) * 100, Latest: latest(uint64(n), age%30), Largest: 1180,
			Reports: n / 1000, Report: mediactl.Report{Age: n % 1000, Sent: uint64(n / 1000 * 100), Heard: n / 1000 * 100}},
	}
	return f
}

// deaf are those of a participant whom nothing reaches.
func deaf(age int64) mediactl.Facts {
	f := unreached().Facts
	f.Age = age
	return f
}

// address is one of a network of its own for each number.
func address(i int) string { return fmt.Sprintf("198.51.%d.%d:50000", i/250, i%250+1) }
