package pipeline

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tertulia/internal/media/forward"
	"tertulia/internal/media/peer"
	"tertulia/internal/wire/mediactl"
)

// Facts returns what is known of one endpoint, or with an empty name of all, by name; none for an unknown one.
func (p *Pipeline) Facts(ctx context.Context, name string) ([]mediactl.Facts, error) {
	p.mu.Lock()
	endpoints := map[string]*Endpoint{}
	if e := p.endpoints[name]; e != nil {
		endpoints[name] = e
	} else if name == "" {
		endpoints = maps.Clone(p.endpoints)
	}
	p.mu.Unlock()
	names := slices.Sorted(maps.Keys(endpoints))
	var transports []*peer.Endpoint
	for _, n := range names {
		transports = append(transports, endpoints[n].transport)
	}
	facts, err := peer.FactsOf(ctx, transports)
	if err != nil {
		return nil, err
	}
	list := make([]mediactl.Facts, len(facts))
	for i := range facts {
		list[i] = factsOf(&facts[i])
		list[i].Session, list[i].Endpoint, list[i].Source = p.session, names[i], endpoints[names[i]].source
	}
	return list, nil
}

func factsOf(f *peer.Facts) mediactl.Facts {
	out := mediactl.Facts{
		State: string(f.State), Reason: f.Reason, Age: milliseconds(f.Age), Offered: f.Offered, Signalled: f.Signalled,
		Moved: f.Moved, WrongPassword: f.WrongPassword, WrongFragment: f.WrongFragment, Consent: milliseconds(f.Consent),
		Hellos: f.Hellos, Attempts: f.Attempts, Handshake: f.Broken, Fingerprint: f.Fingerprint, Cipher: f.Cipher,
		Forged: f.Forged, Heard: milliseconds(f.Heard),
	}
	for _, r := range f.Repairs {
		out.Repairs = append(out.Repairs, mediactl.Repair(r))
	}
	for _, p := range f.Paths {
		out.Paths = append(out.Paths, mediactl.Path{
			Protocol: p.Protocol, Local: text(p.Local), Remote: text(p.Remote), Checks: p.Checks,
			Nominated: p.Nominated, Selected: p.Selected, Heard: milliseconds(p.Heard),
		})
	}
	for _, m := range f.Moves {
		out.Moves = append(out.Moves, mediactl.Move{At: milliseconds(m.At), Silence: milliseconds(m.Silence), From: m.From, To: m.To})
	}
	for i := range f.Tracks {
		out.Tracks = append(out.Tracks, trackFacts(&f.Tracks[i]))
	}
	return out
}

func trackFacts(t *peer.TrackFacts) mediactl.TrackFacts {
	out := mediactl.TrackFacts{
		Kind: t.Kind, Codec: t.Codec, Sends: t.Sends, Latest: milliseconds(t.Latest),
	}
	if in := &t.Received; !t.Sends {
		out.Packets, out.Octets, out.Largest = in.Packets, in.Octets, in.Largest
		out.Lost, out.Fraction, out.Keyframes = in.Lost, int(in.Fraction), in.Keyframes
		out.Asked, out.NACKed, out.Claimed = in.KeyframeRequests, in.NACKed, in.Claimed
		out.Recovered, out.Jitter, out.Pictures, out.FrameRate = in.Recovered, in.Jitter.Milliseconds(), in.Pictures, t.FrameRate
		if in.Measured {
			out.RTT = roundTrip(in.RTT)
		}
		return out
	}
	sent := &t.Sent
	out.Packets, out.Octets, out.Largest = sent.Packets, sent.Octets, sent.Largest
	out.Lost, out.Fraction = sent.Lost, int(sent.FractionLost*256)
	out.Reports, out.Report, out.Former = sent.Reports, report(sent.Report, t.Reported), report(sent.Former, t.Former)
	out.Asked, out.NACKed, out.RTT = sent.KeyframeRequests, sent.NACKed, roundTrip(sent.RTT)
	return out
}

func report(r forward.Report, age time.Duration) mediactl.Report {
	return mediactl.Report{Age: milliseconds(age), Sent: r.Sent, Heard: r.Heard, Trip: roundTrip(time.Duration(r.Trip))}
}

// roundTrip is 0 for what is not known, and never for what is.
func roundTrip(d time.Duration) int64 {
	if d == 0 {
		return 0
	}
	return max(d.Milliseconds(), 1)
}

// milliseconds keeps "never" apart from "just now".
func milliseconds(age time.Duration) int64 {
	if age == peer.Never {
		return -1
	}
	return age.Milliseconds()
}

func text(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
