package openvidu

// RESTPublisher is a published stream in an answer.
type RESTPublisher struct {
	CreatedAt    int64            `json:"createdAt"`
	StreamID     string           `json:"streamId"`
	MediaOptions RESTMediaOptions `json:"mediaOptions"`
	*RESTStats
}

// RESTSubscriber is a subscription in an answer.
type RESTSubscriber struct {
	CreatedAt int64  `json:"createdAt"`
	StreamID  string `json:"streamId"`
	*RESTStats
}

// RESTMediaOptions say what a stream carries. The fields of a kind are there only if the stream has that kind.
type RESTMediaOptions struct {
	HasAudio    bool  `json:"hasAudio"`
	AudioActive *bool `json:"audioActive,omitempty"`
	HasVideo    bool  `json:"hasVideo"`
	*RESTVideoOptions
	Filter struct{} `json:"filter"` // {}: none
}

// RESTVideoOptions is the video part of RESTMediaOptions.
type RESTVideoOptions struct {
	VideoActive     bool    `json:"videoActive"`
	TypeOfVideo     string  `json:"typeOfVideo"`
	FrameRate       *int    `json:"frameRate"`
	VideoDimensions *string `json:"videoDimensions"` // a string that holds JSON: {"width":w,"height":h}
}

// RESTStats is added to publishers and subscribers by ?webRtcStats=true.
type RESTStats struct {
	WebRTCEndpointName  string           `json:"webrtcEndpointName"`
	RemoteSDP           string           `json:"remoteSdp"`
	LocalSDP            string           `json:"localSdp"`
	ClientICECandidates []RESTCandidate  `json:"clientIceCandidates"`
	ServerICECandidates []RESTCandidate  `json:"serverIceCandidates"`
	LocalCandidate      string           `json:"localCandidate"`
	RemoteCandidate     string           `json:"remoteCandidate"`
	Events              []RESTMediaEvent `json:"events"`
}

// RESTMediaEvent is what happened to an endpoint, as KmsEvent.java has Kurento's IceComponentStateChanged, the one event
// there is here.
type RESTMediaEvent struct {
	Type            string `json:"type"`  // "IceComponentStateChanged"
	State           string `json:"state"` // CONNECTED or FAILED
	StreamID        int    `json:"streamId"`
	ComponentID     int    `json:"componentId"`
	Timestamp       int64  `json:"timestamp"` // Unix milliseconds
	UniqueSessionID string `json:"uniqueSessionId"`
	MsSinceCreation int64  `json:"msSinceEndpointCreation"`
}

// RESTCandidate is an ICE candidate as the browser's API has it.
type RESTCandidate struct {
	Candidate     string `json:"candidate"`
	SDPMid        string `json:"sdpMid"`
	SDPMLineIndex int    `json:"sdpMLineIndex"`
}
