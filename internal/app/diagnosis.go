package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tertulia/internal/api/signal"
	"tertulia/internal/diagnosis"
	"tertulia/internal/event"
	"tertulia/internal/media/sdp"
	"tertulia/internal/metrics"
	"tertulia/internal/node"
	"tertulia/internal/reach"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
)

// observed gives every event to each listener; none may wait.
func observed(listeners ...func(event.Event)) func(event.Event) {
	return func(e event.Event) {
		for _, tell := range listeners {
			tell(e)
		}
	}
}

// reported tells of every record as an event: when it begins, and when it is over.
func reported(tell func(event.Event)) func(diagnosis.Record) {
	return func(r diagnosis.Record) {
		tell(event.Event{
			At: cmp.Or(r.Ended, r.At), Session: r.Session, Connection: r.Connection,
			Body: event.Diagnosed{
				Code: string(r.Code), Severity: string(r.Severity), Side: string(r.Side), Stream: r.Stream, Ended: r.Ended != 0,
			},
		})
	}
}

// faults counts what was found in calls, and of how the server is used, by code. Its map is not changed once it is made.
type faults map[diagnosis.Code]*atomic.Uint64

func newFaults() faults {
	f := faults{}
	for i := range diagnosis.Catalogue {
		if row := &diagnosis.Catalogue[i]; row.Scope == diagnosis.InCall || row.Scope == diagnosis.InUse {
			f[row.Code] = new(atomic.Uint64)
		}
	}
	return f
}

// event counts a fault that begins.
func (f faults) event(e event.Event) {
	found, ok := e.Body.(event.Diagnosed)
	if n := f[diagnosis.Code(found.Code)]; ok && !found.Ended && n != nil {
		n.Add(1)
	}
}

// samples are in the catalogue's order, those that were never found too: a rate needs to see the first.
func (f faults) samples() []metrics.Sample {
	const name, help = "tertulia_diagnoses_total", "Faults that were found in calls, by code: the timeline of the session has each, docs/reference/diagnosis.md what it means."
	var list []metrics.Sample
	for i := range diagnosis.Catalogue {
		code := diagnosis.Catalogue[i].Code
		if n := f[code]; n != nil {
			list = append(list, by("code", string(code), name, help, n.Load()))
		}
	}
	return list
}

// calls answers what the diagnosis asks about calls; it is diagnosis' Calls. Its fields are set before its watch runs.
type calls struct {
	media    *node.Node
	sessions *session.Registry
	clients  *signal.Server
}

// Facts implements diagnosis.Calls. A session without media has none.
func (c *calls) Facts(ctx context.Context, id, endpoint string) ([]mediactl.Facts, error) {
	return c.media.Facts(ctx, id, endpoint)
}

// Streams implements diagnosis.Calls.
func (c *calls) Streams(id string) map[string]diagnosis.Published {
	state, err := c.sessions.State(id)
	if err != nil {
		return nil
	}
	streams := map[string]diagnosis.Published{}
	for _, other := range state.Connections {
		if s := other.Stream; s != nil {
			streams[other.ID] = diagnosis.Published{Stream: s.ID, Announced: announced(s)}
		}
	}
	return streams
}

// announced is what a publisher has said that it sends now.
func announced(s *session.Stream) diagnosis.Announced {
	m := &s.Media
	return diagnosis.Announced{
		Known: true, Screen: m.TypeOfVideo == "SCREEN", Audio: m.HasAudio && m.AudioActive, Video: m.HasVideo && m.VideoActive,
	}
}

// Video implements diagnosis.Calls.
func (c *calls) Video(ctx context.Context, id, endpoint string) (offered, allowed []string) {
	state, err := c.sessions.State(id)
	if err != nil {
		return nil, nil
	}
	allowed = state.VideoCodecs()
	stats, err := c.media.Stats(ctx, id)
	if err != nil {
		return nil, allowed
	}
	for _, s := range stats {
		if s.Endpoint == endpoint {
			offered = videoCodecs(s.RemoteSDP)
		}
	}
	return offered, allowed
}

// videoCodecs are those a description names, without what repairs them.
func videoCodecs(description string) []string {
	d, err := sdp.Parse(description)
	if err != nil {
		return nil
	}
	var names []string
	for _, section := range d.Sections {
		for _, codec := range section.Codecs {
			repairs := slices.Contains([]string{"rtx", "red", "ulpfec", "flexfec-03"}, codec.Name)
			if section.Kind == "video" && !repairs && !slices.Contains(names, codec.Name) {
				names = append(names, codec.Name)
			}
		}
	}
	return names
}

// Silence implements diagnosis.Calls.
func (c *calls) Silence(id, connection string) time.Duration {
	return c.clients.Silence(id, connection)
}

// host is what the diagnosis is told of this machine. It does not wait for anybody.
func (r *reached) host() diagnosis.Host {
	found := r.watch.Finding()
	h := diagnosis.Host{
		Port: int(r.port), Configured: r.domain, Resolved: found.Resolved, Addresses: found.Interfaces,
		Rule: strings.Join(reach.Rules(r.port, "udp"), " or "),
	}
	if found.Verified {
		h.Verified = found.Public
	}
	for _, p := range r.watch.TURN() {
		h.TURN = append(h.TURN, diagnosis.TURNState{URL: p.URL, Code: diagnosis.Code(p.Code), Text: p.Text})
	}
	return h
}
