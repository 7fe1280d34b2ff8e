package diagnosis

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"tertulia/internal/wire/mediactl"
)

// View is what the detectors are given of one connection. They change nothing of it.
type View struct {
	Now        int64 // Unix milliseconds
	Session    string
	Connection string
	Reached    string // "name:port" by which the client reached us, "" unknown
	Socket     Socket
	Endpoints  []*Endpoint
	Clues      Clues
	Filmed     int64 // when video of the client last came, Unix milliseconds; 0: never
	// Refused are requests of the connection that failed and were not made good since, by method.
	Refused map[string]Refusal
	Idle    Idle // what ends this connection's websocket
	Others  Others
	Host    *Host
}

// Socket is a connection's websocket.
type Socket struct {
	Lost   int64 // when it was lost, Unix milliseconds; 0: it is open
	Quiet  bool  // it was lost after a long silence, not by a close
	Silent int64 // milliseconds since the client's latest message, of an open one; -1 unknown
}

// Refusal is a request that failed.
type Refusal struct{ Stream, Code, Text string }

// Idle is a timer between the client and us that was recognised.
type Idle struct {
	Seconds int64
	Times   int // it has struck, all clients together
	At      int64
}

// Endpoint is one transport of the connection.
type Endpoint struct {
	Name      string
	Stream    string
	Publisher string // connection id of the source; "" for the connection's own stream
	Facts     mediactl.Facts
	Read      int64     // when Facts were read, Unix milliseconds
	Past      []Reading // the counts of then and before, the oldest first
	// When it was first seen so, Unix milliseconds; 0: not yet.
	Checked, Nominated, Connected int64
	Video                         VideoTerms
	Announced                     Announced // of the stream
	Source                        *Endpoint // of a subscription; nil unknown
	NAT                           Idle

	turnedOn map[string]int64 // by kind: when it was first seen announced as active again, Unix milliseconds

	owner string // connection
	moved int64  // when the latest move that was counted was, Unix milliseconds
}

// Reading is what was counted at a time.
type Reading struct {
	At     int64
	Tracks []mediactl.TrackFacts
}

// Announced is what the session says of a stream now.
type Announced struct {
	Known        bool
	Audio, Video bool // active: there, and not muted
	Screen       bool // its video may rest
}

// active says whether media of a kind is to be expected.
func (a Announced) active(kind string) bool {
	return a.Known && (kind == "audio" && a.Audio || kind == "video" && a.Video)
}

// VideoTerms are the codecs of a stream whose video was left out.
type VideoTerms struct {
	Missing          bool
	asked            bool
	Offered, Allowed []string
}

// Others is how the participants of other networks come to us, as far as they are outside this machine.
type Others struct {
	UDP    int // networks that use UDP now
	Lately int // that did in the last ten minutes
	Other  int // that use TCP or a relay now, this connection's own included
}

// Host is what is known of this machine.
type Host struct {
	Port       int
	Addresses  []netip.Addr // of its interfaces
	Configured string       // DOMAIN_OR_PUBLIC_IP
	Resolved   []netip.Addr // what that is, or leads to
	Verified   []netip.Addr // its public addresses, as others see them; empty: unknown
	TURN       []TURNState  // of the servers clients are told of
	Rule       string       // firewall rules that open Port, ready to paste
}

// owns says whether an address, with its port, is one of this machine.
func (h *Host) owns(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && slices.Contains(h.Addresses, a.Addr().Unmap())
}

// TURNState is what a probe of a TURN server has found.
type TURNState struct {
	URL  string
	Code Code // "" if it works
	Text string
}

// address is the one clients should reach; reached is the host by which one of them has.
func (h *Host) address(reached string) string {
	if host, _, err := net.SplitHostPort(reached); err == nil {
		reached = host
	}
	switch {
	case len(h.Verified) > 0:
		return h.Verified[0].String()
	case len(h.Resolved) > 0:
		return h.Resolved[0].String()
	case h.Configured != "":
		return h.Configured
	case reached != "":
		return reached
	}
	for _, a := range h.Addresses {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			return a.String()
		}
	}
	return "this server"
}

// misled says whether DOMAIN_OR_PUBLIC_IP is neither ours nor the address we are seen by. What the client reached us by
// is proof where nothing else is.
func (v *View) misled() bool {
	h := v.Host
	if len(h.Resolved) == 0 {
		return false
	}
	for _, a := range h.Resolved {
		if slices.Contains(h.Addresses, a) || slices.Contains(h.Verified, a) || a.IsLoopback() {
			return false
		}
	}
	if len(h.Verified) > 0 {
		return true
	}
	host := v.Reached
	if a, err := netip.ParseAddrPort(host); err == nil {
		return !slices.Contains(h.Resolved, a.Addr().Unmap()) && !a.Addr().IsLoopback()
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && !slices.Contains(h.Resolved, a.Unmap()) && !a.IsLoopback()
}

// since returns how long ago a time was, in milliseconds; -1 for never.
func (v *View) since(at int64) int64 {
	if at == 0 {
		return -1
	}
	return v.Now - at
}

// connected says for how long keys have been there, -1 if they are not.
func (v *View) connected(e *Endpoint) int64 {
	if e.Facts.State != "connected" {
		return -1
	}
	return v.since(e.Connected)
}

// cutAfter is the silence of a connected endpoint, in milliseconds, after which nothing will come: browsers check every
// 2.5 s (Chromium) to 6 s (RFC 7675), and report every second or few.
const cutAfter = 6500

// silent says whether neither check nor media has come for that long.
func (e *Endpoint) silent() bool {
	return older(e.Facts.Consent, cutAfter) && older(e.Facts.Heard, cutAfter)
}

// alive says that the client was heard lately: then its media, if it is missing, is missing for a reason of its own. The
// limit is below mutedAfter, so that of a transport that was cut nothing is said of its media.
func (e *Endpoint) alive() bool {
	return !older(e.Facts.Consent, aliveFor) || !older(e.Facts.Heard, aliveFor)
}

const aliveFor = 5000

// older says whether something is longer ago than a limit, or has never been.
func older(age, limit int64) bool { return age < 0 || age >= limit }

// selected returns the path in use, nil if there is none.
func (e *Endpoint) selected() *mediactl.Path {
	for i := range e.Facts.Paths {
		if e.Facts.Paths[i].Selected {
			return &e.Facts.Paths[i]
		}
	}
	return nil
}

// track returns a media line, nil if there is none.
func (e *Endpoint) track(kind string, sends bool) *mediactl.TrackFacts {
	return trackOf(e.Facts.Tracks, kind, sends)
}

func trackOf(tracks []mediactl.TrackFacts, kind string, sends bool) *mediactl.TrackFacts {
	for i := range tracks {
		if tracks[i].Kind == kind && tracks[i].Sends == sends {
			return &tracks[i]
		}
	}
	return nil
}

// window is how far back counts are compared, in milliseconds.
const window = 3500

// earlier returns the latest reading that is at least a window old, nil if there is none.
func (e *Endpoint) earlier() *Reading {
	for i := len(e.Past) - 1; i >= 0; i-- {
		if e.Read-e.Past[i].At >= window {
			return &e.Past[i]
		}
	}
	return nil
}

// change is what a track did between an earlier reading and now.
type change struct {
	packets, octets, lost, asked, keyframes float64
	heard                                   float64 // of a track we send: packets the viewer heard of
	reports                                 float64
	ms                                      int64
}

// What a client claims is believed of 2 s at least, and of 10 packets.
const (
	claimedOver  = 2000 // milliseconds
	reportsEvery = 1000 // milliseconds, of video in browsers
	claimedLeast = 10
)

// missing is how many packets more the client says it has sent than have come.
func missing(t *mediactl.TrackFacts) int64 { return int64(t.Claimed) - int64(t.Packets) }

// claims says that the client's own sender reports tell of packets of a kind that did not arrive: none, or next to none,
// of what it has sent since. A report tells late of what has come, and of what was lost long ago: so it is how much more is
// missing now than when the silence began.
func (e *Endpoint) claims(kind string) bool {
	t := e.track(kind, false)
	past := silence(e, t)
	if past == nil {
		return false
	}
	b := trackOf(past.Tracks, kind, false)
	if b == nil || b.Claimed == 0 || b.Packets > t.Packets {
		return false
	}
	more := min(missing(t), missing(t)-missing(b))
	return more >= claimedLeast && int64(t.Packets-b.Packets)*4 < more
}

// silence is the first reading after a track's latest packet, of those that are old enough to be compared with, or else the
// last of these; nil if there is none.
func silence(e *Endpoint, t *mediactl.TrackFacts) (last *Reading) {
	if t == nil {
		return nil
	}
	for i := range e.Past {
		past := &e.Past[i]
		if e.Read-past.At < claimedOver {
			break
		}
		if last = past; t.Latest >= 0 && past.At >= e.Read-t.Latest+reportsEvery {
			break
		}
	}
	return last
}

// change compares a track with an earlier reading; ok is false if there is none.
func (e *Endpoint) change(kind string, sends bool) (c change, ok bool) {
	t, past := e.track(kind, sends), e.earlier()
	if t == nil || past == nil {
		return change{}, false
	}
	b := trackOf(past.Tracks, kind, sends)
	if b == nil || b.Packets > t.Packets {
		return change{}, false
	}
	return change{
		packets: float64(t.Packets - b.Packets), octets: float64(t.Octets) - float64(b.Octets), lost: float64(t.Lost - b.Lost),
		asked: float64(t.Asked) - float64(b.Asked), keyframes: float64(t.Keyframes) - float64(b.Keyframes),
		heard: float64(t.Report.Heard - b.Report.Heard), reports: float64(t.Reports - b.Reports), ms: e.Read - past.At,
	}, true
}
