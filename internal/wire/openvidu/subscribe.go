package openvidu

// ReceiveVideoFrom subscribes with an offer, or completes a subscription that the server offered with an answer.
type ReceiveVideoFrom struct {
	Sender    string `json:"sender" must:"yes" doc:"stream id; a connection id is accepted"`
	SDPOffer  string `json:"sdpOffer" max:"262144" doc:"of the subscriber's peer connection"`
	SDPAnswer string `json:"sdpAnswer" max:"262144" since:"2.18" doc:"to the offer of prepareReceiveVideoFrom"`
}

// Receiving is the result of receiveVideoFrom with an offer.
type Receiving struct {
	SDPAnswer string `json:"sdpAnswer"`
	SessionID string `json:"sessionId,omitempty"`
}

// PrepareReceiveVideoFrom asks the server to offer.
type PrepareReceiveVideoFrom struct {
	Sender    string `json:"sender" must:"yes" doc:"stream id; a connection id is accepted"`
	Reconnect bool   `json:"reconnect" doc:"discard the subscription there is"`
}

// Preparing is the result of prepareReceiveVideoFrom.
type Preparing struct {
	SDPOffer  string `json:"sdpOffer"`
	SessionID string `json:"sessionId,omitempty"`
}

// UnsubscribeFromVideo ends a subscription.
type UnsubscribeFromVideo struct {
	Sender string `json:"sender" must:"yes" doc:"connection id of the publisher; a stream id is accepted"`
}

// OnICECandidate hands over a candidate.
type OnICECandidate struct {
	EndpointName  string `json:"endpointName" doc:"connection id of the stream's publisher; absent or the own: the own stream"`
	Candidate     string `json:"candidate" doc:"the candidate:… attribute; empty at the end"`
	SDPMid        string `json:"sdpMid" doc:"media section's mid"`
	SDPMLineIndex int    `json:"sdpMLineIndex" doc:"media section's index"`
}
