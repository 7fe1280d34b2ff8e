package peer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tertulia/internal/media"
	"tertulia/internal/media/forward"
	"tertulia/internal/media/receive"
	"tertulia/internal/media/sdp"
)

// Never is the age of what has not happened.
const Never time.Duration = -1

// Facts are a snapshot of what helps to say why media does not flow. Ages are before the snapshot, or [Never].
type Facts struct {
	State  State
	Reason string        // of the state Failed
	Age    time.Duration // since both descriptions are known

	Offered   []string // our candidates
	Signalled []string // the client's, those of its description included
	Repairs   []sdp.Repair

	Paths         []PathFacts // that live; those over a closed connection do not
	Moves         []Move      // the latest, oldest first
	Moved         int         // how often, in all
	WrongPassword uint64      // checks that named the endpoint and did not verify
	WrongFragment uint64      // verified ones from another ICE generation than the client's description
	Consent       time.Duration

	Hellos      uint64 // DTLS records that came before the keys
	Attempts    int    // DTLS handshakes begun
	Broken      string // why the latest one did not finish
	Fingerprint bool   // the client's certificate was not the one its description announced
	Cipher      string
	Forged      uint64
	Heard       time.Duration // age of the latest packet under the keys

	Tracks []TrackFacts
}

// PathFacts is one way that packets take.
type PathFacts struct {
	Protocol  string // "udp", "tcp", "relay"
	Local     netip.AddrPort
	Remote    netip.AddrPort
	Checks    uint64
	Nominated bool
	Selected  bool
	Heard     time.Duration
}

// Move is a change of the client's address under its keys.
type Move struct {
	At       time.Duration // age
	Silence  time.Duration // of the old address before it
	From, To string        // "udp 192.0.2.1:5000"
}

// TrackFacts is one media line. Received or Sent tells which way it goes; it is zero until something can flow.
type TrackFacts struct {
	Kind, Codec string
	Sends       bool
	Received    receive.Stats
	FrameRate   int // of a video we receive, in the latest second
	Sent        forward.Stats
	Latest      time.Duration
	Reported    time.Duration // of a track we send: the age of Sent.Report
	Former      time.Duration // of Sent.Former
}

// Facts returns a snapshot.
func (e *Endpoint) Facts(ctx context.Context) (Facts, error) {
	list, err := FactsOf(ctx, []*Endpoint{e})
	if err != nil {
		return Facts{}, err
	}
	return list[0], nil
}

// factsAtOnce bounds how long a shard is kept from its packets: some 2 µs each.
const factsAtOnce = 32

// FactsOf returns snapshots of several endpoints, in their order: a shard is asked for many of its own at once.
func FactsOf(ctx context.Context, endpoints []*Endpoint) ([]Facts, error) {
	of := map[*Shard][]int{}
	for i, e := range endpoints {
		of[e.shard] = append(of[e.shard], i)
	}
	list := make([]Facts, len(endpoints))
	for s, all := range of {
		for some := range slices.Chunk(all, factsAtOnce) {
			err := s.Do(ctx, func() {
				for _, i := range some {
					list[i] = snapshot(endpoints[i])
				}
			})
			if err != nil {
				return nil, err // list may still be written
			}
		}
	}
	return list, nil
}

func snapshot(e *Endpoint) Facts {
	now := e.shard.now
	f := Facts{
		State: e.state, Age: age(now, e.agreed), Repairs: e.repairs,
		Signalled: slices.Clip(e.signalled), // it is only ever added to
		Moved:     e.moved, WrongPassword: e.wrongPassword, WrongFragment: e.wrongFragment, Consent: age(now, e.verified),
		Hellos: e.hellos, Attempts: e.attempts, Broken: e.broken, Fingerprint: e.refused == errFingerprint.Error(),
		Forged: e.forged, Heard: age(now, e.heard),
	}
	if e.offered != "" {
		f.Offered = strings.Split(e.offered, "\n")
	}
	if e.state == Failed {
		f.Reason = e.reason
	}
	if e.out != nil {
		f.Cipher = fmt.Sprint(e.profile)
	}
	for _, p := range e.paths {
		f.Paths = append(f.Paths, PathFacts{
			Protocol: p.protocol(), Local: netip.AddrPortFrom(p.local, e.shard.config.Port), Remote: p.remote,
			Checks: p.checks, Nominated: p.nominated, Selected: p == e.selected, Heard: age(now, p.heard),
		})
	}
	for _, m := range e.moves {
		f.Moves = append(f.Moves, Move{At: age(now, m.at), Silence: time.Duration(m.silence), From: m.from, To: m.to})
	}
	for _, sec := range e.sections {
		f.Tracks = sec.facts(now, f.Tracks)
	}
	return f
}

// facts appends what a section receives and what it sends: both, where a publisher is sent its own.
func (sec *section) facts(now media.Time, list []TrackFacts) []TrackFacts {
	row := TrackFacts{Kind: sec.kind, Codec: sec.codec.Name, Latest: Never, Reported: Never, Former: Never}
	if sec.track != nil {
		in := row
		if sec.receiver != nil {
			in.Received, in.FrameRate = sec.receiver.Stats(), sec.framesPerSecond()
			in.Latest = age(now, in.Received.Latest)
		}
		list = append(list, in)
	}
	if sec.source != nil {
		out := row
		out.Sends = true
		if sec.forwarder != nil {
			out.Sent = sec.forwarder.Stats()
			out.Latest = age(now, out.Sent.Latest)
			out.Reported, out.Former = age(now, out.Sent.Report.At), age(now, out.Sent.Former.At)
		}
		list = append(list, out)
	}
	return list
}

// age is how long ago something was.
func age(now, at media.Time) time.Duration {
	if at == 0 {
		return Never
	}
	return time.Duration(now - at)
}
