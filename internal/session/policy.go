package session

import "tertulia/internal/wire/mediactl"

// videoCodecs are those the session allows, nil for all (spec §6.7, design decision 10: preferred is VP8).
func (s *State) videoCodecs() []string {
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
	return mediactl.Policy{Video: t.videoCodecs(), MaxRecvKbps: limit, CommonStream: c.CommonMsid}
}

// subscriberPolicy bounds what we send to a subscriber: its "recv" of kurentoOptions.
func (t *turn) subscriberPolicy(c *Connection) mediactl.Policy {
	limit := t.env.Rules.MaxSendKbps
	if k := c.Kurento; k != nil && k.VideoMaxRecvBandwidth != nil {
		limit = *k.VideoMaxRecvBandwidth
	}
	return mediactl.Policy{Video: t.videoCodecs(), MaxSendKbps: limit, CommonStream: c.CommonMsid}
}
