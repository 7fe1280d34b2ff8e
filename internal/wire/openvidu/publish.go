package openvidu

import "encoding/json"

// PublishVideo publishes a stream. Clients up to 2.2 know no hasAudio and hasVideo: their active flags say it.
type PublishVideo struct {
	SDPOffer        string          `json:"sdpOffer" max:"262144" must:"yes" doc:"of the publisher's peer connection"`
	DoLoopback      bool            `json:"doLoopback" doc:"send the stream back to its publisher on the same connection"`
	HasAudio        *bool           `json:"hasAudio" since:"2.3" doc:"default: audioActive"`
	HasVideo        *bool           `json:"hasVideo" since:"2.3" doc:"default: videoActive"`
	AudioActive     *bool           `json:"audioActive" since:"1.2" doc:"not muted; default: true"`
	VideoActive     *bool           `json:"videoActive" since:"1.2" doc:"not muted; default: true"`
	TypeOfVideo     string          `json:"typeOfVideo" since:"1.3" doc:"CAMERA, SCREEN or CUSTOM; absent without video"`
	FrameRate       *int            `json:"frameRate" since:"1.9" doc:"default: -1, unknown"`
	VideoDimensions string          `json:"videoDimensions" since:"2.3" doc:"JSON text {\"width\":n,\"height\":n}"`
	Filter          json.RawMessage `json:"filter" since:"2.5" doc:"{type, options}: error 406 where there are no filters"`
}

// Publishing is the result of publishVideo, and of reconnectStream of the own stream (same ID and CreatedAt).
type Publishing struct {
	SDPAnswer string `json:"sdpAnswer"`
	ID        string `json:"id"`
	CreatedAt int64  `json:"createdAt"` // ms
	SessionID string `json:"sessionId,omitempty"`
}

// StreamPropertyChange tells of a change of the own stream.
type StreamPropertyChange struct {
	StreamID string          `json:"streamId" doc:"ignored: it is the sender's own stream"`
	Property string          `json:"property" must:"yes" doc:"audioActive, videoActive, videoDimensions, audioTrack or videoTrack"`
	NewValue json.RawMessage `json:"newValue" must:"yes" doc:"a boolean, JSON text of dimensions, or {label}"`
	Reason   string          `json:"reason" doc:"publishAudio, publishVideo, deviceRotated, screenResized or trackReplaced"`
}

// VideoReport is the parameters of videoData.
type VideoReport struct {
	Height      int  `json:"height" doc:"of the video sent"`
	Width       int  `json:"width" doc:"of the video sent"`
	VideoActive bool `json:"videoActive" doc:"not muted"`
	AudioActive bool `json:"audioActive" doc:"not muted"`
}

// ReconnectStream replaces a transport. For the own stream SDPOffer (to 2.17) or SDPString (from 2.18) is an offer;
// for another's SDPOffer is an offer and SDPString an answer to ours.
type ReconnectStream struct {
	Stream            string `json:"stream" must:"yes" doc:"stream id"`
	SDPOffer          string `json:"sdpOffer" max:"262144" doc:"an offer"`
	SDPString         string `json:"sdpString" max:"262144" since:"2.18" doc:"of the own stream an offer, of another's an answer"`
	ForciblyReconnect bool   `json:"forciblyReconnect" since:"2.19" doc:"the answer to forciblyReconnectSubscriber"`
}
