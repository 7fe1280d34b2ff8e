package diagnosis

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"tertulia/internal/event"
	"tertulia/internal/wire/mediactl"
)

// prepared answers with facts that were made before: what making them costs is the media node's.
type prepared struct{ facts map[string][]mediactl.Facts }

func (p *prepared) Facts(_ context.Context, session, _ string) ([]mediactl.Facts, error) {
	return p.facts[session], nil
}

func (p *prepared) Streams(session string) map[string]Published {
	if p.facts[session] == nil {
		return nil
	}
	return map[string]Published{"con_0": {Announced: Announced{Known: true, Audio: true, Video: true}}}
}

func (p *prepared) Video(context.Context, string, string) (offered, allowed []string) {
	return nil, nil
}

func (p *prepared) Silence(string, string) time.Duration { return -1 }

// BenchmarkLook is one look at all of 2,500 healthy endpoints, of 50 calls. In use each is looked at once in 3 s, so a
// third of ns/endpoint is what an endpoint-second costs.
func BenchmarkLook(b *testing.B) {
	const calls, people = 50, 50
	p := &prepared{facts: map[string][]mediactl.Facts{}}
	w := New(Config{Calls: p, Journal: NewJournal(), Host: func() Host { return *host() }, Log: slog.New(slog.DiscardHandler)})
	w.host = *host()
	for i := range calls {
		session := fmt.Sprint("s", i)
		for j := range people {
			id := fmt.Sprintf("con_%d", j)
			f := flowing(60_000)
			if j > 0 {
				f = received(60_000)
				f.Source = "con_0"
				f.Endpoint = id + "_str_con_0"
				w.take(event.Event{At: start, Session: session, Connection: id, Body: event.Subscribed{Stream: "str_con_0", Publisher: "con_0", Endpoint: f.Endpoint}})
			} else {
				f.Endpoint = id
				w.take(event.Event{At: start, Session: session, Connection: id, Body: event.Published{Stream: "str_con_0", Endpoint: id}})
			}
			f.Session = session
			p.facts[session] = append(p.facts[session], f)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range w.calls {
			c.whole = 0
			w.examine(b.Context(), c)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(calls*people), "ns/endpoint")
}

// BenchmarkClientLine is what a line of a client costs.
func BenchmarkClientLine(b *testing.B) {
	j, _ := journalOf()
	line := []ClientLine{{At: start, Level: "INFO", Text: `{"0":"IceConnectionState of RTCPeerConnection 5e0f (publisher of con_ann) change to \"connected\""}`}}
	b.ReportAllocs()
	for b.Loop() {
		j.ClientLines("s", "con_ann", line, start)
	}
}
