package session

import "tertulia/internal/wire/mediactl"

// VideoCodecs are those the session allows, nil for all (spec §6.7, design decision 10: preferred is VP8).
func (s *State) VideoCodecs() []string {
	switch codec := s.Properties.ForcedVideoCodec; {
	case s.Properties.NoCodecPolicy, codec == "NONE":
		return nil
	case codec == "", codec == "MEDIA_SERVER_PREFERRED":
		return []string{"VP8"}
	default:
		return []string{codec}
	}
}

// publisherPolicy bounds what we take from a publisher: its "send" of kurentoOptions (rest §4.4).
func (t *turn) publisherPolicy(c *Connection) mediactl.Policy {
	most, least := t.env.Rules.MaxRecvKbps, t.env.Rules.MinRecvKbps
	if k := c.Kurento; k != nil {
		most, least = own(k.VideoMaxSendBandwidth, most), own(k.VideoMinSendBandwidth, least)
	}
	return mediactl.Policy{
		Video: t.VideoCodecs(), Strict: t.strict(), CommonStream: c.CommonMsid,
		MaxRecvKbps: most, MinRecvKbps: below(least, most),
	}
}

// subscriberPolicy bounds what we send to a subscriber: its "recv" of kurentoOptions.
func (t *turn) subscriberPolicy(c *Connection) mediactl.Policy {
	most := t.env.Rules.MaxSendKbps
	if k := c.Kurento; k != nil {
		most = own(k.VideoMaxRecvBandwidth, most)
	}
	return mediactl.Policy{Video: t.VideoCodecs(), Strict: t.strict(), CommonStream: c.CommonMsid, MaxSendKbps: most}
}

// own is a connection's own limit, if it has one, or else the general one.
func own(limit *int, general int) int {
	if limit != nil {
		return *limit
	}
	return general
}

// below keeps the least under the most there may be: one of the two may be a connection's own, the other general.
func below(least, most int) int {
	if most > 0 {
		return min(least, most)
	}
	return least
}

// strict: a codec somebody has asked for by name is enforced with the original's error 800; our own preference only
// costs the client its video, and audio flows (promise KMS-16). Where transcoding is allowed the node must say so as well,
// for the offer is then accepted with other codecs.
func (s *State) strict() bool {
	codec := s.Properties.ForcedVideoCodec
	named := codec != "" && codec != "MEDIA_SERVER_PREFERRED"
	return len(s.VideoCodecs()) > 0 && (named || s.Properties.AllowTranscoding)
}

// lenient is the policy of an offer that is left alone (spec §6.7): any codec. We do not transcode, so a subscriber without
// that codec gets no video.
func lenient(p mediactl.Policy) mediactl.Policy {
	p.Video, p.Strict = nil, false
	return p
}

// peer is what the media node is told of a client's network.
func (c *Connection) peer() mediactl.Peer {
	return mediactl.Peer{Loopback: c.Loopback, Reached: c.Reached}
}
