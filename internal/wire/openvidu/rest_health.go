package openvidu

// RESTHealth answers GET /health: OpenVidu Pro's two keys, and ours.
type RESTHealth struct {
	Status                 string          `json:"status"` // UP, UNSTABLE or DOWN
	DisconnectedMediaNodes []string        `json:"disconnectedMediaNodes"`
	MediaNodes             []RESTMediaNode `json:"mediaNodes"`
	Checks                 []RESTCheck     `json:"checks"`
}

// RESTCheck is one thing that must be right for the server to be of use.
type RESTCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`             // false makes the health DOWN, or UNSTABLE
	Code string `json:"code,omitempty"` // what is to be known of it, such as MEDIA_UNPROVEN; may stand beside OK
	Text string `json:"text,omitempty"`
	Fix  string `json:"fix,omitempty"` // what to do about it
	// Bearable says that calls go on although it is not OK: the health is UNSTABLE then, and the server stays ready.
	Bearable bool `json:"-"`
}

// RESTMediaNode is a media node in an answer (rest §4.10); times are Unix milliseconds.
type RESTMediaNode struct {
	ID                string         `json:"id"`     // "media_" and eight letters or digits
	Object            string         `json:"object"` // "mediaNode"
	EnvironmentID     *string        `json:"environmentId"`
	IP                *string        `json:"ip"`
	URI               *string        `json:"uri"`
	LaunchingTime     int64          `json:"launchingTime"`
	Connected         bool           `json:"connected"`
	ConnectionTime    int64          `json:"connectionTime"`
	DisconnectionTime int64          `json:"disconnectionTime,omitempty"`
	Load              float64        `json:"load"`   // percent of its processors
	Status            string         `json:"status"` // running …
	MediaServer       string         `json:"mediaServer,omitempty"`
	Sessions          *[]RESTSession `json:"sessions,omitempty"`     // ?sessions=true
	RecordingIDs      *[]string      `json:"recordingIds,omitempty"` // this and the next: ?recordings=true
	Broadcasts        *[]string      `json:"broadcasts,omitempty"`
	KurentoInfo       *RESTKurento   `json:"kurentoInfo,omitempty"` // ?extra-info=true
}

// RESTKurento is what a media node says of its media server.
type RESTKurento struct {
	Memory       int64               `json:"memory"` // KB
	Version      string              `json:"version"`
	Capabilities string              `json:"capabilities"`
	Modules      []RESTKurentoModule `json:"modules"`
}

// RESTKurentoModule is a module of a Kurento Media Server.
type RESTKurentoModule struct {
	Name           string   `json:"name"`
	Version        string   `json:"version"`
	GenerationTime string   `json:"generationTime"`
	Factories      []string `json:"factories"`
}
