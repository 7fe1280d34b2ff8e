package mediactl

// Facts is what a media node knows of one endpoint that helps to say why its media does not flow. Counters run since the
// endpoint was opened; ages are milliseconds before the snapshot, -1 for never.
type Facts struct {
	Session  string `json:"session"`
	Endpoint string `json:"endpoint"`
	// Source is the publishing endpoint of a subscription, "" for a publisher.
	Source string `json:"source,omitempty"`

	State  string `json:"state"`            // as in EndpointStats
	Reason string `json:"reason,omitempty"` // of "failed"
	Age    int64  `json:"age"`              // since both descriptions are known; -1 while they are not

	// Offered are our candidates; Signalled those the client announced, those of its description included.
	Offered   []string `json:"offered,omitempty"`
	Signalled []string `json:"signalled,omitempty"`
	// Repairs are what the client's description needed before it could be read; see media/sdp.
	Repairs []Repair `json:"repairs,omitempty"`

	// Paths are those that a verified check came along, 16 at most. One over a TCP connection or a TURN allocation ends
	// with it.
	Paths []Path `json:"paths,omitempty"`
	// Moved counts how often the client went on from another address under its keys; Moves are the latest 4, oldest first.
	Moved int    `json:"moved,omitempty"`
	Moves []Move `json:"moves,omitempty"`
	// WrongPassword counts checks that named this endpoint but did not verify; anybody who has seen its username fragment
	// can send such. It is a lower bound: of those that come to another shard 16 a second are counted.
	WrongPassword uint64 `json:"wrongPassword,omitempty"`
	// WrongFragment counts checks with our password whose username names another fragment than the client's description:
	// the client has restarted ICE, or its description was changed on its way.
	WrongFragment uint64 `json:"wrongFragment,omitempty"`
	// Consent is the age of the latest verified check.
	Consent int64 `json:"consent"`

	Hellos   uint64 `json:"hellos,omitempty"` // DTLS records that came before the keys
	Attempts int    `json:"attempts,omitempty"`
	// Handshake is why the latest DTLS handshake that failed did; there may have been another since.
	Handshake   string `json:"handshake,omitempty"`
	Fingerprint bool   `json:"fingerprintMismatch,omitempty"`
	Cipher      string `json:"cipher,omitempty"` // "SRTP_AEAD_AES_128_GCM"; empty before keys
	Forged      uint64 `json:"forged,omitempty"` // SRTP and SRTCP that did not authenticate
	// Heard is the age of the latest authenticated media or RTCP packet.
	Heard int64 `json:"heard"`

	Tracks []TrackFacts `json:"tracks,omitempty"`
}

// Repair is one thing that was mended in a description.
type Repair struct {
	Line int    `json:"line"` // from 1, counted with the line ends put back that were lost
	What string `json:"what"` // "plus", "percent", "lines", "escapes", "wrapping", "indent", "quotes", "candidate": see media/sdp
}

// Path is one pair of addresses that packets take.
type Path struct {
	Protocol string `json:"protocol"`        // "udp", "tcp", "relay"
	Local    string `json:"local,omitempty"` // address and port of ours; "" where the socket does not tell
	Remote   string `json:"remote"`
	Checks   uint64 `json:"checks"` // verified requests
	// Nominated says that the client chose it at least once; Selected that our packets take it now.
	Nominated bool  `json:"nominated,omitempty"`
	Selected  bool  `json:"selected,omitempty"`
	Heard     int64 `json:"heard"` // age of the latest authenticated packet or check
}

// Move is a change of the address that our packets go to: by the client's choice, or because it was heard from another
// one while the old was silent.
type Move struct {
	At      int64  `json:"at"`      // age
	Silence int64  `json:"silence"` // milliseconds without a packet from the old address before it
	From    string `json:"from"`    // "udp 192.0.2.1:5000"
	To      string `json:"to"`
}

// TrackFacts is one media line of an endpoint, as it flows. What is received is of the client's present SSRC.
type TrackFacts struct {
	Kind  string `json:"kind"`  // "audio", "video"
	Codec string `json:"codec"` // "opus", "VP8"
	Sends bool   `json:"sends"` // we send it; else we receive it
	// Packets and Octets (of payload) are RTP received, RTX included, or sent without resent ones. Latest is the age of
	// the last.
	Packets uint64 `json:"packets"`
	Octets  uint64 `json:"octets"`
	Latest  int64  `json:"latest"`
	// Largest is the size in bytes of the largest RTP packet received, or sent: with its header, without what encryption
	// (16), UDP and IP (28 or 48) add.
	Largest int `json:"largest"`

	Lost      int64  `json:"lost"`                // received: as reported to the publisher; sent: as the viewer reports, in all
	Fraction  int    `json:"fraction"`            // of the latest report, in 1/256
	Reports   int64  `json:"reports"`             // sent: reports of the viewer about this track, in all
	Report    Report `json:"report"`              // sent: the latest of them
	Former    Report `json:"former"`              // sent: the one before
	Keyframes uint64 `json:"keyframes"`           // received
	Asked     uint64 `json:"asked"`               // key frames asked for: by us of a publisher, by a viewer of us
	NACKed    uint64 `json:"nacked"`              // packets asked for again: by us of a publisher, by a viewer of us
	RTT       int64  `json:"rtt"`                 // milliseconds, 1 at least; 0 unknown
	Recovered uint64 `json:"recovered,omitempty"` // received: of those lost, how many came again
	Jitter    int64  `json:"jitter,omitempty"`    // received: milliseconds, RFC 3550 A.8
	Pictures  uint64 `json:"pictures,omitempty"`  // received video: begun to arrive
	FrameRate int    `json:"frameRate,omitempty"` // received video: of the latest second; 0: no pictures in it
	Claimed   uint32 `json:"claimed"`             // received: packets sent, by the client's latest sender report; 0 before the first
}

// Report is what a report of the viewer says of what it has heard of (RFC 3550 §6.4.2).
type Report struct {
	Age   int64  `json:"age"`   // milliseconds since it came; -1: there is none
	Sent  uint64 `json:"sent"`  // packets sent by then
	Heard int64  `json:"heard"` // of these, how many the viewer knows of, those it lost included; -1 unknown
	Trip  int64  `json:"trip"`  // milliseconds that a packet and this report took together, 1 at least; 0 unknown
}
