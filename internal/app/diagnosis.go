package app

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"tertulia/internal/api/signal"
	"tertulia/internal/diagnosis"
	"tertulia/internal/event"
	"tertulia/internal/media/sdp"
	"tertulia/internal/node"
	"tertulia/internal/session"
	"tertulia/internal/wire/mediactl"
)

// observed gives every event to the journal and to the watch; neither waits.
func observed(journal *diagnosis.Journal, watch *diagnosis.Watch) func(event.Event) {
	return func(e event.Event) {
		journal.Add(e)
		watch.Event(e)
	}
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

// Stream implements diagnosis.Calls.
func (c *calls) Stream(id, connection string) diagnosis.Published {
	state, err := c.sessions.State(id)
	if err != nil {
		return diagnosis.Published{}
	}
	for _, other := range state.Connections {
		if s := other.Stream; s != nil && other.ID == connection {
			return diagnosis.Published{Stream: s.ID, Announced: diagnosis.Announced{
				Known: true, Screen: s.Media.TypeOfVideo == "SCREEN",
				Audio: s.Media.HasAudio && s.Media.AudioActive, Video: s.Media.HasVideo && s.Media.VideoActive,
			}}
		}
	}
	return diagnosis.Published{}
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

// hostFacts is what the diagnosis is told of this machine. Only the watch reads it.
type hostFacts struct {
	port       int
	configured string                       // DOMAIN_OR_PUBLIC_IP
	resolved   []netip.Addr                 // what it is, or leads to
	verified   func() []netip.Addr          // public addresses that others have seen; nil: nobody was asked
	turn       func() []diagnosis.TURNState // of probes; nil: none are made

	own   []netip.Addr // of the interfaces
	asked time.Time
}

// interfacesFor is how long the list of interfaces is believed.
const interfacesFor = 10 * time.Second

// read does not wait for anybody.
func (h *hostFacts) read() diagnosis.Host {
	if now := time.Now(); now.Sub(h.asked) >= interfacesFor {
		h.own, h.asked = interfaceAddresses(), now
	}
	found := diagnosis.Host{Port: h.port, Configured: h.configured, Resolved: h.resolved, Addresses: h.own}
	if h.verified != nil {
		found.Verified = h.verified()
	}
	if h.turn != nil {
		found.TURN = h.turn()
	}
	return found
}

// interfaceAddresses are this machine's own; none if the system does not say.
func interfaceAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}
