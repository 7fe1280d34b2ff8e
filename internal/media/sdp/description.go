package sdp

import "strings"

// Limits on a description from outside.
const (
	MaxBytes    = 256 << 10
	MaxSections = 32
	maxLines    = 8192
	maxPerList  = 128 // codecs, extensions, streams, candidates … of one section
)

// Direction is who sends, from the point of view of the description's author.
type Direction string

const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Sends reports whether the author sends.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the author receives.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Description is one half of a negotiation.
type Description struct {
	SessionID uint64
	ICELite   bool
	Bundle    []string // mids of the BUNDLE group
	Transport Transport
	Sections  []Section
	Repairs   []Repair // what Parse has mended
}

// Transport is what ICE and DTLS need: one per description, because every section we accept is bundled.
type Transport struct {
	Ufrag, Pwd   string
	Fingerprints []Fingerprint
	Setup        string   // "actpass", "active", "passive"
	Candidates   []string // "candidate:…" values
}

// Fingerprint is a certificate hash: algorithm in lower case ("sha-256"), value in upper-case hex with colons.
type Fingerprint struct{ Algorithm, Value string }

// Section is one m-line and what belongs to it.
type Section struct {
	Kind       string // "audio", "video", "application", …
	Protocol   string // "UDP/TLS/RTP/SAVPF"
	Formats    []string
	MID        string
	Rejected   bool // port 0 and not bundle-only
	Direction  Direction
	Codecs     []Codec // in the author's order, without rtx, red, ulpfec …
	Extensions []Extension
	Streams    []Stream
	StreamID   string   // msid, first word
	TrackID    string   // msid, second word
	RIDs       []string // of what is sent, smallest picture first as openvidu-browser lists them; of our answer, what we take
	Simulcast  bool     // they are to be sent at once
	Mux, RSize bool
	Kbps       int // b=AS
	formatMaps []string
}

// Codec is a payload type with everything that refers to it.
type Codec struct {
	PayloadType uint8
	Name        string // as in the rtpmap
	ClockRate   uint32
	Channels    uint16
	Fmtp        string
	Feedback    []string // "nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"
	RTX         uint8    // payload type of its RTX, 0 without
}

// Has reports whether the codec's feedback list holds that message.
func (c Codec) Has(feedback string) bool {
	for _, f := range c.Feedback {
		if f == feedback {
			return true
		}
	}
	return false
}

// Extension is one header extension (RFC 8285).
type Extension struct {
	ID  uint8
	URI string
}

// Stream is one declared source and its RTX.
type Stream struct {
	SSRC, RTX uint32
	CNAME     string
}

// The extensions we negotiate.
const (
	ExtMID         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	ExtAbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	ExtTransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	ExtAudioLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	ExtRID         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
)

// Extension returns the id of a URI in this section, 0 without.
func (s *Section) Extension(uri string) uint8 {
	for _, e := range s.Extensions {
		if e.URI == uri {
			return e.ID
		}
	}
	return 0
}

// Secure reports whether the section is media over DTLS-SRTP, under any of the names in use since 2012.
func (s *Section) Secure() bool {
	return (s.Kind == "audio" || s.Kind == "video") && strings.HasSuffix(s.Protocol, "RTP/SAVPF")
}

// Bundled reports whether mid shares the description's one transport. A description without group has only one.
func (d *Description) Bundled(i int) bool {
	mid := d.Sections[i].MID
	for _, m := range d.Bundle {
		if m == mid {
			return true
		}
	}
	return len(d.Bundle) == 0 && i == 0
}
