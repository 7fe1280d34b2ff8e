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
	limit := t.env.Rules.MaxRecvKbps
	if k := c.Kurento; k != nil && k.VideoMaxSendBandwidth != nil {
		limit = *k.VideoMaxSendBandwidth
	}
	return mediactl.Policy{
		Video: t.VideoCodecs(), Strict: t.strict(), MaxRecvKbps: limit, CommonStream: c.CommonMsid,
	}
}

// subscriberPolicy bounds what we send to a subscriber: its "recv" of kurentoOptions.
func (t *turn) subscriberPolicy(c *Connection) mediactl.Policy {
	limit := t.env.Rules.MaxSendKbps
	if k := c.Kurento; k != nil && k.VideoMaxRecvBandwidth != nil {
		limit = *k.VideoMaxRecvBandwidth
	}
	return mediactl.Policy{
		Video: t.VideoCodecs(), Strict: t.strict(), MaxSendKbps: limit, CommonStream: c.CommonMsid,
	}
}

// strict: a codec somebody has asked for by name is enforced with the original's error 800; our own preference only
// costs the client its video, and audio flows (promise KMS-16).
func (s *State) strict() bool {
	codec := s.Properties.ForcedVideoCodec
	return codec != "" && codec != "MEDIA_SERVER_PREFERRED" && len(s.VideoCodecs()) > 0
}

// peer is what the media node is told of a client's network.
func (c *Connection) peer() mediactl.Peer {
	return mediactl.Peer{Loopback: c.Loopback, Reached: c.Reached}
}
