package openvidu

import "regexp"

// RESTSession is a session in an answer.
type RESTSession struct {
	ID                         string                   `json:"id"`
	Object                     string                   `json:"object"` // "session"
	SessionID                  string                   `json:"sessionId"`
	CreatedAt                  int64                    `json:"createdAt"`
	Recording                  bool                     `json:"recording"`
	Broadcasting               bool                     `json:"broadcasting"`
	MediaMode                  string                   `json:"mediaMode"`
	RecordingMode              string                   `json:"recordingMode"`
	DefaultRecordingProperties RESTRecordingProperties  `json:"defaultRecordingProperties"`
	CustomSessionID            string                   `json:"customSessionId"`
	ForcedVideoCodec           string                   `json:"forcedVideoCodec"` // as requested, not as resolved
	AllowTranscoding           bool                     `json:"allowTranscoding"`
	Connections                RESTList[RESTConnection] `json:"connections"`
}

// RESTSessionRequest is the body of POST /sessions.
type RESTSessionRequest struct {
	NoBody           bool // there was none at all, which is not the same as {} (rest §8.1)
	MediaMode        string
	RecordingMode    string
	CustomSessionID  string  // "": choose one
	ForcedVideoCodec *string // nil: the configured one
	AllowTranscoding *bool   // nil: as configured
	Recording        RESTRecordingProperties
}

// restSessionID bounds what a path and a record key may hold.
var restSessionID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,256}$`)

// ParseRESTSession reads the body of POST /sessions; the error is a *RESTFieldError.
func ParseRESTSession(body []byte) (RESTSessionRequest, error) {
	o, absent := parseRESTBody(body)
	r := RESTSessionRequest{
		NoBody:           absent,
		MediaMode:        o.oneOf("mediaMode", "ROUTED", restMediaModes),
		RecordingMode:    o.oneOf("recordingMode", "MANUAL", restRecordingModes),
		CustomSessionID:  o.text("customSessionId", ""),
		ForcedVideoCodec: o.oneOfOrNil("forcedVideoCodec", restVideoCodecs),
		AllowTranscoding: o.flagOrNil("allowTranscoding"),
		Recording:        parseRESTRecordingProperties(o.object("defaultRecordingProperties")),
	}
	if r.CustomSessionID != "" && !restSessionID.MatchString(r.CustomSessionID) {
		o.fail("customSessionId", o.fields["customSessionId"], "up to 256 letters, digits, _ and -")
	}
	if node := o.object("mediaNode"); node != nil && node.textOrNil("id") == nil {
		node.fail("id", node.fields["id"], "the id of a media node")
	}
	return r, o.err()
}
