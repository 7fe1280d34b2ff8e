package mediactl

// Facts is what a media node knows of one endpoint that helps to say why its media does not flow. Counters run since the
// endpoint's first description; ages are milliseconds before the snapshot, -1 for never.
type Facts struct {
	Session  string `json:"session"`
	Endpoint string `json:"endpoint"`
	// Source is the publishing endpoint of a subscription, "" for a publisher.
	Source string `json:"source,omitempty"`

	State  string `json:"state"` // as in EndpointStats
	Reason string `json:"reason,omitempty"`
	Age    int64  `json:"age"` // since both descriptions are known; -1 while they are not

	// Offered are our candidates; Signalled those the client announced, those of its description included.
	Offered   []string `json:"offered,omitempty"`
	Signalled []string `json:"signalled,omitempty"`
	// Repairs are what the client's description needed before it could be read; see media/sdp.
	Repairs []Repair `json:"repairs,omitempty"`

	Paths []Path `json:"paths,omitempty"` // every one that a verified check came along, and those before
	// WrongPassword counts checks that named this endpoint but did not verify.
	WrongPassword uint64 `json:"wrongPassword,omitempty"`
	// Consent is the age of the latest verified check.
	Consent int64 `json:"consent"`

	Hellos      uint64 `json:"hellos,omitempty"` // DTLS records that came before the keys
	Attempts    int    `json:"attempts,omitempty"`
	Fingerprint bool   `json:"fingerprintMismatch,omitempty"`
	Cipher      string `json:"cipher,omitempty"`
	Forged      uint64 `json:"forged,omitempty"` // SRTP and SRTCP that did not authenticate
	// Heard is the age of the latest authenticated media or RTCP packet.
	Heard int64 `json:"heard"`

	Tracks []TrackFacts `json:"tracks,omitempty"`
}

// Repair is one thing that was mended in a description.
type Repair struct {
	Line int    `json:"line"` // from 1
	What string `json:"what"` // "plus": spaces that were '+'; "crlf": lost line ends; "quotes": typographic quotes
}

// Path is one pair of addresses that packets took.
type Path struct {
	Protocol string `json:"protocol"` // "udp", "tcp", "relay"
	Local    string `json:"local"`    // address and port of ours
	Remote   string `json:"remote"`
	Checks   uint64 `json:"checks"` // verified requests
	// Nominated says that the client chose it at least once; Selected that our packets take it now.
	Nominated bool  `json:"nominated,omitempty"`
	Selected  bool  `json:"selected,omitempty"`
	Heard     int64 `json:"heard"` // age of the latest authenticated packet or check
}

// TrackFacts is one media line of an endpoint, as it flows.
type TrackFacts struct {
	Kind  string `json:"kind"`  // "audio", "video"
	Codec string `json:"codec"` // "opus", "VP8"
	Sends bool   `json:"sends"` // we send it; else we receive it
	// Packets and Octets are RTP received, or sent without resent ones. Latest is the age of the last.
	Packets uint64 `json:"packets"`
	Octets  uint64 `json:"octets"`
	Latest  int64  `json:"latest"`
	// Largest is the size in bytes of the largest RTP packet received; of a sending track, sent.
	Largest int `json:"largest"`

	Lost      int64 `json:"lost"`      // received: as reported to the publisher; sent: as the viewer reports, in all
	Fraction  int   `json:"fraction"`  // of the latest second or report, in 1/256
	Reports   int64 `json:"reports"`   // sent: reports of the viewer about this track, in all
	Reported  int64 `json:"reported"`  // sent: age of the latest
	Highest   int64 `json:"highest"`   // sent: packets the viewer has heard of by that report; -1 unknown
	Keyframes int64 `json:"keyframes"` // received
	Asked     int64 `json:"asked"`     // key frames asked for: by us of a publisher, by a viewer of us
	NACKed    int64 `json:"nacked"`
	RTT       int64 `json:"rtt"` // milliseconds; 0 unknown
}
