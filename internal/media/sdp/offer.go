package sdp

import (
	"strconv"
	"strings"
)

// offerTypes are the payload types of our own offers: fixed, so that every subscriber of a node has the same ones.
var offerTypes = map[string][2]uint8{
	"opus": {111, 0}, "PCMU": {0, 0}, "PCMA": {8, 0},
	"VP8": {96, 97}, "VP9": {98, 99}, "H264": {102, 103}, "AV1": {45, 46},
}

var offerExtensions = []string{ExtAudioLevel, ExtAbsSendTime, ExtTransportCC, ExtMID}

// Default is the codec a section without a track is offered with.
func Default(kind string) Codec {
	if kind == "audio" {
		return Offered(kind, Codec{Name: "opus", ClockRate: 48000, Channels: 2, Fmtp: "minptime=10;useinbandfec=1"})
	}
	return Offered(kind, Codec{Name: "VP8", ClockRate: 90000})
}

// Offered gives a codec the payload types and feedback of our offers.
func Offered(kind string, c Codec) Codec {
	types := offerTypes[c.Name]
	c.PayloadType, c.RTX = types[0], types[1]
	c.Feedback = understood[kind]
	if kind == "audio" {
		c.Feedback = []string{"transport-cc"}
	}
	return c
}

// Offer lays out an offer of ours with one section per kind of kinds ("audio", "video"); media is parallel to it.
// mids are "0", "1", …; the client must take the active DTLS role.
func Offer(kinds []string, media []Media, local Local) Description {
	offer := Description{SessionID: local.SessionID, ICELite: true, Transport: local.Transport}
	offer.Transport.Setup = "actpass"
	for i, kind := range kinds {
		s := section(kind, strconv.Itoa(i), media[i], local)
		s.Protocol, s.RSize = "UDP/TLS/RTP/SAVPF", true
		for n, uri := range offerExtensions {
			if kind == "audio" || !strings.Contains(uri, "audio") {
				s.Extensions = append(s.Extensions, Extension{uint8(n + 1), uri})
			}
		}
		offer.Sections = append(offer.Sections, s)
		offer.Bundle = append(offer.Bundle, s.MID)
	}
	return offer
}
