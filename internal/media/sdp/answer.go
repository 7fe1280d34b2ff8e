package sdp

import (
	"fmt"
	"slices"
	"strconv"
)

// Media is what we want in one section of our own description.
type Media struct {
	Direction Direction // ours; Inactive keeps the section without media
	Codec     Codec     // from [Section.Choose] or [Section.Match]; the zero value rejects the section
	Send      Stream    // our source, when Direction sends
	Kbps      int       // b=AS, 0 for none
}

// Local is our side of a negotiation, common to all sections.
type Local struct {
	SessionID uint64
	Transport Transport // Setup is set by Answer and Offer
	StreamID  string    // the one msid stream of everything we send: clients up to 2.4 play no second one
}

// extensions we answer, per kind.
var wanted = map[string][]string{
	"audio": {ExtMID, ExtAbsSendTime, ExtTransportCC, ExtAudioLevel},
	"video": {ExtMID, ExtAbsSendTime, ExtTransportCC},
}

// Answer lays out our answer: media has one entry per section of the offer, in its order. We are ICE-lite and DTLS
// passive. Sections outside the offer's BUNDLE group are rejected whatever media says.
func Answer(offer *Description, media []Media, local Local) Description {
	answer := Description{SessionID: local.SessionID, ICELite: true, Transport: local.Transport}
	answer.Transport.Setup = "passive"
	for i := range offer.Sections {
		from := &offer.Sections[i]
		if i >= len(media) || media[i].Codec.Name == "" || from.Rejected || !offer.Bundled(i) {
			answer.Sections = append(answer.Sections, Section{
				Kind: from.Kind, Protocol: from.Protocol, Formats: from.Formats, MID: from.MID, Rejected: true,
				Direction: Inactive, formatMaps: from.formatMaps,
			})
			continue
		}
		s := section(from.Kind, from.MID, media[i], local)
		s.Protocol, s.RSize = from.Protocol, from.RSize
		best := from.best(media[i].Direction)
		if best != "" {
			s.RIDs, s.Simulcast = []string{best}, true
		}
		for _, e := range from.Extensions {
			if slices.Contains(wanted[from.Kind], e.URI) || best != "" && e.URI == ExtRID {
				s.Extensions = append(s.Extensions, e)
			}
		}
		answer.Sections = append(answer.Sections, s)
		if len(offer.Bundle) > 0 {
			answer.Bundle = append(answer.Bundle, from.MID)
		}
	}
	return answer
}

// best is the one layer we take of an offer of simulcast; "" if it is none. An answer that says nothing of simulcast would
// get the first layer alone, the smallest (RFC 9429 §5.10), and one without the extension is taken for that by Chromium.
func (s *Section) best(ours Direction) string {
	if !s.Simulcast || len(s.RIDs) == 0 || !ours.Receives() || s.Extension(ExtRID) == 0 {
		return ""
	}
	return s.RIDs[len(s.RIDs)-1]
}

func section(kind, mid string, m Media, local Local) Section {
	s := Section{
		Kind: kind, MID: mid, Direction: m.Direction, Codecs: []Codec{m.Codec}, Mux: true, Kbps: m.Kbps,
		Formats: []string{strconv.Itoa(int(m.Codec.PayloadType))},
	}
	if m.Codec.RTX != 0 {
		s.Formats = append(s.Formats, strconv.Itoa(int(m.Codec.RTX)))
	}
	if m.Direction.Sends() {
		s.StreamID, s.TrackID = local.StreamID, fmt.Sprintf("%s-%s", local.StreamID, kind)
		s.Streams = []Stream{m.Send}
	}
	return s
}
