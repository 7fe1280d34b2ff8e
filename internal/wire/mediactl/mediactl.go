package mediactl

// An endpoint is one WebRTC transport: a publisher's, or one subscription. Its name is unique within its session:
// the connection id for a publisher, "<subscriber connection id>_<stream id>" for a subscription, as in OpenVidu
// (KurentoParticipant.java). A repeated Publish or Subscribe under the same name replaces the transport.

// Publish asks for an endpoint that receives what a client sends; the client has offered.
type Publish struct {
	Session  string `json:"session"`
	Endpoint string `json:"endpoint"`
	Offer    string `json:"offer"`              // SDP
	Loopback bool   `json:"loopback,omitempty"` // send the publisher's own media back on the same transport
	Policy   Policy `json:"policy"`
	Peer     Peer   `json:"peer"`
	// Reconnect keeps the endpoint's tracks, and so its subscribers: the new transport feeds the old tracks.
	Reconnect bool `json:"reconnect,omitempty"`
}

// Subscribe asks for an endpoint that sends the tracks of the publishing endpoint Source to a client.
// With an empty Offer the node makes the offer and waits for [Answer].
type Subscribe struct {
	Session  string `json:"session"`
	Endpoint string `json:"endpoint"`
	Source   string `json:"source"`
	Offer    string `json:"offer,omitempty"` // SDP
	Policy   Policy `json:"policy"`
	Peer     Peer   `json:"peer"`
	// Audio and Video say what the stream was announced with: a server offer has exactly these sections.
	Audio bool `json:"audio"`
	Video bool `json:"video"`
}

// Description is the node's half of a negotiation.
type Description struct {
	SDP        string      `json:"sdp"`
	Candidates []Candidate `json:"candidates,omitempty"` // also in SDP; to be trickled as well
	// Audio and Video are the codecs chosen ("opus", "VP8"), empty where the kind does not flow.
	Audio string `json:"audio,omitempty"`
	Video string `json:"video,omitempty"`
}

// Answer completes a Subscribe without offer.
type Answer struct {
	Session  string `json:"session"`
	Endpoint string `json:"endpoint"`
	SDP      string `json:"sdp"`
}

// Trickle hands over a candidate a client signalled. It is a hint only: the node never sends to a signalled address.
type Trickle struct {
	Session   string    `json:"session"`
	Endpoint  string    `json:"endpoint"`
	Candidate Candidate `json:"candidate"`
}

// Candidate is an ICE candidate as the browser API has it; Candidate holds the "candidate:…" attribute value.
type Candidate struct {
	Candidate     string `json:"candidate"`
	SDPMid        string `json:"sdpMid,omitempty"`
	SDPMLineIndex int    `json:"sdpMLineIndex"`
}

// Release ends one endpoint, or with an empty Endpoint all of a session.
type Release struct {
	Session  string `json:"session"`
	Endpoint string `json:"endpoint,omitempty"`
}

// Policy is what a session and connection allow on an endpoint.
type Policy struct {
	// Video lists the codecs allowed ("VP8", "VP9", "H264", "AV1"), empty for all.
	Video []string `json:"video,omitempty"`
	// Strict refuses an offer with video but none of those codecs; else it is answered without video.
	Strict bool `json:"strict,omitempty"`
	// MaxRecvKbps bounds what a publisher may send us, by REMB and b=AS; 0 is unlimited.
	MaxRecvKbps int `json:"maxRecvKbps,omitempty"`
	// MaxSendKbps bounds what a subscriber is sent, by lowering the publisher; 0 is unlimited. MinRecvKbps is the least a
	// publisher is lowered to so.
	MaxSendKbps int `json:"maxSendKbps,omitempty"`
	MinRecvKbps int `json:"minRecvKbps,omitempty"`
	// CommonStream asks for one msid stream for all tracks (clients up to 2.4); nodes do so for every client.
	CommonStream bool `json:"commonStream,omitempty"`
}

// Peer is what is known of the client's network.
type Peer struct {
	// Loopback: its signalling came over the loopback interface, so it may be given loopback candidates.
	Loopback bool `json:"loopback,omitempty"`
	// Reached is the address and port its signalling reached us by ("203.0.113.5:4443"), "" if it used a name: it may be
	// given candidates of it, for a 1:1 NAT or a container's published port is likely to pass media there as well.
	Reached string `json:"reached,omitempty"`
}

// Event is what a node reports of an endpoint by itself.
type Event struct {
	Session  string    `json:"session"`
	Endpoint string    `json:"endpoint"`
	Type     EventType `json:"type"`
	Reason   string    `json:"reason,omitempty"`
	// Candidates are those of Again.
	Candidates []Candidate `json:"candidates,omitempty"`
	// FrameRate is that of Measured, in whole frames a second.
	FrameRate int `json:"frameRate,omitempty"`
}

// EventType says what happened to an endpoint.
type EventType string

const (
	Connected EventType = "connected" // ICE and DTLS are up: media can flow
	Failed    EventType = "failed"    // consent expired, or the handshake failed; the endpoint stays until released
	// Again: the client is connected, but not by UDP; it is to be shown these candidates and may move to them.
	Again EventType = "again"
	// Measured: a publisher's video has another frame rate than it was last told to have, and keeps it.
	Measured EventType = "measured"
)

// EndpointStats is a snapshot of one endpoint (rest §4.6, ?webRtcStats=true).
type EndpointStats struct {
	Endpoint        string      `json:"endpoint"`
	State           string      `json:"state"` // "new", "checking", "connected", "failed"
	LocalSDP        string      `json:"localSdp,omitempty"`
	RemoteSDP       string      `json:"remoteSdp,omitempty"`
	LocalCandidate  string      `json:"localCandidate,omitempty"`  // of the selected pair
	RemoteCandidate string      `json:"remoteCandidate,omitempty"` // of the selected pair
	Signalled       []Candidate `json:"signalled,omitempty"`       // candidates the client sent
	Packets         uint64      `json:"packets"`
	Bytes           uint64      `json:"bytes"`
	FrameRate       int         `json:"frameRate,omitempty"` // of a publisher's video, in the latest second
}
