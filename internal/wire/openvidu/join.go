package openvidu

// Ping: the first of a socket says how often they will come.
type Ping struct {
	Interval *int `json:"interval" doc:"milliseconds until the next ping; only in the first"`
}

// Connect takes up an RPC session again.
type Connect struct {
	SessionID string `json:"sessionId" doc:"the RPC session id that joinRoom answered; without it a new one is made"`
	Reconnect bool   `json:"reconnect" since:"2.21" doc:"always true"`
}

// SessionStatus asks which master serves a session.
type SessionStatus struct {
	SessionID string `json:"sessionId" doc:"the session's id"`
}

// JoinRoom enters a session. Nothing but the session is demanded, and that may stand in the token: 1.x to 2.4 send no
// platform, 1.x clients may join without a token.
type JoinRoom struct {
	Token        string `json:"token" doc:"as given to session.connect: a URL, a bare token id, or empty with a secret"`
	Session      string `json:"session" doc:"the session's id; in 1.x a URL that ends in it"`
	Platform     string `json:"platform" since:"2.5" doc:"browser and system, for people; \"Android N\" from the Android client"`
	SDKVersion   string `json:"sdkVersion" since:"2.21" doc:"release of the client"`
	Metadata     string `json:"metadata" max:"65536" doc:"the application's data about this client"`
	Secret       string `json:"secret" doc:"the server's secret, in place of a token"`
	Recorder     bool   `json:"recorder" since:"1.7" doc:"the page that records a session; needs the secret"`
	SpeechToText bool   `json:"stt" since:"2.24" doc:"the speech-to-text module; needs the secret"`
	DataChannels bool   `json:"dataChannels" doc:"ignored (npm 1.7 and 1.9)"`
}

// Joining is the result of joinRoom.
type Joining struct {
	ID          string        `json:"id"` // of the new connection
	FinalUserID string        `json:"finalUserId,omitempty"`
	CreatedAt   int64         `json:"createdAt"` // ms
	Metadata    string        `json:"metadata"`
	Value       []Participant `json:"value"` // who is there already; never null
	Session     string        `json:"session"`
	// Version must be valid semver: clients from 2.21 on parse it.
	Version         string      `json:"version"`
	MediaServer     string      `json:"mediaServer"` // "mediasoup": the server offers subscriptions; "kurento": the client does
	VideoSimulcast  bool        `json:"videoSimulcast"`
	Record          bool        `json:"record"`
	Role            string      `json:"role"`
	CoturnIP        string      `json:"coturnIp,omitempty"`
	CoturnPort      int         `json:"coturnPort,omitempty"`
	TURNUsername    string      `json:"turnUsername,omitempty"`
	TURNCredential  string      `json:"turnCredential,omitempty"`
	CustomICEServer []ICEServer `json:"customIceServers,omitempty"`
	// Life is what sessionStatus would answer now; without it clients never ask.
	Life      int64  `json:"life,omitempty"`
	SessionID string `json:"sessionId"` // RPC session id, which connect brings back
}

// ICEServer is one entry of customIceServers.
type ICEServer struct {
	URL        string `json:"url"`
	Username   string `json:"username,omitempty"`
	Credential string `json:"credential,omitempty"`
}

// Participant is another connection of the session. It has no role: clients from 2.16 on take an entry with a role
// for themselves.
type Participant struct {
	ID        string   `json:"id"`
	CreatedAt int64    `json:"createdAt"`
	Metadata  string   `json:"metadata"`
	Streams   []Stream `json:"streams,omitempty"` // one, if it publishes
}

// Stream is a published stream as others are told of it.
type Stream struct {
	ID              string `json:"id"`
	CreatedAt       int64  `json:"createdAt"`
	HasAudio        bool   `json:"hasAudio"`
	HasVideo        bool   `json:"hasVideo"`
	AudioActive     bool   `json:"audioActive"` // clients up to 2.2 take it for HasAudio
	VideoActive     bool   `json:"videoActive"`
	TypeOfVideo     string `json:"typeOfVideo,omitempty"`
	FrameRate       int    `json:"frameRate"`                 // -1: unknown
	VideoDimensions string `json:"videoDimensions,omitempty"` // JSON text
	Filter          Filter `json:"filter"`                    // always an object
}

// Filter describes a stream's filter; without one it is the empty object.
type Filter struct {
	Type string `json:"type,omitempty"`
}
