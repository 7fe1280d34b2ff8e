package openvidu

import (
	"cmp"
	"regexp"
	"strings"
)

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
	MediaNode                  *RESTMediaNodeID         `json:"mediaNode,omitempty"` // if it was asked for
	ForcedVideoCodec           string                   `json:"forcedVideoCodec"`    // as requested, not as resolved
	AllowTranscoding           bool                     `json:"allowTranscoding"`
	Connections                RESTList[RESTConnection] `json:"connections"`
	MediaNodeID                string                   `json:"mediaNodeId,omitempty"` // once somebody has joined
	*RESTOldRecording
}

// RESTMediaNodeID names a media node.
type RESTMediaNodeID struct {
	ID string `json:"id"`
}

// RESTOldRecording is what stood in place of defaultRecordingProperties up to 2.17; Java clients of then fail without.
type RESTOldRecording struct {
	OutputMode   string `json:"defaultOutputMode"`
	Layout       string `json:"defaultRecordingLayout,omitempty"` // of composed recordings
	CustomLayout string `json:"defaultCustomLayout,omitempty"`    // with layout CUSTOM
}

// RESTSessionRequest is the body of POST /sessions.
type RESTSessionRequest struct {
	NoBody           bool // there was none at all, which is not the same as {} (rest §8.1)
	Old              bool // it comes from a back end of 1.x, which awaits the session's URL (rest §14.1)
	MediaMode        string
	RecordingMode    string
	CustomSessionID  string  // "": choose one
	ForcedVideoCodec *string // nil: the configured one
	AllowTranscoding *bool   // nil: as configured
	MediaNode        string  // "": any
	Recording        RESTRecordingProperties
}

// restSessionID bounds what a path and a record key may hold.
var restSessionID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,256}$`)

// ParseRESTSession reads the body of POST /sessions; the error is a *RESTFieldError.
func ParseRESTSession(body []byte) (RESTSessionRequest, error) {
	o, absent := parseRESTBody(body)
	r := RESTSessionRequest{
		NoBody:           absent,
		Old:              o.isOld(),
		MediaMode:        o.oneOf("mediaMode", "ROUTED", restMediaModes),
		RecordingMode:    o.oneOf("recordingMode", o.oneOf("archiveMode", "MANUAL", restRecordingModes), restRecordingModes),
		CustomSessionID:  o.text("customSessionId", ""),
		ForcedVideoCodec: o.oneOfOrNil("forcedVideoCodec", restVideoCodecs),
		AllowTranscoding: o.flagOrNil("allowTranscoding"),
	}
	if _, given := o.raw("defaultRecordingProperties"); given {
		r.Recording = parseRESTRecordingProperties(o.object("defaultRecordingProperties"))
	} else {
		r.Recording = o.oldRecording()
	}
	if r.CustomSessionID != "" && !restSessionID.MatchString(r.CustomSessionID) {
		o.fail("customSessionId", o.fields["customSessionId"], "up to 256 letters, digits, _ and -")
	}
	if node := o.object("mediaNode"); node != nil {
		r.MediaNode = node.nodeID()
	}
	return r, o.err()
}

// isOld tells a back end of 1.x by the fields that its clients always send and no later one does: archiveMode and
// archiveLayout (1.7, 1.8) or recordingLayout (1.9). None of them knows customSessionId, which later ones always send.
func (o *restObject) isOld() bool {
	_, later := o.fields["customSessionId"]
	for _, field := range []string{"archiveMode", "archiveLayout", "recordingLayout"} {
		if _, ok := o.fields[field]; ok && !later {
			return true
		}
	}
	return false
}

// oldRecording reads what 2.0 to 2.17 have in place of defaultRecordingProperties; 2.32 ignores it.
func (o *restObject) oldRecording() RESTRecordingProperties {
	p := DefaultRESTRecordingProperties()
	p.OutputMode = o.oneOf("defaultOutputMode", p.OutputMode, restOutputModes)
	layout := o.oneOf("defaultRecordingLayout", p.RecordingLayout, restLayouts)
	custom := o.text("defaultCustomLayout", "")
	if !strings.HasPrefix(p.OutputMode, "COMPOSED") {
		p.RESTComposition, p.IgnoreFailedStreams = nil, new(bool)
		return p
	}
	if p.RecordingLayout = layout; layout == "CUSTOM" {
		p.CustomLayout = custom
	}
	return p
}

// Old is how releases up to 2.17 were shown these properties.
func (p RESTRecordingProperties) Old() *RESTOldRecording {
	old := &RESTOldRecording{OutputMode: p.OutputMode}
	if strings.HasPrefix(p.OutputMode, "COMPOSED") {
		old.Layout = "BEST_FIT"
		if c := p.RESTComposition; c != nil {
			old.Layout, old.CustomLayout = cmp.Or(c.RecordingLayout, old.Layout), c.CustomLayout
		}
	}
	return old
}

// nodeID reads the {id} of a media node.
func (o *restObject) nodeID() string {
	id := o.textOrNil("id")
	if id == nil {
		o.fail("id", o.fields["id"], "the id of a media node")
		return ""
	}
	return *id
}
