package peer

import (
	"context"
	"slices"
	"strings"

	"tertulia/internal/fault"
	"tertulia/internal/media"
	"tertulia/internal/media/congestion"
	"tertulia/internal/media/sdp"
)

// Description is our half of a negotiation.
type Description struct {
	SDP        string
	Candidates []Candidate    // also in SDP
	Tracks     []*media.Track // what the client publishes: at most one audio and one video
	Audio      string         // codec that flows ("opus"), "" where the kind does not
	Video      string
}

// PublishOptions say what a publisher may do.
type PublishOptions struct {
	Video    []string       // codecs allowed, all when empty
	Tracks   []*media.Track // of the endpoint this one replaces: they are fed anew, and their subscribers go on
	Loopback bool           // send the client its own media back
	MaxKbps  int            // what it may send us, by b=AS and REMB; 0 unlimited. Limit changes it
	Strict   bool           // refuse an offer with video but none of the codecs allowed, rather than take its audio only
}

// SubscribeOptions say what a subscriber gets. Audio and Video are for OfferSubscribe: which sections the client
// expects; a section without track stays inactive.
type SubscribeOptions struct {
	Tracks       []*media.Track
	Audio, Video bool
	Strict       bool // refuse an offer for video without the codec of the track, rather than send the audio only
}

// AcceptPublish answers a client that offers its media. The error is an sdp_invalid or codec_mismatch fault.
func (e *Endpoint) AcceptPublish(ctx context.Context, offer string, o PublishOptions) (Description, error) {
	d, err := parse(offer)
	if err != nil {
		return Description{}, err
	}
	if slices.ContainsFunc(o.Tracks, func(t *media.Track) bool { return t.Shard != e.shard.index }) {
		return Description{}, fault.New(fault.MediaFailed, "endpoint %s: the tracks to be fed are another shard's; give them to Open", e.config.Name)
	}
	p := plan{offer: &d, endpoint: e, media: make([]sdp.Media, len(d.Sections)), sections: make([]*section, len(d.Sections))}
	for _, kind := range []string{"audio", "video"} {
		p.publish(kind, o)
	}
	if !p.flows() || o.Strict && p.lacksVideo() {
		return Description{}, fault.New(fault.CodecMismatch, "SDP offer: no section can be received: %s; allowed video: %v",
			p.offered(), o.Video)
	}
	if ssrc, twice := p.collision(); twice {
		return Description{}, fault.New(fault.SDPInvalid, "SDP offer: SSRC %d is declared twice; every source needs its own", ssrc)
	}
	return e.answer(ctx, offer, p, o.MaxKbps)
}

// AcceptSubscribe answers a client that offers to receive.
func (e *Endpoint) AcceptSubscribe(ctx context.Context, offer string, o SubscribeOptions) (Description, error) {
	d, err := parse(offer)
	if err != nil {
		return Description{}, err
	}
	p := plan{offer: &d, endpoint: e, media: make([]sdp.Media, len(d.Sections)), sections: make([]*section, len(d.Sections))}
	for i := range d.Sections {
		p.subscribe(i, o.Tracks)
	}
	if !p.flows() || o.Strict && p.lacksTrack(find(o.Tracks, "video")) {
		return Description{}, fault.New(fault.CodecMismatch, "SDP offer: no section can carry the stream: offered %s, the stream has %s",
			p.offered(), carried(o.Tracks))
	}
	return e.answer(ctx, offer, p, 0)
}

// OfferSubscribe makes the offer ourselves; [Endpoint.Answer] completes it.
func (e *Endpoint) OfferSubscribe(ctx context.Context, o SubscribeOptions) (Description, error) {
	var kinds []string
	var medias []sdp.Media
	for _, kind := range []string{"audio", "video"} {
		track := find(o.Tracks, kind)
		if track == nil && (kind == "audio" && !o.Audio || kind == "video" && !o.Video) {
			continue
		}
		m := sdp.Media{Direction: sdp.Inactive, Codec: sdp.Default(kind)}
		if track != nil {
			m.Direction, m.Codec = sdp.SendOnly, sdp.Offered(kind, codecOf(track))
			m.Send = stream(e, m.Codec)
		}
		kinds, medias = append(kinds, kind), append(medias, m)
	}
	if len(kinds) == 0 {
		return Description{}, fault.New(fault.SDPInvalid, "subscribe: the stream has neither audio nor video")
	}
	local := e.local()
	offer := sdp.Offer(kinds, medias, local)
	var sections []*section
	for i, kind := range kinds {
		if track := find(o.Tracks, kind); track != nil {
			sec := newSection(e, &offer.Sections[i], medias[i].Codec)
			sec.source, sec.send = track, medias[i].Send
			sections = append(sections, sec)
		}
	}
	text := offer.Text()
	d := describe(&offer, text, sections)
	return d, e.settle(ctx, &d, func() { e.sections = sections })
}

// Answer takes the client's answer to OfferSubscribe.
func (e *Endpoint) Answer(ctx context.Context, answer string) error {
	d, err := parse(answer)
	if err != nil {
		return err
	}
	if d.Transport.Setup != "active" {
		return fault.New(fault.SDPInvalid, "SDP answer: a=setup is %q, but must be \"active\"", d.Transport.Setup)
	}
	stale, kept, transport := false, pack(answer), lastingTransport(d.Transport)
	err = e.shard.Do(ctx, func() {
		if stale = e.localSDP == "" || e.remoteSDP != "" || e.closed; stale {
			return
		}
		e.sections = slices.DeleteFunc(e.sections, func(sec *section) bool {
			i := slices.IndexFunc(d.Sections, func(s sdp.Section) bool { return s.MID == sec.mid })
			return i < 0 || !sec.adopt(&d.Sections[i])
		})
		e.rsize = slices.ContainsFunc(d.Sections, func(s sdp.Section) bool { return s.RSize })
		e.begin(kept, transport, d.Repairs)
	})
	if err == nil && stale {
		return fault.New(fault.MediaFailed, "endpoint %s: no offer of ours waits for an answer", e.config.Name)
	}
	return err
}

// adopt takes what the client agreed to: of the codec's feedback and RTX, and of the header extensions. It tells
// whether anything can be sent.
func (sec *section) adopt(s *sdp.Section) bool {
	i := slices.IndexFunc(s.Codecs, func(c sdp.Codec) bool {
		return c.PayloadType == sec.codec.PayloadType && strings.EqualFold(c.Name, sec.codec.Name)
	})
	if s.Rejected || !s.Direction.Receives() || i < 0 {
		return false
	}
	agreed := s.Codecs[i]
	sec.codec.Feedback = slices.DeleteFunc(slices.Clone(sec.codec.Feedback), func(f string) bool { return !agreed.Has(f) })
	if agreed.RTX != sec.codec.RTX {
		sec.codec.RTX, sec.send.RTX = 0, 0
	}
	sec.midExt, sec.timeExt = s.Extension(sdp.ExtMID), s.Extension(sdp.ExtAbsSendTime)
	sec.transportExt, sec.levelExt = s.Extension(sdp.ExtTransportCC), s.Extension(sdp.ExtAudioLevel)
	return true
}

func parse(text string) (sdp.Description, error) {
	d, err := sdp.Parse(text)
	if err != nil {
		return d, fault.Wrap(fault.SDPInvalid, err, "SDP")
	}
	if d.Transport.Setup == "passive" {
		return d, fault.New(fault.SDPInvalid, "SDP: a=setup:passive, but we are passive ourselves: use actpass or active")
	}
	return d, nil
}

func (e *Endpoint) local() sdp.Local {
	return sdp.Local{
		SessionID: e.session, StreamID: e.config.Name,
		Transport: sdp.Transport{
			Ufrag: e.ufrag, Pwd: e.pwd, Fingerprints: []sdp.Fingerprint{e.shard.fingerprint},
			Candidates: e.shard.config.candidates(&e.config),
		},
	}
}

// answer puts a plan into effect.
func (e *Endpoint) answer(ctx context.Context, offer string, p plan, maxKbps int) (Description, error) {
	answer := sdp.Answer(p.offer, p.media, e.local())
	text := answer.Text()
	sections := slices.DeleteFunc(p.sections, func(s *section) bool { return s == nil })
	kept, transport, repairs := pack(offer), lastingTransport(p.offer.Transport), p.offer.Repairs
	d := describe(&answer, text, sections)
	return d, e.settle(ctx, &d, func() {
		e.sections, e.maxKbps = sections, maxKbps
		e.rsize = slices.ContainsFunc(answer.Sections, func(s sdp.Section) bool { return s.RSize })
		e.declare(p)
		e.begin(kept, transport, repairs)
	})
}

// settle runs the shard's part of a negotiation, once in an endpoint's life: OpenVidu never renegotiates.
func (e *Endpoint) settle(ctx context.Context, local *Description, fn func()) error {
	twice, kept := false, pack(local.SDP)
	var lines []string
	var a again
	for _, c := range local.Candidates {
		lines = append(lines, c.Candidate)
		a.mid, a.line = shared(c.MID), c.Line // the same for all
	}
	offered := shared(strings.Join(lines, "\n"))
	err := e.shard.Do(ctx, func() {
		if twice = e.localSDP != "" || e.closed; !twice {
			e.localSDP, e.offered, e.again = kept, offered, a
			fn()
		}
	})
	if err == nil && twice {
		return fault.New(fault.MediaFailed, "endpoint %s: negotiated already or closed; open a new one", e.config.Name)
	}
	return err
}

// declare makes receivers for the sources the client named.
func (e *Endpoint) declare(p plan) {
	for i, sec := range p.sections {
		if sec == nil || sec.track == nil {
			continue
		}
		e.receiving = true
		if sec.transportExt != 0 && e.arrivals == nil {
			e.arrivals = new(congestion.Arrivals)
		}
		sec.track.AudioLevelExt = sec.levelExt
		if streams := p.offer.Sections[i].Streams; len(streams) > 0 {
			sec.receive(streams[0].SSRC, streams[0].RTX)
			e.sources[streams[0].SSRC] = &source{section: sec, receiver: sec.receiver}
			if streams[0].RTX != 0 {
				e.sources[streams[0].RTX] = &source{section: sec, receiver: sec.receiver, repair: true}
			}
		}
	}
}

// begin lets the transport start: from now on we know whom to expect.
func (e *Endpoint) begin(remoteSDP packed, remote sdp.Transport, repairs []sdp.Repair) {
	e.remoteSDP, e.remote = remoteSDP, remote
	e.signalled, e.remote.Candidates = append(e.signalled, remote.Candidates...), nil
	e.consent, e.agreed, e.repairs = e.shard.now, e.shard.now, repairs
	e.takeEarly()
}

func describe(d *sdp.Description, text string, sections []*section) Description {
	out := Description{SDP: text}
	for i := range d.Sections {
		if d.Sections[i].Rejected {
			continue
		}
		for _, c := range d.Transport.Candidates {
			out.Candidates = append(out.Candidates, Candidate{c, d.Sections[i].MID, i})
		}
		break
	}
	for _, sec := range sections {
		if sec.track != nil {
			out.Tracks = append(out.Tracks, sec.track)
		}
		if sec.kind == "audio" {
			out.Audio = sec.codec.Name
		} else {
			out.Video = sec.codec.Name
		}
	}
	return out
}

func find(tracks []*media.Track, kind string) *media.Track {
	for _, t := range tracks {
		if t != nil && t.Kind.String() == kind {
			return t
		}
	}
	return nil
}

func codecOf(t *media.Track) sdp.Codec {
	return sdp.Codec{Name: t.Codec.Name, ClockRate: t.Codec.ClockRate, Channels: t.Codec.Channels, Fmtp: t.Codec.Fmtp}
}

func carried(tracks []*media.Track) string {
	var names []string
	for _, t := range tracks {
		names = append(names, t.Codec.Name)
	}
	return strings.Join(names, ", ")
}
